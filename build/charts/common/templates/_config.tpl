{{/*
Configuration: files in a ConfigMap, and what must stay secret in the Secret `<release>-config`, which the playbook makes of the
encrypted cfg.enc. A pod starts anew when either changes.
*/}}

{{/*
The ConfigMap `<name>`, mounted as the volume `config`. "files" is the name of a template that yields a YAML map: file name: content.
The workload takes the same "files".
*/}}
{{- define "common.configMap" -}}
{{- include "common.component" . -}}
apiVersion: v1
kind: ConfigMap
{{ include "common.metadata" . }}
data:
  {{- include "common.own" (dict "root" .root "own" .files) | fromJson | toYaml | nindent 2 }}
{{- end -}}

{{/* The name of the config Secret: `existingSecret`, or `<release>-config`. Argument: the root. */}}
{{- define "common.configSecret" -}}
{{- .Values.existingSecret | default (printf "%s-config" .Release.Name) -}}
{{- end -}}

{{/* The keys of the config Secret that a pod takes, as JSON: key: whether it must be there. Arguments: dict "own" (a map). */}}
{{- define "common.configKeys" -}}
{{- $keys := dict -}}
{{- range concat (list .own) (.own.initContainers | default list) (.own.sidecars | default list) -}}
{{- range .secretEnv -}}
{{- $source := kindIs "map" . | ternary . (dict "key" .) -}}
{{- if not $source.secret -}}
{{- $_ := set $keys $source.key (or (get $keys $source.key) (not $source.optional)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range .own.secretKeys -}}{{- $_ := set $keys . true -}}{{- end -}}
{{- toJson $keys -}}
{{- end -}}

{{/*
Whether the playbook is about to make or change the config Secret but may not yet, in check mode: it then names it in
`global.pendingSecrets`. "true" or nothing. Argument: the root.
*/}}
{{- define "common.configPending" -}}
{{- if has (include "common.configSecret" .) ((.Values.global | default dict).pendingSecrets | default list) -}}true{{- end -}}
{{- end -}}

{{/*
Refuses a config Secret that is absent, lacks a key or holds a well-known password, where there is a cluster to ask.
Arguments: a workload.
*/}}
{{- define "common.checkConfig" -}}
{{- $secret := include "common.configSecret" .root -}}
{{- $keys := include "common.configKeys" . | fromJson -}}
{{- if and $keys (not (include "common.configPending" .root)) -}}
{{- range $key, $required := $keys -}}
{{- if $required -}}
{{- $remedy := printf "deploy with the playbook, which makes it of cfg.enc, or create it with the keys %s" (keys $keys | sortAlpha | join ", ") -}}
{{- include "common.checkSecret" (dict "root" $.root "existing" $secret "key" $key "field" "existingSecret" "remedy" $remedy) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
What changes whenever the config Secret does: its resourceVersion. Never a digest of it, by which short values could be guessed.
Nothing for a pod that takes none of its keys, or without a cluster. Arguments: a component, "own" (a map).
*/}}
{{- define "common.configVersion" -}}
{{- if include "common.configKeys" . | fromJson -}}
{{- if include "common.configPending" .root -}}
pending
{{- else -}}
{{- dig "metadata" "resourceVersion" "" (lookup "v1" "Secret" .root.Release.Namespace (include "common.configSecret" .root) | default dict) -}}
{{- end -}}
{{- end -}}
{{- end -}}
