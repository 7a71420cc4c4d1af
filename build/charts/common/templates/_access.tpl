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
{{- $templates := .account | default false | ternary (list "common.serviceAccount") list -}}
{{- if .rules -}}{{- $templates = concat $templates (list "common.role" "common.roleBinding") -}}{{- end -}}
{{- if .clusterRules -}}{{- $templates = concat $templates (list "common.clusterRole" "common.clusterRoleBinding") -}}{{- end -}}
{{- include "common.documents" (dict "templates" $templates "context" .) -}}
{{- end -}}

{{- define "common.role" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
{{ include "common.metadata" . }}
rules:
  {{- toYaml .rules | nindent 2 }}
{{- end -}}

{{- define "common.roleBinding" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
{{ include "common.metadata" . }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ .name | toYaml }}
{{ include "common.accessSubjects" . }}
{{- end -}}

{{- define "common.clusterRole" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
{{ include "common.clusterMetadata" . }}
rules:
  {{- toYaml .clusterRules | nindent 2 }}
{{- end -}}

{{- define "common.clusterRoleBinding" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
{{ include "common.clusterMetadata" . }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {{ include "common.clusterName" . | toYaml }}
{{ include "common.accessSubjects" . }}
{{- end -}}

{{- define "common.accessSubjects" -}}
subjects:
  - kind: ServiceAccount
    name: {{ .account | default false | ternary .name (include "common.fullname" .root) | toYaml }}
    namespace: {{ .root.Release.Namespace | toYaml }}
{{- end -}}

{{/* The name of a component's object that belongs to no namespace: releases of two namespaces share none. */}}
{{- define "common.clusterName" -}}
{{- printf "%s:%s" .root.Release.Namespace .name -}}
{{- end -}}

{{/* `metadata` of such an object. */}}
{{- define "common.clusterMetadata" -}}
{{- include "common.component" . -}}
metadata:
  name: {{ include "common.clusterName" . | toYaml }}
  labels:
    {{- include "common.labels" . | nindent 4 }}
{{- end -}}
