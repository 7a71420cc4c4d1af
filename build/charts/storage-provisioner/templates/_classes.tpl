{{/* The classes that this release is to have, as JSON: those whose names nobody else has taken. Argument: the root. */}}
{{- define "storage-provisioner.classes" -}}
{{- $classes := list -}}
{{- range .Values.classes -}}
{{- if not (include "common.foreign" (dict "root" $ "api" "storage.k8s.io/v1" "kind" "StorageClass" "name" .name)) -}}
{{- $classes = append $classes . -}}
{{- end -}}
{{- end -}}
{{- toJson $classes -}}
{{- end -}}

{{/* The names of the classes that are left alone, as JSON. Argument: the root. */}}
{{- define "storage-provisioner.adopted" -}}
{{- $own := list -}}
{{- range include "storage-provisioner.classes" . | fromJsonArray -}}{{- $own = append $own .name -}}{{- end -}}
{{- $adopted := list -}}
{{- range .Values.classes -}}
{{- if not (has .name $own) -}}{{- $adopted = append $adopted .name -}}{{- end -}}
{{- end -}}
{{- toJson $adopted -}}
{{- end -}}

{{/* The name of a default class that is not this release's, or nothing. Argument: the root. */}}
{{- define "storage-provisioner.otherDefault" -}}
{{- $found := list -}}
{{- range (lookup "storage.k8s.io/v1" "StorageClass" "" "").items -}}
{{- $default := eq (get (.metadata.annotations | default dict) "storageclass.kubernetes.io/is-default-class") "true" -}}
{{- if and $default (not (include "common.ownedByRelease" (dict "root" $ "object" .))) -}}
{{- $found = append $found .metadata.name -}}
{{- end -}}
{{- end -}}
{{- first $found | default "" -}}
{{- end -}}

{{/* Refuses a name that another provisioner answers to: both would make each volume. Argument: the root. */}}
{{- define "storage-provisioner.check" -}}
{{- range (lookup "storage.k8s.io/v1" "StorageClass" "" "").items -}}
{{- if and (eq .provisioner $.Values.provisionerName) (not (include "common.ownedByRelease" (dict "root" $ "object" .))) -}}
{{- fail (printf "provisionerName: StorageClass `%s`, which is not of this release, names `%s` already: two provisioners would answer its claims; take another name, or delete that class first" .metadata.name .provisioner) -}}
{{- end -}}
{{- end -}}
{{- $names := list -}}
{{- range .Values.classes -}}
{{- if has .name $names -}}{{- fail (printf "classes: `%s` stands twice" .name) -}}{{- end -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- end -}}

{{/* One class. Arguments: dict "root" $ "class" (a map) "default" (bool) */}}
{{- define "storage-provisioner.class" -}}
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: {{ .class.name | quote }}
  labels:
    {{- include "common.labels" (dict "root" .root) | nindent 4 }}
  annotations:
    storageclass.kubernetes.io/is-default-class: {{ .default | toString | quote }}
    defaultVolumeType: {{ .class.volumeType | default "local" }}
provisioner: {{ .root.Values.provisionerName | toYaml }}
reclaimPolicy: {{ .class.reclaimPolicy | default "Delete" }}
# The node is chosen first, by all that the pod needs.
volumeBindingMode: WaitForFirstConsumer
{{- end -}}
