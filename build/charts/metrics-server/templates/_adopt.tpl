{{/* "true" if the API has metrics of somebody else, as of K3s: then nothing is installed. Argument: the root. */}}
{{- define "metrics-server.adopted" -}}
{{- include "common.foreign" (dict "root" . "api" "apiregistration.k8s.io/v1" "kind" "APIService" "name" "v1beta1.metrics.k8s.io") -}}
{{- end -}}

{{/* "true" if the API is to hand questions on to this one. Argument: the root. */}}
{{- define "metrics-server.registers" -}}
{{- if kindIs "bool" .Values.apiService -}}
{{- if .Values.apiService -}}true{{- end -}}
{{- else if not (include "common.simulated" .) -}}
true
{{- end -}}
{{- end -}}
