{{/* Whole objects beside the workload. Each takes a component (see _names.tpl) and what stands above it. */}}

{{/*
What nearly every service has, by its values: ServiceAccount, Services, claim, Ingress, PodDisruptionBudget, HorizontalPodAutoscaler,
ServiceMonitor, network policy. What the values don't name (`persistence`, `ingress`, `service`, …) is left out.
Arguments: a component, "portName" (default `http`) or "ports" (see common.serviceObject), "headless", "claims" (as the StatefulSet's),
"egress" (rules for the network policy, see there), "claimLabels".
*/}}
{{- define "common.objects" -}}
{{- include "common.component" . -}}
{{- $templates := list "common.ingress" "common.podDisruptionBudget" "common.horizontalPodAutoscaler" "common.serviceMonitor" -}}
{{- if eq .component "server" -}}{{- $templates = prepend $templates "common.serviceAccount" -}}{{- end -}}
{{- if .values.service -}}{{- $templates = append $templates "common.services" -}}{{- end -}}
{{- if and .values.persistence (not .claims) -}}{{- $templates = append $templates "common.persistentVolumeClaim" -}}{{- end -}}
{{- if .values.networkPolicy -}}{{- $templates = append $templates "common.networkPolicy" -}}{{- end -}}
{{- include "common.documents" (dict "templates" $templates "context" .) -}}
{{- end -}}

{{/*
Several templates as documents, without empty ones: Helm 3 keeps these, Helm 4 does not, and the releases would seem to differ.
Arguments: dict "templates" (names) "context" (what each is given)
*/}}
{{- define "common.documents" -}}
{{- $context := .context -}}
{{- $documents := list -}}
{{- range .templates -}}
{{- with include . $context | trim -}}{{- $documents = append $documents . -}}{{- end -}}
{{- end -}}
{{- join "\n---\n" $documents -}}
{{- end -}}

{{/*
The Service, `<name>-headless` for a StatefulSet ("headless" true), and `<name>-service` with `service.alias`: the form of name that
the deployment guide uses.
*/}}
{{- define "common.services" -}}
{{- include "common.component" . -}}
{{ include "common.serviceObject" (omit . "headless") }}
{{- if .headless }}
---
{{ include "common.serviceObject" (set (omit . "name") "name" (printf "%s-headless" .name)) }}
{{- end }}
{{- if .values.service.alias }}
---
{{ include "common.serviceObject" (set (set (omit . "name" "headless") "name" (printf "%s-service" .name)) "type" "ClusterIP") }}
{{- end }}
{{- end -}}

{{/*
One Service. Arguments: a component, "portName" (default `http`) for the one port `service.port`, or "ports": a list of ServicePorts
(name, port; targetPort is the port's name by default). "type" beats `service.type`; "headless" true gives it no address; "unready" true
gives a headless one the names of pods that are not ready yet, for servers that find themselves or each other by name before they are.
Ports have names, so that policies, probes and ingresses name them instead of counting.
*/}}
{{- define "common.serviceObject" -}}
{{- include "common.component" . -}}
{{- $values := .values.service -}}
{{- $ports := .ports | default (list (dict "name" (.portName | default "http") "port" $values.port)) -}}
{{- $taken := dict -}}
{{- range $ports -}}
{{- $port := printf "%v/%s" .port (.protocol | default "TCP") -}}
{{- if hasKey $taken $port -}}
{{- fail (printf "service: ports `%s` and `%s` of Service `%s` are the same, %s" (get $taken $port) .name $.name $port) -}}
{{- end -}}
{{- $_ := set $taken $port .name -}}
{{- end -}}
apiVersion: v1
kind: Service
{{ include "common.metadata" . }}
  {{- with $values.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- if .headless }}
  type: ClusterIP
  clusterIP: None
  {{- if .unready }}
  publishNotReadyAddresses: true
  {{- end }}
  {{- else }}
  type: {{ .type | default $values.type }}
  {{- end }}
  selector:
    {{- include "common.selectorLabels" . | nindent 4 }}
  ports:
    {{- range $ports }}
    - {{ merge (dict) . (dict "targetPort" .name "protocol" "TCP") | toYaml | nindent 6 | trim }}
    {{- end }}
{{- end -}}

{{/* An Ingress to the port "portName" (default: the first of "ports", or `http`). */}}
{{- define "common.ingress" -}}
{{- include "common.component" . -}}
{{- $values := .values.ingress | default dict -}}
{{- if $values.enabled -}}
apiVersion: networking.k8s.io/v1
kind: Ingress
{{ include "common.metadata" . }}
  {{- with $values.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- with $values.className }}
  ingressClassName: {{ . | toYaml }}
  {{- end }}
  rules:
    - host: {{ required "ingress.host: a host name is needed when ingress.enabled is true" $values.host | quote }}
      http:
        paths:
          - path: {{ $values.path | quote }}
            pathType: Prefix
            backend:
              service:
                name: {{ .name | toYaml }}
                port:
                  name: {{ .portName | default (.ports | default (list (dict "name" "http")) | first).name }}
  {{- with $values.tlsSecret }}
  tls:
    - hosts:
        - {{ $values.host | quote }}
      secretName: {{ . | toYaml }}
  {{- end }}
{{- end -}}
{{- end -}}

{{/*
The claim for a component's data: an object of its own rather than a StatefulSet's template, because a template can't be
changed afterwards, not even to make the volume larger. Nothing when an existing claim is used. Argument "claimLabels": further ones.
*/}}
{{- define "common.persistentVolumeClaim" -}}
{{- include "common.component" . -}}
{{- $values := .values.persistence -}}
{{- if and $values.enabled (not $values.existingClaim) -}}
apiVersion: v1
kind: PersistentVolumeClaim
{{ include "common.metadata" (set (omit . "labels") "labels" .claimLabels) }}
  {{- if $values.keep }}
  annotations:
    helm.sh/resource-policy: keep
  {{- end }}
spec:
  {{- include "common.claimSpec" $values | nindent 2 }}
{{- end -}}
{{- end -}}

{{/* Argument: `persistence`. */}}
{{- define "common.claimSpec" -}}
accessModes:
  - {{ .accessMode }}
{{- with .storageClass }}
storageClassName: {{ . | toYaml }}
{{- end }}
resources:
  requests:
    storage: {{ .size | toYaml }}
{{- end -}}

{{/* For more than one replica only: the budget of one could only say 0, and every drain of its node would wait for ever. */}}
{{- define "common.podDisruptionBudget" -}}
{{- include "common.component" . -}}
{{- if gt (include "common.mostReplicas" .values | int) 1 -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
{{ include "common.metadata" . }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      {{- include "common.selectorLabels" . | nindent 6 }}
{{- end -}}
{{- end -}}

{{/*
By CPU alone: memory of a garbage-collected runtime rises and stays, so that a rule on it would end at the maximum. Needs the metrics
server, which K3s brings.
*/}}
{{- define "common.horizontalPodAutoscaler" -}}
{{- include "common.component" . -}}
{{- $values := .values.autoscaling | default dict -}}
{{- if $values.enabled -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
{{ include "common.metadata" . }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ .name | toYaml }}
  minReplicas: {{ $values.minReplicas }}
  maxReplicas: {{ $values.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {{ $values.targetCPUUtilizationPercentage }}
{{- end -}}
{{- end -}}
