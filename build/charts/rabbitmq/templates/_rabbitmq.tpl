{{- define "rabbitmq.secret" -}}
{{- include "common.secretName" (dict "root" . "existing" .Values.auth.existingSecret) -}}
{{- end -}}

{{/*
Mounted over /etc/rabbitmq/conf.d, where the image has only defaults for trying it out, such as `guest` from anywhere.
RabbitMQ reads what ends in .conf there: https://www.rabbitmq.com/docs/configure#config-confd-directory
*/}}
{{- define "rabbitmq.files" -}}
rabbitmq.conf: |
  listeners.tcp.default = 5672
  management.tcp.port = 15672
  prometheus.tcp.port = {{ .Values.metrics.port }}
  prometheus.path = {{ .Values.metrics.path }}
  log.console = true
  {{- range $name, $value := .Values.settings }}
  {{ $name }} = {{ include "common.text" $value }}
  {{- end }}
enabled_plugins: |
  [{{ concat (list "rabbitmq_management" "rabbitmq_prometheus") .Values.plugins | uniq | join "," }}].
# Erlang takes its cookie only from a file that nobody else may read, which a Secret's file can't be for a user that is not root.
start.sh: |
  set -eu
  umask 077
  rm -f "$HOME/.erlang.cookie"
  tr -d '\n' </run/secrets/rabbitmq/erlang-cookie >"$HOME/.erlang.cookie"
  chmod 400 "$HOME/.erlang.cookie"
  RABBITMQ_DEFAULT_PASS=$(cat /run/secrets/rabbitmq/password)
  : "${RABBITMQ_DEFAULT_PASS:?is empty}"
  export RABBITMQ_DEFAULT_PASS
  umask 022
  exec rabbitmq-server
{{- end -}}
