{{/*
One policy per release, for all its pods: in from the declared clients (`networkPolicy.from`), out to DNS, to the release itself and to
what the chart ("egress") and the values (`networkPolicy.egress`) declare. With `ingress.enabled` the ingress controllers' namespaces
are clients too, with `metrics.enabled` those of `metrics.namespaces`, for that port.
Arguments: a component, "portName" (default `http`), or "ports" as for common.serviceObject, or "portNames" (a list);
"egress" (a list of rules; common.egressPublic and common.egressService give some); "whole" true for a release whose components have
different labels `app`; "alone" true for a policy of this component's pods only.
*/}}
{{- define "common.networkPolicy" -}}
{{- include "common.component" . -}}
{{- $values := .values.networkPolicy -}}
{{- $release := dict "app" .app "app.kubernetes.io/instance" .root.Release.Name -}}
{{- if or .whole .alone -}}
{{- $release = dict "app.kubernetes.io/name" (include "common.service" .root) "app.kubernetes.io/instance" .root.Release.Name -}}
{{- end -}}
{{- $labels := .alone | default false | ternary (include "common.selectorLabels" . | fromYaml) $release -}}
{{- $names := .portNames -}}
{{- if and (not $names) .ports -}}
{{- $names = list -}}
{{- range .ports -}}{{- $names = append $names (.targetPort | default .name) -}}{{- end -}}
{{- end -}}
{{- $metrics := .values.metrics | default dict -}}
{{- $ingress := .values.ingress | default dict -}}
{{- if $values.enabled -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
{{ include "common.metadata" . }}
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
              {{- toYaml $release | nindent 14 }}
        {{- with $values.from }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
        {{- if $ingress.enabled }}
        {{- range $ingress.controllerNamespaces }}
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: {{ . | toYaml }}
        {{- end }}
        {{- end }}
      ports:
        {{- range $names | default (list (.portName | default "http")) }}
        - port: {{ . }}
          protocol: TCP
        {{- end }}
    {{- if and $metrics.enabled $metrics.namespaces }}
    - from:
        {{- range $metrics.namespaces }}
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: {{ . | toYaml }}
        {{- end }}
      ports:
        - port: {{ $metrics.port }}
          protocol: TCP
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
    {{- with .egress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- with $values.egress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}
{{- end -}}

{{/* A list of one rule, as YAML: out to the Internet on these TCP ports, private networks stay closed. Argument: a list of ports. */}}
{{- define "common.egressPublic" -}}
- to:
    - ipBlock:
        cidr: 0.0.0.0/0
        except:
          - 10.0.0.0/8
          - 100.64.0.0/10
          - 169.254.0.0/16
          - 172.16.0.0/12
          - 192.168.0.0/16
    - ipBlock:
        cidr: ::/0
        except:
          - fc00::/7
          - fe80::/10
  ports:
    {{- range . }}
    - port: {{ . }}
      protocol: TCP
    {{- end }}
{{- end -}}

{{/* A list of one rule, as YAML: out to the pods of another service of this cluster. Argument: dict "app" "rabbitmq" "ports" (list 5672) */}}
{{- define "common.egressService" -}}
- to:
    - namespaceSelector: {}
      podSelector:
        matchLabels:
          app: {{ .app | toYaml }}
  ports:
    {{- range .ports }}
    - port: {{ . }}
      protocol: TCP
    {{- end }}
{{- end -}}

{{/*
A list of one rule, as YAML: out to the Kubernetes API. Policies see the API server's own address, which a chart can't know, so the rule
names its ports: 6443 of K3s, 443 of the Service `kubernetes`.
*/}}
{{- define "common.egressApi" -}}
- ports:
    - port: 443
      protocol: TCP
    - port: 6443
      protocol: TCP
{{- end -}}
