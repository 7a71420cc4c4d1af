{{/*
The parts of a pod. Together they keep to the Pod Security Standard `restricted`:
https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
*/}}

{{/* repository:tag, and the digest when one is given: it wins over the tag, which then only tells people the version. */}}
{{- define "common.image" -}}
{{- $image := .Values.image -}}
{{- printf "%s:%s" $image.repository (toString $image.tag) -}}
{{- with $image.digest -}}@{{ . }}{{- end -}}
{{- end -}}

{{/* Security context of the pod. The user comes from the chart's values, since each image has its own. */}}
{{- define "common.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: {{ .Values.podSecurityContext.runAsUser }}
runAsGroup: {{ .Values.podSecurityContext.runAsGroup }}
fsGroup: {{ .Values.podSecurityContext.fsGroup }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* Security context of a container. */}}
{{- define "common.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop:
    - ALL
{{- end -}}

{{/* What a pod has besides containers and volumes. Argument: the root. */}}
{{- define "common.podSettings" -}}
serviceAccountName: {{ include "common.fullname" . }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- include "common.podSecurityContext" . | nindent 2 }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/*
The three probes of a container. They all ask the process itself: a liveness probe that asks another service would restart
this one for the other's fault.
Arguments: dict "root" $ "startup" (handler) "readiness" (handler) "liveness" (handler); timings come from `probes`.
*/}}
{{- define "common.probes" -}}
{{- $probes := .root.Values.probes -}}
{{- $handlers := . -}}
{{- range $name := list "startup" "readiness" "liveness" -}}
{{ $name }}Probe:
  {{- merge (dict) (get $handlers $name) (get $probes $name) | toYaml | nindent 2 }}
{{ end }}
{{- end -}}

{{/* The volume that holds a service's data. */}}
{{- define "common.dataVolume" -}}
name: data
{{- if .Values.persistence.enabled }}
persistentVolumeClaim:
  claimName: {{ .Values.persistence.existingClaim | default (include "common.fullname" .) }}
{{- else }}
emptyDir:
  sizeLimit: {{ .Values.persistence.size }}
{{- end }}
{{- end -}}
