{{/*
One policy per release, for all its pods: in from the declared clients, out to DNS, to the release itself and to what the
chart declares. With `ingress.enabled` the ingress controllers' namespaces are clients too.
Arguments: dict "root" $ "portName" "http" "egress" (list of rules, may be empty)
*/}}
{{- define "common.networkPolicy" -}}
{{- $values := .root.Values.networkPolicy -}}
{{- $labels := dict "app" (include "common.service" .root) "app.kubernetes.io/instance" .root.Release.Name -}}
{{- if $values.enabled -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "common.fullname" .root }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "common.labels" (dict "root" .root "component" "server") | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      {{- toYaml $labels | nindent 6 }}
  policyTypes:
    - Ingress
    - Egress
  ingress:
    - from:
        - podSelector:
            matchLabels:
              {{- toYaml $labels | nindent 14 }}
        {{- with $values.from }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
        {{- if (.root.Values.ingress | default dict).enabled }}
        {{- range .root.Values.ingress.controllerNamespaces }}
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: {{ . }}
        {{- end }}
        {{- end }}
      ports:
        - port: {{ .portName }}
          protocol: TCP
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
              {{- toYaml $labels | nindent 14 }}
    {{- with .egress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- with $values.egress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}
{{- end -}}
