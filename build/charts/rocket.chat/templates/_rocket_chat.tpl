{{/*
What MongoDB's objects are called: `mongodb`, as the deployment guide has it, in a release of the service's own name; in any other with
the release's name before it.
*/}}
{{- define "rocket-chat.mongodb" -}}
{{- $name := include "common.fullname" . -}}
{{- eq $name (include "common.service" .) | ternary "mongodb" (printf "%s-mongodb" $name | trunc 52 | trimSuffix "-") -}}
{{- end -}}

{{/* MongoDB as a component, with a name and label `app` of its own; as JSON. Add "root" and the rest. */}}
{{- define "rocket-chat.mongodbComponent" -}}
{{- dict "component" "mongodb" "name" (include "rocket-chat.mongodb" .) "app" "mongodb" | toJson -}}
{{- end -}}

{{/* The Secret with MongoDB's passwords. */}}
{{- define "rocket-chat.mongodbSecret" -}}
{{- .Values.mongodb.auth.existingSecret | default (include "rocket-chat.mongodb" .) -}}
{{- end -}}

{{/* Where people reach it. */}}
{{- define "rocket-chat.rootUrl" -}}
{{- if .Values.chat.rootUrl -}}
{{- .Values.chat.rootUrl -}}
{{- else if .Values.ingress.enabled -}}
{{- printf "http%s://%s%s" (empty .Values.ingress.tlsSecret | ternary "" "s") .Values.ingress.host (trimSuffix "/" .Values.ingress.path) -}}
{{- else -}}
{{- printf "http://%s:%v" (include "common.fullname" .) .Values.service.port -}}
{{- end -}}
{{- end -}}

{{/* MongoDB's address for its own clients; $(MONGO_PASSWORD) is filled in by Kubernetes. */}}
{{- define "rocket-chat.mongoUrl" -}}
{{- $auth := .Values.mongodb.auth -}}
{{- $host := printf "%s:%v" (include "rocket-chat.mongodb" .) .Values.mongodb.service.port -}}
{{- printf "mongodb://%s:$(MONGO_PASSWORD)@%s/%s?replicaSet=rs0&authSource=%s" (first $auth.usernames) $host (first $auth.databases) (first $auth.databases) -}}
{{- end -}}
