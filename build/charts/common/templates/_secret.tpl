{{/*
Passwords that nobody gave: generated in the cluster once, then read back on every later rendering, so that an upgrade
changes nothing, and kept when the release is uninstalled, since the data that they open is kept too.
*/}}

{{/*
Values that count as no password at all. "true" if the argument is one of them.
*/}}
{{- define "common.isWellKnownPassword" -}}
{{- if has (lower (trim .)) (list "" "changeme" "change-me" "change_me" "password" "passw0rd" "postgres" "admin" "root" "secret" "rocketchat" "rocketchatroot" "123456" "12345678") -}}true{{- end -}}
{{- end -}}

{{/* The name of the Secret in use: the existing one, or ours. Argument: dict "root" $ "existing" "name or empty" */}}
{{- define "common.secretName" -}}
{{- .existing | default (include "common.fullname" .root) -}}
{{- end -}}

{{/*
Refuses an existing Secret that is absent, lacks the key, or holds a well-known password. It can look only where there is a
cluster (`helm template` has none); a namespace that is still to be created has no Secret yet either.
Arguments: dict "root" $ "existing" "name" "key" "password key" "field" "auth.existingSecret"
*/}}
{{- define "common.checkSecret" -}}
{{- $namespace := .root.Release.Namespace -}}
{{- if lookup "v1" "Namespace" "" $namespace -}}
{{- $secret := lookup "v1" "Secret" $namespace .existing -}}
{{- if not $secret -}}
{{- fail (printf "%s: Secret `%s` does not exist in namespace `%s`: create it before the deployment, or leave %s empty to have a password generated" .field .existing $namespace .field) -}}
{{- end -}}
{{- $data := $secret.data | default dict -}}
{{- if not (hasKey $data .key) -}}
{{- fail (printf "%s: Secret `%s` in namespace `%s` has no key `%s` (it has: %s)" .field .existing $namespace .key (keys $data | sortAlpha | join ", ")) -}}
{{- end -}}
{{- if include "common.isWellKnownPassword" (get $data .key | b64dec) -}}
{{- fail (printf "%s: key `%s` of Secret `%s` in namespace `%s` holds an empty or well-known password: choose another" .field .key .existing $namespace) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
The Secret itself. Arguments: dict "root" $ "component" "server" "keys" (list "postgres-password")
*/}}
{{- define "common.generatedSecret" -}}
{{- $name := include "common.fullname" .root -}}
{{- $live := (lookup "v1" "Secret" .root.Release.Namespace $name).data | default dict -}}
apiVersion: v1
kind: Secret
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "common.labels" . | nindent 4 }}
  annotations:
    helm.sh/resource-policy: keep
type: Opaque
data:
  {{- range $key := .keys }}
  {{- /* 32 characters of 62: 190 bits. Letters and digits only, so that the password fits into any connection string. */}}
  {{- if and (hasKey $live $key) (include "common.isWellKnownPassword" (get $live $key | b64dec)) }}
  {{- fail (printf "key `%s` of Secret `%s` in namespace `%s` holds an empty or well-known password: delete the key to have one generated" $key $name $.root.Release.Namespace) }}
  {{- end }}
  {{ $key }}: {{ get $live $key | default (randAlphaNum 32 | b64enc) | quote }}
  {{- end }}
{{- end -}}
