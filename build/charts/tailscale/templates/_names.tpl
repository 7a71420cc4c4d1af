{{/* The Secret in which the machine keeps its key, so that it stays the same machine. Argument: the root. */}}
{{- define "tailscale.state" -}}
{{ include "common.fullname" . }}-state
{{- end -}}

{{/* Further arguments of `tailscale up`. Argument: the root. */}}
{{- define "tailscale.arguments" -}}
{{- $arguments := .Values.tailnet.extraArgs | default list -}}
{{- with .Values.tailnet.tags -}}{{- $arguments = prepend $arguments (printf "--advertise-tags=%s" (join "," .)) -}}{{- end -}}
{{- if .Values.tailnet.exitNode -}}{{- $arguments = prepend $arguments "--advertise-exit-node" -}}{{- end -}}
{{- join " " $arguments -}}
{{- end -}}
