{{/*
Names, labels and values of a component. The guide's commands select `app=<service>`, so every pod carries `app` beside the
app.kubernetes.io labels: https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/

Almost every template of this library takes a *component*: dict "root" $ and, where the defaults don't fit,
  "component"  what the pods are within the service (default `server`); other components are called `<release>-<component>`
  "values"     its values (default: all of them for `server`, `.Values.<component>` in camelCase for another; what this leaves out
               of image, probes, security context and scheduling is the server's; all of these if there is no such map)
  "name"       the objects' name
  "app"        the label `app`, for a component with a name of its own, such as `mongodb` in rocket.chat
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

{{/* Completes a component in place; says nothing. Every template calls it on its argument first. */}}
{{- define "common.component" -}}
{{- $component := .component | default "server" -}}
{{- $_ := set . "component" $component -}}
{{- $_ := set . "app" (.app | default (include "common.service" .root)) -}}
{{- if not .name -}}
{{- $name := include "common.fullname" .root -}}
{{- $_ := set . "name" (eq $component "server" | ternary $name (printf "%s-%s" $name $component | trunc 63 | trimSuffix "-")) -}}
{{- end -}}
{{- if not .values -}}
{{- $own := get .root.Values ($component | camelcase | untitle) -}}
{{- if eq $component "server" -}}
{{- $_ := set . "values" .root.Values -}}
{{- else if not (kindIs "map" $own) -}}
{{- $_ := set . "values" (omit .root.Values "env" "metrics" "replicas" "podAnnotations" "persistence" "service" "ingress") -}}
{{- else -}}
{{- $inherited := list "image" "imagePullSecrets" "podSecurityContext" "probes" "podAnnotations" "podLabels" "priorityClassName" "nodeSelector" "tolerations" "affinity" -}}
{{- $values := dict -}}
{{- range $inherited -}}
{{- if hasKey $.root.Values . -}}{{- $_ := set $values . (get $.root.Values .) -}}{{- end -}}
{{- end -}}
{{- range $key, $value := $own -}}{{- $_ := set $values $key $value -}}{{- end -}}
{{- $_ := set . "values" $values -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The labels that find the pods of a component; they never change, since selectors of workloads can't. */}}
{{- define "common.selectorLabels" -}}
{{- include "common.component" . -}}
app: {{ .app | toYaml }}
app.kubernetes.io/name: {{ include "common.service" .root | toYaml }}
app.kubernetes.io/instance: {{ .root.Release.Name | toYaml }}
app.kubernetes.io/component: {{ .component | toYaml }}
{{- end -}}

{{/* The version of the image, or of the chart where it has none. */}}
{{- define "common.versionLabel" -}}
{{- $image := .values.image | default .root.Values.image | default dict -}}
app.kubernetes.io/version: {{ $image.tag | default .root.Chart.AppVersion | toString | replace "+" "_" | trunc 63 | trimAll "-_." | quote }}
{{- end -}}

{{/* The labels of a pod: no chart version, so that a new chart alone restarts nothing. */}}
{{- define "common.podLabels" -}}
{{ include "common.selectorLabels" . }}
{{ include "common.versionLabel" . }}
{{- with .values.podLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The labels of every other object. */}}
{{- define "common.labels" -}}
{{ include "common.selectorLabels" . }}
{{ include "common.versionLabel" . }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{/* `metadata` of an object: name, namespace, labels. Arguments: a component, and "labels" for further ones (optional). */}}
{{- define "common.metadata" -}}
{{- include "common.component" . -}}
metadata:
  name: {{ .name | toYaml }}
  namespace: {{ .root.Release.Namespace | toYaml }}
  labels:
    {{- include "common.labels" . | nindent 4 }}
    {{- with .labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{/* A value as text. Helm reads numbers as floats, which would print a million as 1e+06. */}}
{{- define "common.text" -}}
{{- kindIs "float64" . | ternary (toJson .) (toString .) -}}
{{- end -}}
