{{/* What jupyterhub_config.py reads. */}}
{{- define "jupyterhub.settings" -}}
{{- $name := include "common.fullname" . -}}
{{- $notebook := .Values.notebook -}}
baseUrl: {{ printf "%s/" (trimSuffix "/" .Values.ingress.path) | quote }}
hub: {{ $name }}-hub
proxy: {{ $name }}-proxy-api
auth:
  kind: {{ .Values.auth.kind }}
  admins: {{ toJson .Values.auth.admins }}
  users: {{ toJson .Values.auth.users }}
  organizations: {{ toJson .Values.auth.github.organizations }}
  callbackUrl: {{ include "jupyterhub.callbackUrl" . | quote }}
kubernetes:
  name: {{ $name | toYaml }}
  namespace: {{ .Release.Namespace | toYaml }}
  # KubeSpawner knows its pods by it, so it is another for another hub of the namespace.
  component: {{ $name }}-notebook
  labels:
    {{- include "jupyterhub.notebookLabels" . | nindent 4 }}
  pullSecrets: {{ toJson .Values.imagePullSecrets }}
notebook:
  image: {{ include "common.imageName" $notebook.image | quote }}
  pullPolicy: {{ $notebook.image.pullPolicy }}
  defaultUrl: {{ $notebook.defaultUrl | quote }}
  {{- $_ := include "common.resources" (dict "of" "a notebook" "resources" $notebook.resources) }}
  # As text, as Kubernetes has it: KubeSpawner's own `cpu_limit` is a number, so cores are given as one.
  cpu:
    request: {{ include "common.quantity" $notebook.resources.requests.cpu }}
    limit: {{ with $notebook.resources.limits.cpu }}{{ include "common.quantity" . }}{{ else }}null{{ end }}
  memory:
    request: {{ include "jupyterhub.bytes" $notebook.resources.requests.memory }}
    limit: {{ include "jupyterhub.bytes" $notebook.resources.limits.memory }}
  storage: {{ toJson $notebook.storage }}
  cullAfterSeconds: {{ $notebook.cullAfterSeconds | int }}
  startTimeoutSeconds: {{ $notebook.startTimeoutSeconds | int }}
  env: {{- range $key, $value := $notebook.env }}
    {{ $key }}: {{ include "common.text" $value | quote }}
    {{- else }} {}
    {{- end }}
  nodeSelector: {{ toJson $notebook.nodeSelector }}
  tolerations: {{ toJson $notebook.tolerations }}
{{- end -}}

{{- define "jupyterhub.callbackUrl" -}}
{{- $ingress := .Values.ingress -}}
{{- if .Values.auth.github.callbackUrl -}}
{{- .Values.auth.github.callbackUrl -}}
{{- else if $ingress.enabled -}}
{{- printf "http%s://%s%s/hub/oauth_callback" (empty $ingress.tlsSecret | ternary "" "s") $ingress.host (trimSuffix "/" $ingress.path) -}}
{{- else if eq .Values.auth.kind "github" -}}
{{- fail "auth.github.callbackUrl: GitHub needs an address to come back to: set it, or ingress.host" -}}
{{- end -}}
{{- end -}}

{{/* A quantity of memory as a number of bytes. */}}
{{- define "jupyterhub.bytes" -}}
{{- include "common.quantity" . | float64 | int64 -}}
{{- end -}}

{{/* Keys of the generated Secret. */}}
{{- define "jupyterhub.keys" -}}
{{- $keys := list "proxy-token" "cookie-key" -}}
{{- if eq .Values.auth.kind "password" -}}
{{- range concat .Values.auth.admins .Values.auth.users | uniq -}}
{{- $keys = append $keys (printf "password-%s" .) -}}
{{- end -}}
{{- end -}}
{{- toJson $keys -}}
{{- end -}}

{{- define "jupyterhub.files" -}}
jupyterhub_config.py: |
  {{- .Files.Get "files/jupyterhub_config.py" | nindent 2 }}
settings.json: {{ include "jupyterhub.settings" . | fromYaml | toPrettyJson | quote }}
{{- end -}}
