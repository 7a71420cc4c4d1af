{{/*
Names and labels. The guide's commands select `app=<service>`, so every pod carries `app` beside the app.kubernetes.io labels:
https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/
*/}}

{{/* The service: the chart's name, as a DNS label. */}}
{{- define "common.service" -}}
{{- .Chart.Name | replace "." "-" | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* What objects are called: the service's name in a release of that name, `<release>-<service>` in any other. */}}
{{- define "common.fullname" -}}
{{- $service := include "common.service" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains $service .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $service | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/*
The labels that find the pods of one component; they never change, since selectors of workloads can't.
Argument: dict "root" $ "component" "server"
*/}}
{{- define "common.selectorLabels" -}}
app: {{ include "common.service" .root }}
app.kubernetes.io/name: {{ include "common.service" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* The labels of a pod: no chart version, so that a new chart alone restarts nothing. */}}
{{- define "common.podLabels" -}}
{{ include "common.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Values.image.tag | toString | replace "+" "_" | trunc 63 | trimAll "-_." | quote }}
{{- with .root.Values.podLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The labels of every other object. */}}
{{- define "common.labels" -}}
{{ include "common.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Values.image.tag | toString | replace "+" "_" | trunc 63 | trimAll "-_." | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}
