{{- define "redis.secret" -}}
{{- include "common.secretName" (dict "root" . "existing" .Values.auth.existingSecret) -}}
{{- end -}}

{{/* The password as the file `password`. */}}
{{- define "redis.passwordVolume" -}}
- name: password
  secret:
    secretName: {{ include "redis.secret" . | toYaml }}
    defaultMode: 288 # 0440
    items:
      - key: {{ .Values.auth.existingSecretKey | toYaml }}
        path: password
{{- end -}}

{{/* A value as redis.conf has it: https://redis.io/docs/latest/operate/oss_and_stack/management/config/ */}}
{{- define "redis.setting" -}}
{{- if kindIs "bool" . -}}
{{- ternary "yes" "no" . -}}
{{- else -}}
{{- include "common.text" . | default "\"\"" -}}
{{- end -}}
{{- end -}}

{{- define "redis.files" -}}
redis.conf: |
  dir /data
  {{- /* Every pod needs the password; the protected mode would keep other pods out altogether. */}}
  protected-mode no
  {{- range $name, $value := .Values.settings }}
  {{ $name }} {{ include "redis.setting" $value }}
  {{- end }}
# The password reaches the server on standard input: neither arguments nor environment show it.
start.sh: |
  set -eu
  password=$(sed 's/[\\"]/\\&/g' /run/secrets/redis/password)
  : "${password:?is empty}"
  exec redis-server /config/redis.conf - <<END
  requirepass "$password"
  END
# redis-cli with the password.
ask.sh: |
  REDISCLI_AUTH=$(cat /run/secrets/redis/password) exec redis-cli "$@"
ping.sh: |
  sh /config/ask.sh ping | grep -qx PONG
# Standard input, a snapshot as `ask.sh --rdb -` writes it, replaces all data: a second server loads it, and the first one copies that.
restore.sh: |
  set -eu
  folder=/data/restore
  rm -rf "$folder" && mkdir "$folder"
  cat >"$folder/dump.rdb"
  redis-check-rdb "$folder/dump.rdb" >&2
  redis-server --port 6380 --bind 127.0.0.1 --dir "$folder" --save '' --appendonly no >&2 &
  second=$!
  trap 'sh /config/ask.sh replicaof no one >&2; kill "$second" 2>/dev/null; rm -rf "$folder"' EXIT
  until redis-cli -p 6380 ping 2>/dev/null | grep -qx PONG; do kill -0 "$second"; sleep 1; done
  sh /config/ask.sh replicaof 127.0.0.1 6380 >&2
  until sh /config/ask.sh info replication | grep -q '^master_link_status:up'; do kill -0 "$second"; sleep 1; done
  # On the disk too, when there is a log.
  until sh /config/ask.sh info persistence | tr -d '\r' | grep -Ec '^aof_rewrite_(in_progress|scheduled):0$' | grep -qx 2; do sleep 1; done
  sh /config/ask.sh info keyspace >&2
{{- end -}}
