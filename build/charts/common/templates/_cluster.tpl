{{/*
What the cluster holds already. Helm can ask it while it installs; `helm template` and `helm lint` have none to ask, and then nothing is
there.
*/}}

{{/*
"true" if an object of that name is there and belongs to somebody else: to K3s, to the sandbox, to another release. A chart leaves such a
StorageClass, IngressClass or APIService alone.
Arguments: dict "root" $ "api" "storage.k8s.io/v1" "kind" "StorageClass" "name" "local-path", "namespace" (for objects that have one)
*/}}
{{- define "common.foreign" -}}
{{- $live := lookup .api .kind (.namespace | default "") .name -}}
{{- if and $live (not (include "common.ownedByRelease" (dict "root" .root "object" $live))) -}}true{{- end -}}
{{- end -}}

{{/* "true" if this release made the object. Arguments: dict "root" $ "object" (as `lookup` gives it) */}}
{{- define "common.ownedByRelease" -}}
{{- $owner := .object.metadata.annotations | default dict -}}
{{- $release := eq (get $owner "meta.helm.sh/release-name") .root.Release.Name -}}
{{- if and $release (eq (get $owner "meta.helm.sh/release-namespace") .root.Release.Namespace) -}}true{{- end -}}
{{- end -}}

{{/*
"true" if all nodes are simulated, as in the sandbox: pods never answer there, so a webhook or an aggregated API would only block the
API server. Argument: the root (to be called like the others; nothing of it is read).
*/}}
{{- define "common.simulated" -}}
{{- $nodes := (lookup "v1" "Node" "" "").items | default list -}}
{{- $simulated := list -}}
{{- range $nodes -}}
{{- if hasKey (.metadata.annotations | default dict) "kwok.x-k8s.io/node" -}}{{- $simulated = append $simulated .metadata.name -}}{{- end -}}
{{- end -}}
{{- if and $nodes (eq (len $nodes) (len $simulated)) -}}true{{- end -}}
{{- end -}}
