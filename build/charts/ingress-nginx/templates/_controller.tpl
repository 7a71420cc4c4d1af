{{/* Whether a port can be passed on: the controller holds some itself. Argument: the root. */}}
{{- define "ingress-nginx.check" -}}
{{- range $port, $_ := .Values.tcp -}}
{{- if has $port (list "80" "443" "8181" "8442" "8443" "10245" "10246" "10247" "10254") -}}
{{- fail (printf "tcp: port %s is the controller's own" $port) -}}
{{- end -}}
{{- if has $port (list (toString $.Values.service.port) (toString $.Values.service.httpsPort)) -}}
{{- fail (printf "tcp: port %s is service.port or service.httpsPort" $port) -}}
{{- end -}}
{{- end -}}
{{- $class := .Values.ingressClass -}}
{{- $live := lookup "networking.k8s.io/v1" "IngressClass" "" $class.name -}}
{{- if and $live (ne $live.spec.controller $class.controller) -}}
{{- fail (printf "ingressClass.name: class `%s` exists and is that of the controller `%s`, not of `%s`: take another name, or give ingressClass.controller" $class.name $live.spec.controller $class.controller) -}}
{{- end -}}
{{- end -}}

{{/* "true" if the class is there and somebody else's. Argument: the root. */}}
{{- define "ingress-nginx.classIsForeign" -}}
{{- include "common.foreign" (dict "root" . "api" "networking.k8s.io/v1" "kind" "IngressClass" "name" .Values.ingressClass.name) -}}
{{- end -}}

{{/* "true" if another class is the default: two defaults, and no Ingress without a class could be stored. Argument: the root. */}}
{{- define "ingress-nginx.otherDefault" -}}
{{- $found := list -}}
{{- range (lookup "networking.k8s.io/v1" "IngressClass" "" "").items -}}
{{- $default := eq (get (.metadata.annotations | default dict) "ingressclass.kubernetes.io/is-default-class") "true" -}}
{{- if and $default (ne .metadata.name $.Values.ingressClass.name) -}}{{- $found = append $found .metadata.name -}}{{- end -}}
{{- end -}}
{{- if $found -}}true{{- end -}}
{{- end -}}

{{/* The ports of the Service, as a YAML list. Argument: the root. */}}
{{- define "ingress-nginx.ports" -}}
- {name: http, port: {{ .Values.service.port }}, appProtocol: http}
- {name: https, port: {{ .Values.service.httpsPort }}, appProtocol: https}
{{- range $port, $_ := .Values.tcp }}
- {name: tcp-{{ $port }}, port: {{ $port }}}
{{- end }}
{{- end -}}
