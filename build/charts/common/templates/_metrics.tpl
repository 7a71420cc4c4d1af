{{/*
How Prometheus finds a component's metrics, by `metrics` of its values: annotations of the pods, or a ServiceMonitor where the
Prometheus operator is there. `metrics.port` is the number of a port that a container opens.
*/}}

{{- define "common.metricsAnnotations" -}}
{{- $metrics := .values.metrics | default dict -}}
{{- if and $metrics.enabled (not $metrics.serviceMonitor) -}}
prometheus.io/scrape: "true"
prometheus.io/path: {{ $metrics.path | quote }}
prometheus.io/port: {{ $metrics.port | quote }}
{{- end -}}
{{- end -}}

{{/* Argument: a component. */}}
{{- define "common.serviceMonitor" -}}
{{- include "common.component" . -}}
{{- $metrics := .values.metrics | default dict -}}
{{- if and $metrics.enabled $metrics.serviceMonitor -}}
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
{{ include "common.metadata" . }}
spec:
  selector:
    matchLabels:
      {{- include "common.selectorLabels" . | nindent 6 }}
  endpoints:
    - targetPort: {{ $metrics.port }}
      path: {{ $metrics.path | quote }}
      relabelings:
        # One of its Services, not the aliases too.
        - action: keep
          sourceLabels: [__meta_kubernetes_service_name]
          regex: {{ .name | toYaml }}
{{- end -}}
{{- end -}}
