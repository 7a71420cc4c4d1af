{{/* The files that Homepage reads: https://gethomepage.dev/configs */}}
{{- define "home.files" -}}
settings.yaml: |
  {{- mergeOverwrite (include "home.settings" . | fromYaml) .Values.home.settings | toYaml | nindent 2 }}
services.yaml: |
  {{- concat (include "home.groups" . | fromJsonArray) .Values.home.services | default list | toYaml | nindent 2 }}
widgets.yaml: |
  {{- concat (include "home.clusterWidget" . | fromYamlArray) .Values.home.widgets | default list | toYaml | nindent 2 }}
bookmarks.yaml: |
  {{- toYaml .Values.home.bookmarks | nindent 2 }}
kubernetes.yaml: |
  mode: {{ .Values.kubernetes.enabled | ternary "cluster" "disabled" }}
docker.yaml: |
  {}
proxmox.yaml: |
  {}
custom.css: {{ .Values.home.css | quote }}
custom.js: ""
{{- end -}}

{{/* No look for a newer version: the image's is set here. */}}
{{- define "home.settings" -}}
title: {{ .Values.home.title | quote }}
hideVersion: true
disableUpdateCheck: true
target: _self
{{- end -}}

{{- define "home.clusterWidget" -}}
{{- if .Values.kubernetes.enabled -}}
- kubernetes:
    cluster: {show: true, cpu: true, memory: true, showLabel: true, label: {{ .Values.home.title | quote }}}
    nodes: {show: true, cpu: true, memory: true, showLabel: true}
{{- else -}}
[]
{{- end -}}
{{- end -}}

{{/* The catalogue as groups of services, one for each category, both in alphabetical order; as JSON. */}}
{{- define "home.groups" -}}
{{- $root := . -}}
{{- $categories := dict -}}
{{- range .Values.catalogue -}}
{{- if or .host $root.Values.home.showAll -}}
{{- $entries := get $categories .category | default dict -}}
{{- $_ := set $entries .name (include "home.entry" (dict "root" $root "service" .) | fromYaml) -}}
{{- $_ := set $categories .category $entries -}}
{{- end -}}
{{- end -}}
{{- $groups := list -}}
{{- range $category, $entries := $categories -}}
{{- $services := list -}}
{{- range $name, $entry := $entries -}}
{{- $services = append $services (dict $name $entry) -}}
{{- end -}}
{{- $groups = append $groups (dict (title $category) $services) -}}
{{- end -}}
{{- toJson $groups -}}
{{- end -}}

{{/* One of them. Arguments: dict "root" $ "service" (an entry of the catalogue) */}}
{{- define "home.entry" -}}
{{- with .service -}}
description: {{ .summary | quote }}
{{- if .host }}
href: {{ printf "http%s://%s%s" (.tls | default false | ternary "s" "") .host (.path | default "/") | quote }}
{{- end }}
{{- if and .icon $.root.Values.home.icons }}
icon: {{ .icon | quote }}
{{- end }}
{{- if and $.root.Values.kubernetes.enabled .app }}
namespace: {{ .namespace | default "default" | quote }}
app: {{ .app | quote }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* Names that Homepage answers to, with a comma between. `localhost` is for `kubectl port-forward` and for checks from outside. */}}
{{- define "home.allowedHosts" -}}
{{- $port := int .Values.service.port -}}
{{- $hosts := list "$(POD_IP):3000" "localhost" (printf "localhost:%d" $port) -}}
{{- range $name := list (include "common.fullname" .) (printf "%s.%s" (include "common.fullname" .) .Release.Namespace) -}}
{{- $hosts = append $hosts (eq $port 80 | ternary $name (printf "%s:%d" $name $port)) -}}
{{- end -}}
{{- if .Values.ingress.enabled -}}{{- $hosts = append $hosts .Values.ingress.host -}}{{- end -}}
{{- /* A single star lets everybody in, but only when it stands alone. */ -}}
{{- has "*" .Values.allowedHosts | ternary "*" (concat $hosts .Values.allowedHosts | uniq | join ",") -}}
{{- end -}}
