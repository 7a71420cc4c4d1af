{{/* For charts that wire the chart of others (../README.md, "Charts of others"), whose pods have labels of their own. */}}

{{/* `metadata` of an object that belongs to no namespace, under a name that people write elsewhere. Arguments: dict "root" $ "name" */}}
{{- define "common.sharedMetadata" -}}
{{- include "common.component" . -}}
metadata:
  name: {{ .name | toYaml }}
  labels:
    {{- include "common.labels" . | nindent 4 }}
{{- end -}}

{{/*
One network policy for all pods of the release: in from the release itself and from `networkPolicy.from` on every port, from anywhere on
"ports" (webhooks: the API server calls from an address that a chart can't know), from `networkPolicy.metricsNamespaces`; out to DNS, the release, the
Kubernetes API, "egress" and `networkPolicy.egress`. Arguments: dict "root" $ "ports" (numbers) "egress" (rules)
*/}}
{{- define "common.upstreamNetworkPolicy" -}}
{{- include "common.component" . -}}
{{- $values := .values.networkPolicy -}}
{{- $release := dict "app.kubernetes.io/instance" .root.Release.Name -}}
{{- if $values.enabled -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
{{ include "common.metadata" . }}
spec:
  podSelector:
    matchLabels:
      {{- toYaml $release | nindent 6 }}
  policyTypes:
    - Ingress
    - Egress
  ingress:
    - from:
        - podSelector:
            matchLabels:
              {{- toYaml $release | nindent 14 }}
        {{- with $values.from }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
        {{- range $values.metricsNamespaces }}
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: {{ . | toYaml }}
        {{- end }}
    {{- with .ports }}
    - ports:
        {{- range . }}
        - port: {{ . }}
          protocol: TCP
        {{- end }}
    {{- end }}
  egress:
    - to:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: kube-system
      ports:
        - port: 53
          protocol: UDP
        - port: 53
          protocol: TCP
    - to:
        - podSelector:
            matchLabels:
              {{- toYaml $release | nindent 14 }}
    {{- include "common.egressApi" . | nindent 4 }}
    {{- with .egress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- with $values.egress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}
{{- end -}}
