{{/* What holds in a namespace, as JSON. Arguments: dict "root" $ "namespace" "name" */}}
{{- define "network-policies.rules" -}}
{{- $rules := deepCopy .root.Values.defaults -}}
{{- range $key, $value := get .root.Values.namespaces .namespace -}}{{- $_ := set $rules $key $value -}}{{- end -}}
{{- toJson $rules -}}
{{- end -}}

{{/* NetworkPolicy peers: all pods of these namespaces. Argument: a list of names. */}}
{{- define "network-policies.peers" -}}
{{- $peers := list -}}
{{- range . -}}
{{- $peers = append $peers (dict "namespaceSelector" (dict "matchLabels" (dict "kubernetes.io/metadata.name" .))) -}}
{{- end -}}
{{- toYaml $peers -}}
{{- end -}}

{{/* Rules for what comes in, as a YAML list. Arguments: dict "root" $ "rules" (a map) */}}
{{- define "network-policies.ingress" -}}
{{- $values := .root.Values }}
{{- if .rules.sameNamespace }}
- from:
    - podSelector: {}
{{- end }}
{{- if and .rules.ingressControllers $values.ingressNamespaces }}
- from:
    {{- include "network-policies.peers" $values.ingressNamespaces | nindent 4 }}
{{- end }}
{{- if and .rules.monitoring $values.monitoringNamespaces }}
- from:
    {{- include "network-policies.peers" $values.monitoringNamespaces | nindent 4 }}
{{- end }}
{{- with $values.extraIngress }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Rules for what goes out, as a YAML list. Arguments: dict "root" $ "rules" (a map) */}}
{{- define "network-policies.egress" -}}
{{- $values := .root.Values }}
{{- if and .rules.dns $values.dnsNamespaces }}
- to:
    {{- include "network-policies.peers" $values.dnsNamespaces | nindent 4 }}
  ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
{{- end }}
{{- if .rules.sameNamespace }}
- to:
    - podSelector: {}
{{- end }}
{{- if .rules.internet }}
{{ omit (include "common.egressPublic" (list 443) | fromYamlArray | first) "ports" | list | toYaml }}
{{- end }}
{{- if .rules.kubernetesApi }}
{{ include "common.egressApi" .root }}
{{- end }}
{{- with $values.extraEgress }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The policy of one namespace, or nothing. Arguments: dict "root" $ "namespace" "name" */}}
{{- define "network-policies.policy" -}}
{{- $rules := include "network-policies.rules" . | fromJson -}}
{{- $context := dict "root" .root "rules" $rules -}}
{{- if or $rules.denyIngress $rules.denyEgress -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "common.fullname" .root | toYaml }}
  namespace: {{ .namespace | toYaml }}
  labels:
    {{- include "common.labels" (dict "root" .root) | nindent 4 }}
spec:
  podSelector: {}
  policyTypes:
    {{- if $rules.denyIngress }}
    - Ingress
    {{- end }}
    {{- if $rules.denyEgress }}
    - Egress
    {{- end }}
  {{- if $rules.denyIngress }}
  ingress:
    {{- include "network-policies.ingress" $context | trim | default "[]" | nindent 4 }}
  {{- end }}
  {{- if $rules.denyEgress }}
  egress:
    {{- include "network-policies.egress" $context | trim | default "[]" | nindent 4 }}
  {{- end }}
{{- end -}}
{{- end -}}

{{/* Refuses a namespace that is not there, where there is a cluster to ask. Argument: the root. */}}
{{- define "network-policies.check" -}}
{{- if lookup "v1" "Namespace" "" "default" -}}
{{- range $namespace, $_ := .Values.namespaces -}}
{{- if and (ne $namespace $.Release.Namespace) (not (lookup "v1" "Namespace" "" $namespace)) -}}
{{- fail (printf "namespaces.%s: there is no such namespace: deploy what lives in it first, or `kubectl create namespace %s`" $namespace $namespace) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
