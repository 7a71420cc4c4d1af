{{/* Where it runs: as the values say, else with the API's address where the API is. Argument: the root. */}}
{{- define "kube-vip.affinity" -}}
{{- if .Values.affinity -}}
{{ toYaml .Values.affinity }}
{{- else if .Values.controlPlane.enabled -}}
nodeAffinity:
  requiredDuringSchedulingIgnoredDuringExecution:
    nodeSelectorTerms:
      - matchExpressions:
          - {key: node-role.kubernetes.io/control-plane, operator: Exists}
{{- end -}}
{{- end -}}

{{/* Argument: the root. */}}
{{- define "kube-vip.check" -}}
{{- if not (or .Values.controlPlane.enabled .Values.services.enabled) -}}
{{- fail "services.enabled: it has nothing to do with controlPlane.enabled false as well" -}}
{{- end -}}
{{- end -}}
