{{- define "influxdb.secret" -}}
{{- include "common.secretName" (dict "root" . "existing" .Values.auth.existingSecret) -}}
{{- end -}}

{{- define "influxdb.files" -}}
# `influx` as the administrator, whose token it takes from its file: neither arguments nor the pod's environment show it.
influx.sh: |
  INFLUX_TOKEN=$(cat /run/secrets/influxdb/admin-token) exec influx "$@"
# A backup is a folder; it becomes a stream by tar.
backup.sh: |
  set -eu
  folder=$(mktemp -d /var/lib/influxdb2/backup.XXXXXX)
  trap 'rm -rf "$folder"' EXIT
  sh /config/influx.sh backup "$folder" >&2
  tar -c -C "$folder" .
# Replaces everything, users and tokens too.
restore.sh: |
  set -eu
  folder=$(mktemp -d /var/lib/influxdb2/restore.XXXXXX)
  trap 'rm -rf "$folder"' EXIT
  tar -x -C "$folder"
  sh /config/influx.sh restore --full "$folder" >&2
{{- end -}}
