{{/*
The template of a pod. A chart gives the name of a template of its own, "own", which is rendered with the root and yields YAML:
the main container, as _container.tpl says, and beside it

  initContainers, sidecars   lists of containers; each with `name` and `resources`
  volumes          Kubernetes' list. These come by themselves when a container mounts them: `data` (the values' `persistence`),
                   `config` (the ConfigMap of "files"), `tmp`
  tmp              size of /tmp (default 64Mi), which every container has; false for none
  automountServiceAccountToken, serviceAccountName   for a pod that asks the Kubernetes API; rights by common.access
  secretKeys       keys of the config Secret that the pod needs besides those in secretEnv (as files)
  annotations      of the pod
  pod              further fields of the PodSpec, laid over the library's
  workload         further fields of the workload's spec, laid over the library's
*/}}

{{/* A template of the chart's as a map. Arguments: dict "root" $ "own" "its name" */}}
{{- define "common.own" -}}
{{- $own := include .own .root | fromYaml -}}
{{- if and (hasKey $own "Error") (eq (len $own) 1) -}}
{{- fail (printf "template %s yields no YAML map: %v" .own $own.Error) -}}
{{- end -}}
{{- toJson $own -}}
{{- end -}}

{{/* Security context of the pod. The user comes from the chart's values, since each image has its own. */}}
{{- define "common.podSecurityContext" -}}
runAsNonRoot: true
{{- with .values.podSecurityContext }}
runAsUser: {{ .runAsUser }}
runAsGroup: {{ .runAsGroup }}
fsGroup: {{ .fsGroup }}
{{- end }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* What a pod has besides containers and volumes. Arguments: a component, "own" (a map). */}}
{{- define "common.podSettings" -}}
serviceAccountName: {{ .own.serviceAccountName | default (include "common.fullname" .root) | toYaml }}
automountServiceAccountToken: {{ .own.automountServiceAccountToken | default false }}
enableServiceLinks: false
securityContext:
  {{- include "common.podSecurityContext" . | nindent 2 }}
{{- with .values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | toYaml }}
  {{- end }}
{{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . | toYaml }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if gt (int .replicas) 1 }}
# On different nodes where there are enough: one that fails takes one pod with it.
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "common.selectorLabels" . | nindent 8 }}
{{- end }}
{{- end -}}

{{/* The volume that holds a component's data. */}}
{{- define "common.dataVolume" -}}
name: data
{{- if .values.persistence.enabled }}
persistentVolumeClaim:
  claimName: {{ .values.persistence.existingClaim | default .name | toYaml }}
{{- else }}
emptyDir:
  sizeLimit: {{ .values.persistence.size | toYaml }}
{{- end }}
{{- end -}}

{{/* "true" if the persistent volume can be mounted by one pod at a time. Arguments: a component, "own" (a map). */}}
{{- define "common.holdsVolume" -}}
{{- $persistence := .values.persistence | default dict -}}
{{- if and $persistence.enabled (ne $persistence.accessMode "ReadWriteMany") (has "data" (include "common.mounted" . | fromJsonArray)) -}}true{{- end -}}
{{- end -}}

{{/* The names of all volumes that the containers mount, as JSON. Arguments: dict "own" (a map) */}}
{{- define "common.mounted" -}}
{{- $own := .own -}}
{{- $names := list -}}
{{- range concat (list $own) ($own.initContainers | default list) ($own.sidecars | default list) -}}
{{- range include "common.mounts" (dict "own" . "tmp" $own.tmp) | fromYamlArray -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- end -}}
{{- uniq $names | toJson -}}
{{- end -}}

{{/* Arguments: a component, "own" (a map), "files", "claims" (the data volume is a claim template's). */}}
{{- define "common.volumes" -}}
{{- $mounted := include "common.mounted" . | fromJsonArray -}}
{{- $named := list -}}
{{- range .own.volumes -}}{{- $named = append $named .name -}}{{- end -}}
{{- if and (has "data" $mounted) (not (has "data" $named)) (not .claims) }}
- {{ include "common.dataVolume" . | nindent 2 | trim }}
{{- end }}
{{- if and (has "config" $mounted) (not (has "config" $named)) }}
- name: config
  configMap:
    name: {{ .name | toYaml }}
{{- end }}
{{- with .own.volumes }}
{{ toYaml . }}
{{- end }}
{{- if and (has "tmp" $mounted) (not (has "tmp" $named)) }}
- name: tmp
  emptyDir:
    sizeLimit: {{ .own.tmp | default "64Mi" }}
{{- end }}
{{- end -}}

{{/* Annotations of the pod. Those with versions and checksums restart it when its configuration changes. */}}
{{- define "common.podAnnotations" -}}
{{- with include "common.configVersion" . }}
config-version: {{ . | quote }}
{{- end }}
{{- with .files }}
checksum/config: {{ include . $.root | sha256sum }}
{{- end }}
{{- with include "common.metricsAnnotations" . }}
{{ . }}
{{- end }}
{{- with .own.annotations }}
{{ toYaml . }}
{{- end }}
{{- with .values.podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/*
`metadata` and `spec` of a pod. Arguments: a component, "own" (a map, as above), and, optional, "files" (see common.configMap),
"replicas", "claims".
*/}}
{{- define "common.podTemplate" -}}
{{- include "common.component" . -}}
{{- $context := . -}}
{{- $own := .own -}}
{{- $podKeys := list "initContainers" "sidecars" "volumes" "tmp" "automountServiceAccountToken" "serviceAccountName" "secretKeys" "annotations" "pod" "workload" -}}
{{- $main := $own -}}
{{- range $podKeys -}}{{- $main = omit $main . -}}{{- end -}}
{{- $name := eq .component "server" | ternary (include "common.service" .root) .component -}}
{{- $main = merge (dict "name" ($own.name | default $name)) $main -}}
metadata:
  labels:
    {{- include "common.podLabels" . | nindent 4 }}
  {{- with include "common.podAnnotations" . | fromYaml }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- mergeOverwrite (include "common.podSettings" . | fromYaml) ($own.pod | default dict) | toYaml | nindent 2 }}
  {{- with $own.initContainers }}
  initContainers:
    {{- range . }}
    - {{ include "common.container" (set (set (omit $context "own") "own" .) "tmp" $own.tmp) | nindent 6 | trim }}
    {{- end }}
  {{- end }}
  containers:
    - {{ include "common.container" (set (set (set (omit $context "own") "own" $main) "tmp" $own.tmp) "main" true) | nindent 6 | trim }}
    {{- range $own.sidecars }}
    - {{ include "common.container" (set (set (omit $context "own") "own" .) "tmp" $own.tmp) | nindent 6 | trim }}
    {{- end }}
  {{- with include "common.volumes" . | trim }}
  volumes:
    {{- . | nindent 4 }}
  {{- end }}
{{- end -}}
