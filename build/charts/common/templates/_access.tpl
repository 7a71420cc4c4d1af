{{/* Who the pods are for the Kubernetes API, and what they may ask it. */}}

{{/* The ServiceAccount of all pods of a release; no token is mounted. Argument: the root, or a component. */}}
{{- define "common.serviceAccount" -}}
{{- $component := hasKey . "root" | ternary . (dict "root" .) -}}
apiVersion: v1
kind: ServiceAccount
{{ include "common.metadata" $component }}
automountServiceAccountToken: false
{{- end -}}

{{/*
Rights for the ServiceAccount of a component: a Role for "rules" (a list) in the release's namespace, a ClusterRole for
"clusterRules". The account itself is the release's, unless "account" is true: then the component has one of its own, called as the
component (`serviceAccountName` of the pod has to say so). Pods get the token by `automountServiceAccountToken: true`.
*/}}
{{- define "common.access" -}}
{{- include "common.component" . -}}
{{- $account := .account | default false | ternary .name (include "common.fullname" .root) -}}
{{- $context := . -}}
{{- if .account }}
{{ include "common.serviceAccount" . }}
{{- end }}
{{- range $kind, $rules := dict "Role" .rules "ClusterRole" .clusterRules }}
{{- with $rules }}
{{- $own := omit $context "name" }}
{{- $_ := set $own "name" (eq $kind "Role" | ternary $context.name (printf "%s:%s" $context.root.Release.Namespace $context.name)) }}
{{- $metadata := include "common.metadata" $own | fromYaml }}
{{- if eq $kind "ClusterRole" }}{{- $_ := unset $metadata.metadata "namespace" }}{{- end }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}
{{ toYaml $metadata }}
rules:
  {{- toYaml . | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}Binding
{{ toYaml $metadata }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ $kind }}
  name: {{ $own.name }}
subjects:
  - kind: ServiceAccount
    name: {{ $account }}
    namespace: {{ $context.root.Release.Namespace }}
{{- end }}
{{- end }}
{{- end -}}
