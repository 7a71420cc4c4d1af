{{/*
Workloads. Each takes a component (see _names.tpl) and
  "own"    the name of a template of the chart's that yields what is its own (see _pod.tpl)
  "files"  the name of a template that yields the files of the ConfigMap `config` (see common.configMap); optional
*/}}

{{/* Begins a workload: completes the argument in place. */}}
{{- define "common.workload" -}}
{{- include "common.component" . -}}
{{- if kindIs "string" .own -}}{{- $_ := set . "own" (include "common.own" . | fromJson) -}}{{- end -}}
{{- $_ := set . "replicas" (include "common.mostReplicas" .values | int) -}}
{{- include "common.checkConfig" . -}}
{{- end -}}

{{/* How many pods there may be at once: `replicas` (default 1), or `autoscaling.maxReplicas`. Argument: a component's values. */}}
{{- define "common.mostReplicas" -}}
{{- if (.autoscaling | default dict).enabled -}}
{{- .autoscaling.maxReplicas -}}
{{- else -}}
{{- hasKey . "replicas" | ternary .replicas 1 -}}
{{- end -}}
{{- end -}}

{{/* The rest of an object. Arguments: a workload, "kind", "api" (default apps/v1), "spec" (text), "labels" (optional). */}}
{{- define "common.workloadObject" -}}
apiVersion: {{ .api | default "apps/v1" }}
kind: {{ .kind }}
{{ include "common.metadata" . }}
spec:
  {{- mergeOverwrite (.spec | fromYaml) (.own.workload | default dict) | toYaml | nindent 2 }}
{{- end -}}

{{/*
A Deployment of `replicas` pods, or as many as the autoscaler wants (common.horizontalPodAutoscaler). Where its volume can be mounted by one pod at a time, the old pod goes before the new one comes:
one that rolls would wait for ever, the new pod for the volume, the old one for the new pod.
*/}}
{{- define "common.deployment" -}}
{{- include "common.workload" . -}}
{{- $holds := include "common.holdsVolume" . -}}
{{- if and $holds (gt .replicas 1) (not .values.persistence.existingClaim) -}}
{{- fail "replicas: more than one needs persistence.accessMode ReadWriteMany, persistence.existingClaim or persistence.enabled false" -}}
{{- end -}}
{{- $spec := include "common.deploymentSpec" (set . "recreate" $holds) -}}
{{ include "common.workloadObject" (set (set . "kind" "Deployment") "spec" $spec) }}
{{- end -}}

{{- define "common.deploymentSpec" -}}
{{- if not (.values.autoscaling | default dict).enabled }}
replicas: {{ .replicas }}
{{- end }}
revisionHistoryLimit: 3
{{- if .recreate }}
strategy:
  type: Recreate
{{- end }}
selector:
  matchLabels:
    {{- include "common.selectorLabels" . | nindent 4 }}
template:
  {{- include "common.podTemplate" . | nindent 2 }}
{{- end -}}

{{/*
A StatefulSet behind the Service `<name>-headless`. Its data lies on a claim that is an object of its own (common.persistentVolumeClaim),
because a claim template can't be changed afterwards, not even to make the volume larger. With "claims" true each pod has a claim of
its own from a template: for a service that replicates by itself.
*/}}
{{- define "common.statefulSet" -}}
{{- include "common.workload" . -}}
{{- if and (not .claims) (gt .replicas 1) (include "common.holdsVolume" .) -}}
{{- fail "replicas: the pods can't share one volume" -}}
{{- end -}}
{{- $spec := include "common.statefulSetSpec" . -}}
{{ include "common.workloadObject" (set (set . "kind" "StatefulSet") "spec" $spec) }}
{{- end -}}

{{- define "common.statefulSetSpec" -}}
{{- $claims := and .claims .values.persistence.enabled -}}
replicas: {{ .replicas }}
serviceName: {{ .name }}-headless
revisionHistoryLimit: 3
selector:
  matchLabels:
    {{- include "common.selectorLabels" . | nindent 4 }}
template:
  {{- include "common.podTemplate" (set . "claims" $claims) | nindent 2 }}
{{- if $claims }}
volumeClaimTemplates:
  - metadata:
      name: data
      labels:
        {{- include "common.selectorLabels" . | nindent 8 }}
    spec:
      {{- include "common.claimSpec" .values.persistence | nindent 6 }}
{{- end }}
{{- end -}}

{{/* A DaemonSet: a pod on each node that `nodeSelector`, `affinity` and `tolerations` of its values allow. */}}
{{- define "common.daemonSet" -}}
{{- include "common.workload" . -}}
{{- $spec := include "common.daemonSetSpec" (set . "replicas" 1) -}}
{{ include "common.workloadObject" (set (set . "kind" "DaemonSet") "spec" $spec) }}
{{- end -}}

{{- define "common.daemonSetSpec" -}}
revisionHistoryLimit: 3
selector:
  matchLabels:
    {{- include "common.selectorLabels" . | nindent 4 }}
template:
  {{- include "common.podTemplate" . | nindent 2 }}
{{- end -}}

{{/*
A Job. Its template can't be changed, so what it works on goes into its name: "digest" is any text; another text is another Job, the
same text leaves the finished one alone.
*/}}
{{- define "common.job" -}}
{{- include "common.workload" . -}}
{{- /* A label of its pods holds the name: 63 characters. */ -}}
{{- if .digest -}}{{- $_ := set . "name" (printf "%s-%s" (.name | trunc 54 | trimSuffix "-") (.digest | sha256sum | trunc 8)) -}}{{- end -}}
{{- $spec := include "common.jobSpec" (set . "replicas" 1) -}}
{{ include "common.workloadObject" (set (set (set . "kind" "Job") "api" "batch/v1") "spec" $spec) }}
{{- end -}}

{{- define "common.jobSpec" -}}
{{- $_ := set .own "pod" (merge (dict) (.own.pod | default dict) (dict "restartPolicy" "OnFailure")) -}}
{{- $_ := set . "values" (omit .values "metrics") -}}
template:
  {{- include "common.podTemplate" . | nindent 2 }}
{{- end -}}

{{/* A CronJob at `schedule` of its values, in the cluster's time; one run at a time. */}}
{{- define "common.cronJob" -}}
{{- include "common.workload" . -}}
{{- /* Its Jobs have 11 characters more. */ -}}
{{- $_ := set . "name" (.name | trunc 52 | trimSuffix "-") -}}
{{- $spec := include "common.cronJobSpec" (set . "replicas" 1) -}}
{{ include "common.workloadObject" (set (set (set . "kind" "CronJob") "api" "batch/v1") "spec" $spec) }}
{{- end -}}

{{- define "common.cronJobSpec" -}}
schedule: {{ .values.schedule | quote }}
concurrencyPolicy: Forbid
successfulJobsHistoryLimit: 1
failedJobsHistoryLimit: 1
jobTemplate:
  spec:
    backoffLimit: 2
    {{- include "common.jobSpec" . | nindent 4 }}
{{- end -}}
