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
An empty value is refused, a well-known password under any key but a user's name or an address.
Arguments: dict "root" $ "existing" "name" "key" "password key" "field" "auth.existingSecret", "remedy" "what to do" (optional)
*/}}
{{- define "common.checkSecret" -}}
{{- $namespace := .root.Release.Namespace -}}
{{- if lookup "v1" "Namespace" "" $namespace -}}
{{- $secret := lookup "v1" "Secret" $namespace .existing -}}
{{- if not $secret -}}
{{- $remedy := .remedy | default (printf "create it before the deployment, or leave %s empty to have a password generated" .field) -}}
{{- fail (printf "%s: Secret `%s` does not exist in namespace `%s`: %s" .field .existing $namespace $remedy) -}}
{{- end -}}
{{- $data := $secret.data | default dict -}}
{{- if not (hasKey $data .key) -}}
{{- fail (printf "%s: Secret `%s` in namespace `%s` has no key `%s` (it has: %s)" .field .existing $namespace .key (keys $data | sortAlpha | join ", ")) -}}
{{- end -}}
{{- $value := get $data .key | b64dec -}}
{{- $open := regexMatch "(?i)(user|name|host|url|urls)$" .key -}}
{{- if or (not $value) (and (not $open) (include "common.isWellKnownPassword" $value)) -}}
{{- fail (printf "%s: key `%s` of Secret `%s` in namespace `%s` holds an empty or well-known password: choose another" .field .key .existing $namespace) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
The Secret itself. Arguments: a component, "keys" (list "postgres-password"), "given" (key: password that the values name; optional, for
a chart that has to take them: they are in Helm's release storage then).
*/}}
{{- define "common.generatedSecret" -}}
{{- include "common.component" . -}}
{{- $name := .name -}}
{{- $given := .given | default dict -}}
{{- $live := (lookup "v1" "Secret" .root.Release.Namespace $name).data | default dict -}}
apiVersion: v1
kind: Secret
{{ include "common.metadata" . }}
  annotations:
    helm.sh/resource-policy: keep
type: Opaque
data:
  {{- range $key := .keys }}
  {{- /* 32 characters of 62: 190 bits. Letters and digits only, so that the password fits into any connection string. */}}
  {{- if and (hasKey $live $key) (include "common.isWellKnownPassword" (get $live $key | b64dec)) }}
  {{- fail (printf "key `%s` of Secret `%s` in namespace `%s` holds an empty or well-known password: delete the key to have one generated" $key $name $.root.Release.Namespace) }}
  {{- end }}
  {{ $key }}: {{ get $given $key | b64enc | default (get $live $key) | default (randAlphaNum 32 | b64enc) | quote }}
  {{- end }}
{{- end -}}
