{{- define "mosquitto.secret" -}}
{{- include "common.secretName" (dict "root" . "existing" .Values.auth.existingSecret) -}}
{{- end -}}

{{/* The ports that clients reach, as JSON. */}}
{{- define "mosquitto.ports" -}}
{{- $ports := list -}}
{{- if .Values.plain -}}{{- $ports = append $ports (dict "name" "mqtt" "port" .Values.service.port) -}}{{- end -}}
{{- if .Values.tls.enabled -}}{{- $ports = append $ports (dict "name" "mqtts" "port" 8883) -}}{{- end -}}
{{- if .Values.websockets -}}{{- $ports = append $ports (dict "name" "websockets" "port" 9001) -}}{{- end -}}
{{- if not $ports -}}
{{- fail "plain: it is off, and so are tls.enabled and websockets: nobody could connect" -}}
{{- end -}}
{{- toJson $ports -}}
{{- end -}}

{{/* The administrator's password as the file `password`. */}}
{{- define "mosquitto.passwordVolume" -}}
- name: password
  secret:
    secretName: {{ include "mosquitto.secret" . | toYaml }}
    defaultMode: 288 # 0440
    items:
      - key: {{ .Values.auth.existingSecretKey | toYaml }}
        path: password
{{- end -}}

{{- define "mosquitto.files" -}}
mosquitto.conf: |
  allow_anonymous false
  plugin /usr/lib/mosquitto_dynamic_security.so
  plugin_opt_config_file /mosquitto/data/dynamic-security.json
  persistence true
  persistence_location /mosquitto/data/
  log_dest stdout
  log_timestamp_format %Y-%m-%dT%H:%M:%S
  {{- range $name, $value := .Values.settings }}
  {{ $name }} {{ include "common.text" $value }}
  {{- end }}
  listener 1883{{ if not .Values.plain }} 127.0.0.1{{ end }}
  {{- if .Values.tls.enabled }}
  listener 8883
  certfile /run/secrets/tls/tls.crt
  keyfile /run/secrets/tls/tls.key
  {{- if .Values.tls.clientCertificates }}
  cafile /run/secrets/tls/ca.crt
  require_certificate true
  {{- end }}
  {{- end }}
  {{- if .Values.websockets }}
  listener 9001
  protocol websockets
  {{- end }}
# mosquitto_ctrl and its like read user and password from a file in XDG_CONFIG_HOME, so that they stand in no argument. Without a store
# of users there is one made, with the administrator, who may manage it and read all messages.
start.sh: |
  set -eu
  umask 077
  password=$(cat /run/secrets/mosquitto/password)
  case "$password" in
    '' | *[[:space:]]*) echo 'the password is empty or has spaces, which mosquitto_ctrl does not take' >&2; exit 1 ;;
  esac
  for tool in mosquitto_ctrl mosquitto_pub mosquitto_sub mosquitto_rr; do
    printf -- '-u %s\n-P %s\n' "$MOSQUITTO_ADMIN" "$password" >"$XDG_CONFIG_HOME/$tool"
  done
  store=/mosquitto/data/dynamic-security.json
  if [ ! -s "$store" ]; then
    rm -f "$store.new"
    printf '%s\n%s\n' "$password" "$password" | mosquitto_ctrl dynsec init "$store.new" "$MOSQUITTO_ADMIN" >/dev/null
    mv "$store.new" "$store"
  fi
  unset password
  exec mosquitto -c /config/mosquitto.conf
# Standard input becomes the store of users; the broker starts anew to read it.
restore.sh: |
  set -eu
  umask 077
  store=/mosquitto/data/dynamic-security.json
  cat >"$store.restored"
  grep -q '"clients"' "$store.restored" || { echo 'this is no store of users' >&2; rm "$store.restored"; exit 1; }
  cp "$store" "$store.before"
  mv "$store.restored" "$store"
  echo 'restored; the broker starts anew' >&2
  (sleep 1; kill 1) >/dev/null 2>&1 &
{{- end -}}
