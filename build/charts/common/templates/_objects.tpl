{{/*
Whole objects. Each takes the root, or a dict of the root and what it needs.
*/}}

{{- define "common.serviceAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "common.fullname" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "common.labels" (dict "root" . "component" "server") | nindent 4 }}
automountServiceAccountToken: false
{{- end -}}

{{/*
A Service. Arguments: dict "root" $ "component" "server" "name" (default the release's) "headless" false.
The port is called after `service.portName`, so that policies, probes and ingresses name it instead of counting.
*/}}
{{- define "common.serviceObject" -}}
{{- $values := .root.Values.service -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ .name | default (include "common.fullname" .root) }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "common.labels" . | nindent 4 }}
  {{- with $values.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- if .headless }}
  type: ClusterIP
  clusterIP: None
  {{- else }}
  type: {{ .type | default $values.type }}
  {{- end }}
  selector:
    {{- include "common.selectorLabels" . | nindent 4 }}
  ports:
    - name: {{ .portName }}
      port: {{ $values.port }}
      targetPort: {{ .portName }}
      protocol: TCP
{{- end -}}

{{- define "common.ingress" -}}
{{- $values := .root.Values.ingress -}}
{{- if $values.enabled -}}
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {{ include "common.fullname" .root }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "common.labels" . | nindent 4 }}
  {{- with $values.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- with $values.className }}
  ingressClassName: {{ . }}
  {{- end }}
  rules:
    - host: {{ required "ingress.host: a host name is needed when ingress.enabled is true" $values.host | quote }}
      http:
        paths:
          - path: {{ $values.path }}
            pathType: Prefix
            backend:
              service:
                name: {{ include "common.fullname" .root }}
                port:
                  name: {{ .portName }}
  {{- with $values.tlsSecret }}
  tls:
    - hosts:
        - {{ $values.host | quote }}
      secretName: {{ . }}
  {{- end }}
{{- end -}}
{{- end -}}

{{/*
The claim for a service's data: an object of its own rather than a StatefulSet's template, because a template can't be
changed afterwards, not even to make the volume larger. Nothing when an existing claim is used.
Arguments: dict "root" $ "component" "server" "labels" (further labels, optional)
*/}}
{{- define "common.persistentVolumeClaim" -}}
{{- $values := .root.Values.persistence -}}
{{- if and $values.enabled (not $values.existingClaim) -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ include "common.fullname" .root }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "common.labels" . | nindent 4 }}
    {{- with .labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- if $values.keep }}
  annotations:
    helm.sh/resource-policy: keep
  {{- end }}
spec:
  accessModes:
    - {{ $values.accessMode }}
  {{- with $values.storageClass }}
  storageClassName: {{ . }}
  {{- end }}
  resources:
    requests:
      storage: {{ $values.size }}
{{- end -}}
{{- end -}}

{{/*
Not for a single replica: its budget could only say 0, and every drain of its node would wait for ever.
Arguments: dict "root" $ "component" "server" "replicas" 2
*/}}
{{- define "common.podDisruptionBudget" -}}
{{- if gt (int .replicas) 1 -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "common.fullname" .root }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "common.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      {{- include "common.selectorLabels" . | nindent 6 }}
{{- end -}}
{{- end -}}
