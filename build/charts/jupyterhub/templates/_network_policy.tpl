{{/*
Labels of people's notebooks. Notebooks run what people write, so they stand under policies of their own: `app` is not hub's and proxy's, whose
ways in and out would otherwise be theirs too.
*/}}
{{- define "jupyterhub.notebookLabels" -}}
app: {{ include "common.service" . }}-notebook
app.kubernetes.io/name: {{ include "common.service" . | toYaml }}
app.kubernetes.io/instance: {{ .Release.Name | toYaml }}
{{- end -}}

{{/* Labels of hub and proxy. */}}
{{- define "jupyterhub.labels" -}}
app: {{ include "common.service" . | toYaml }}
app.kubernetes.io/instance: {{ .Release.Name | toYaml }}
{{- end -}}

{{/* Out to people's notebooks. */}}
{{- define "jupyterhub.egressNotebooks" -}}
- to:
    - podSelector:
        matchLabels:
          {{- include "jupyterhub.notebookLabels" . | nindent 10 }}
  ports:
    - {port: 8888, protocol: TCP}
{{- end -}}

{{/* What hub, proxy and notebooks have to say to each other; the ways of people stand in the policy of the release's name. */}}
{{- define "jupyterhub.internalPolicy" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
{{ include "common.metadata" (dict "root" . "component" "internal") }}
spec:
  podSelector:
    matchLabels:
      {{- include "jupyterhub.labels" . | nindent 6 }}
  policyTypes:
    - Ingress
    - Egress
  ingress:
    - from:
        - podSelector:
            matchLabels:
              {{- include "jupyterhub.labels" . | nindent 14 }}
      ports:
        - {port: api, protocol: TCP}
        - {port: hub, protocol: TCP}
    - from:
        - podSelector:
            matchLabels:
              {{- include "jupyterhub.notebookLabels" . | nindent 14 }}
      ports:
        - {port: hub, protocol: TCP}
  egress:
    {{- include "jupyterhub.egressNotebooks" . | nindent 4 }}
{{- end -}}

{{/* In from hub and proxy, out to the hub and the Internet: to no other pod, no other notebook, no private network. */}}
{{- define "jupyterhub.notebookPolicy" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
{{ include "common.metadata" (dict "root" . "component" "notebook") }}
spec:
  podSelector:
    matchLabels:
      {{- include "jupyterhub.notebookLabels" . | nindent 6 }}
  policyTypes:
    - Ingress
    - Egress
  ingress:
    - from:
        - podSelector:
            matchLabels:
              {{- include "jupyterhub.labels" . | nindent 14 }}
      ports:
        - {port: 8888, protocol: TCP}
  egress:
    - to:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: kube-system
      ports:
        - {port: 53, protocol: UDP}
        - {port: 53, protocol: TCP}
    - to:
        - podSelector:
            matchLabels:
              {{- include "jupyterhub.labels" . | nindent 14 }}
      ports:
        - {port: hub, protocol: TCP}
    {{- with .Values.notebook.internetPorts }}
    {{- include "common.egressPublic" . | nindent 4 }}
    {{- end }}
    {{- with .Values.notebook.egress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}
