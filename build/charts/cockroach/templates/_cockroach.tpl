{{- define "cockroach.secret" -}}
{{- include "common.secretName" (dict "root" . "existing" .Values.tls.existingSecret) -}}
{{- end -}}

{{/* The files that the server and its commands need, as JSON; a Secret of the chart's has ca.key too, to sign further clients. */}}
{{- define "cockroach.files" -}}
{{- list "ca.crt" "node.crt" "node.key" "client.root.crt" "client.root.key" | toJson -}}
{{- end -}}

{{- define "cockroach.certificatesVolume" -}}
- name: certificates
  secret:
    secretName: {{ include "cockroach.secret" . | toYaml }}
    defaultMode: 288 # 0440
    items:
      {{- range include "cockroach.files" . | fromJsonArray }}
      - {key: {{ . }}, path: {{ . }}}
      {{- end }}
{{- end -}}

{{/*
Copies the certificates to /certificates: CockroachDB takes only keys that nobody else may read, which a Secret's file can't be for a
user that is not root.
*/}}
{{- define "cockroach.copyCertificates" -}}
umask 077 && cp -f /run/secrets/cockroach/* /certificates/
{{- end -}}

{{/* The names under which clients reach the server, as JSON. */}}
{{- define "cockroach.hosts" -}}
{{- $name := include "common.fullname" . -}}
{{- $hosts := list "localhost" -}}
{{- range list $name (printf "%s-headless" $name) (printf "%s-service" $name) (printf "%s-0.%s-headless" $name $name) -}}
{{- $hosts = concat $hosts (list . (printf "%s.%s" . $.Release.Namespace) (printf "%s.%s.svc" . $.Release.Namespace) (printf "%s.%s.svc.cluster.local" . $.Release.Namespace)) -}}
{{- end -}}
{{- concat $hosts .Values.tls.hosts | uniq | toJson -}}
{{- end -}}

{{/*
Certificates that nobody gave: made once, then read back on every later rendering, as common.generatedSecret does with passwords. The
server's certificate has to be named `node`, that of the administrator `root`:
https://www.cockroachlabs.com/docs/stable/authentication#client-authentication
*/}}
{{- define "cockroach.generatedCertificates" -}}
{{- $live := (lookup "v1" "Secret" .Release.Namespace (include "common.fullname" .)).data | default dict -}}
{{- $data := dict -}}
{{- range append (include "cockroach.files" . | fromJsonArray) "ca.key" -}}
{{- if get $live . -}}{{- $_ := set $data . (get $live .) -}}{{- end -}}
{{- end -}}
{{- if lt (len $data) 6 -}}
{{- $days := int .Values.tls.days -}}
{{- $addresses := list "127.0.0.1" -}}
{{- $names := list -}}
{{- range include "cockroach.hosts" . | fromJsonArray -}}
{{- if regexMatch "^((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(\\.|$)){4}$|:" . -}}{{- $addresses = append $addresses . -}}{{- else -}}{{- $names = append $names . -}}{{- end -}}
{{- end -}}
{{- $ca := genCAWithKey "Cockroach CA" $days (genPrivateKey "ecdsa") -}}
{{- $node := genSignedCertWithKey "node" $addresses $names $days $ca (genPrivateKey "ecdsa") -}}
{{- $root := genSignedCertWithKey "root" list list $days $ca (genPrivateKey "ecdsa") -}}
{{- $data = dict "ca.crt" (b64enc $ca.Cert) "ca.key" (b64enc $ca.Key) "node.crt" (b64enc $node.Cert) "node.key" (b64enc $node.Key) -}}
{{- $data = merge $data (dict "client.root.crt" (b64enc $root.Cert) "client.root.key" (b64enc $root.Key)) -}}
{{- end -}}
apiVersion: v1
kind: Secret
{{ include "common.metadata" (dict "root" .) }}
  annotations:
    helm.sh/resource-policy: keep
type: Opaque
data:
  {{- toYaml $data | nindent 2 }}
{{- end -}}

{{- define "cockroach.scripts" -}}
start.sh: |
  set -eu
  {{ include "cockroach.copyCertificates" . }}
  exec /cockroach/cockroach start-single-node "$@"
# A backup is a folder of the store; it becomes a stream by tar.
backup.sh: |
  set -eu
  folder=/cockroach/cockroach-data/extern/backup
  trap 'rm -rf "$folder"' EXIT
  rm -rf "$folder"
  /cockroach/cockroach sql --execute "BACKUP INTO 'nodelocal://1/backup'" >&2
  tar -c -C "$folder" .
# Into a new server only: CockroachDB restores a whole cluster where there are no databases of users yet.
restore.sh: |
  set -eu
  folder=/cockroach/cockroach-data/extern/restore
  trap 'rm -rf "$folder"' EXIT
  rm -rf "$folder" && mkdir -p "$folder"
  tar -x -C "$folder"
  /cockroach/cockroach sql --execute "RESTORE FROM LATEST IN 'nodelocal://1/restore'" >&2
{{- end -}}
