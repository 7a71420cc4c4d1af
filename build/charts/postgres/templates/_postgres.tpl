{{/* PostgreSQL's major version, which the image's tag begins with. */}}
{{- define "postgres.major" -}}
{{- regexFind "^[0-9]+" .Values.image.tag -}}
{{- end -}}

{{/*
Where the volume is mounted and the data directory in it. The official image declares its volume at
/var/lib/postgresql/data up to 17 and at /var/lib/postgresql from 18 on, with the data under <major>/docker
(docker-library/postgres, pull request 1259); a mount at the other place would leave the data in a volume that dies with the pod.
Up to 17 the data is a folder inside the volume, since initdb refuses the `lost+found` of a fresh file system.
*/}}
{{- define "postgres.mountPath" -}}
{{- if ge (int (include "postgres.major" .)) 18 -}}/var/lib/postgresql{{- else -}}/var/lib/postgresql/data{{- end -}}
{{- end -}}

{{- define "postgres.dataPath" -}}
{{- if ge (int (include "postgres.major" .)) 18 -}}
{{- printf "/var/lib/postgresql/%s/docker" (include "postgres.major" .) -}}
{{- else -}}
/var/lib/postgresql/data/pgdata
{{- end -}}
{{- end -}}

{{/*
A server can't read the data of another major version, and from 17 to 18 the data directory moves, so that the new server would
start with an empty one. The claim remembers the version that made its data.
*/}}
{{- define "postgres.checkMajor" -}}
{{- if and .Values.persistence.enabled (not .Values.persistence.existingClaim) -}}
{{- $claim := lookup "v1" "PersistentVolumeClaim" .Release.Namespace (include "common.fullname" .) -}}
{{- $made := dig "metadata" "labels" "postgres-major" "" ($claim | default dict) -}}
{{- $wanted := include "postgres.major" . -}}
{{- if and $made (ne $made $wanted) -}}
{{- fail (printf "image.tag: the data on claim `%s` was made by PostgreSQL %s and can't be read by %s: dump it and restore it into a new claim (see the service's README, \"A new major version\")" (include "common.fullname" .) $made $wanted) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The superuser's password as the file `password`. */}}
{{- define "postgres.passwordVolume" -}}
- name: password
  secret:
    secretName: {{ include "common.secretName" (dict "root" . "existing" .Values.auth.existingSecret) | toYaml }}
    defaultMode: 288 # 0440
    items:
      - key: {{ .Values.auth.existingSecretKey | toYaml }}
        path: password
{{- end -}}
