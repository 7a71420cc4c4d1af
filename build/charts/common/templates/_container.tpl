{{/*
Containers. A chart writes what is its own, as in Kubernetes' Container, shorter where it can be, and the library adds the rest:
image, environment from `env`, security context, `/tmp`, timings of probes, resources.

  name             (default: the service's name, or the component's)
  image            repository, tag, digest, pullPolicy (default: `image` of the values)
  command, args, lifecycle, workingDir, …   as in Kubernetes
  env              Kubernetes' list, or a map: name: text
  secretEnv        name: key of the config Secret, or {key, secret, optional}
  ports            Kubernetes' list, or a map: name: number
  volumeMounts     Kubernetes' list, or a map: volume: path
  probe            the handler of all three probes; `probes: {startup, readiness, liveness}` for single ones. Timings come from
                   the values' `probes`. They ask the process itself: a liveness probe that asks another service would restart
                   this one for the other's fault.
  resources        (default: `resources` of the values; init containers and sidecars name their own)
  securityContext  laid over the library's, which is the Pod Security Standard `restricted` and a read-only root; what breaks
                   these stands in `exceptions` of service.yml, with the reason
*/}}

{{/* repository:tag, and the digest when one is given: it wins over the tag, which then only tells people the version. */}}
{{- define "common.imageName" -}}
{{- printf "%s:%s" .repository (toString .tag) -}}
{{- with .digest -}}@{{ . }}{{- end -}}
{{- end -}}

{{/* The same of the chart's `image`. Argument: the root. */}}
{{- define "common.image" -}}
{{- include "common.imageName" .Values.image -}}
{{- end -}}

{{/* https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted */}}
{{- define "common.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop:
    - ALL
{{- end -}}

{{/* One container. Arguments: a component, "own" (a map, see above), "main" (the values' `env`, `resources` are for it). */}}
{{- define "common.container" -}}
{{- $own := .own -}}
{{- $values := .values -}}
{{- $image := $own.image | default $values.image -}}
{{- $resources := $own.resources | default (.main | default false | ternary $values.resources dict) -}}
name: {{ required (printf "a container of %s has no name" .name) $own.name | toYaml }}
image: {{ include "common.imageName" $image }}
imagePullPolicy: {{ $image.pullPolicy | default "IfNotPresent" }}
{{- with omit $own "name" "image" "env" "secretEnv" "ports" "volumeMounts" "probe" "probes" "resources" "securityContext" }}
{{ toYaml . }}
{{- end }}
{{- with include "common.env" . }}
env:
  {{- . | nindent 2 }}
{{- end }}
{{- with $own.ports }}
ports:
  {{- if kindIs "map" . }}
  {{- range $name, $port := . }}
  - name: {{ $name | toYaml }}
    containerPort: {{ $port }}
    protocol: TCP
  {{- end }}
  {{- else }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- $probes := $own.probes | default dict }}
{{- range $name := list "startup" "readiness" "liveness" }}
{{- with get $probes $name | default $own.probe }}
{{ $name }}Probe:
  {{- merge (dict) . (get ($values.probes | default dict) $name | default dict) | toYaml | nindent 2 }}
{{- end }}
{{- end }}
resources:
  {{- include "common.resources" (dict "of" (printf "container `%s` of %s" $own.name .name) "resources" $resources) | nindent 2 }}
securityContext:
  {{- mergeOverwrite (include "common.securityContext" . | fromYaml) ($own.securityContext | default dict) | toYaml | nindent 2 }}
{{- with include "common.mounts" (dict "own" $own "tmp" .tmp) | fromYamlArray }}
volumeMounts:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/*
Resources, of which no request may be above its limit: the API server would refuse the workload when other objects are there already.
Arguments: dict "of" (whose they are) "resources"
*/}}
{{- define "common.resources" -}}
{{- $of := .of -}}
{{- $limits := (required (printf "%s has no resources" $of) .resources).limits | default dict -}}
{{- range $name, $request := .resources.requests -}}
{{- if hasKey $limits $name -}}
{{- $limit := get $limits $name -}}
{{- if gt (include "common.quantity" $request | float64) (include "common.quantity" $limit | float64) -}}
{{- fail (printf "resources: %s requests %s of %s, which is above its limit of %s" $of (include "common.text" $request) $name (include "common.text" $limit)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toYaml .resources -}}
{{- end -}}

{{/* A quantity as a plain number: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */}}
{{- define "common.quantity" -}}
{{- $units := dict "m" 0.001 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "Pi" 1125899906842624 -}}
{{- $text := include "common.text" . -}}
{{- $unit := regexFind "[A-Za-z]+$" $text -}}
{{- mulf (trimSuffix $unit $text) (get $units $unit | default 1) -}}
{{- end -}}

{{/*
The environment: the chart's own, what comes from the config Secret, the values' `env`. The last wins; a name stands once, since
server-side apply (Helm 4) refuses to have it twice.
*/}}
{{- define "common.env" -}}
{{- $given := .main | default false | ternary (.values.env | default dict) dict -}}
{{- $config := include "common.configSecret" .root -}}
{{- $list := .own.env | default list -}}
{{- if kindIs "map" $list -}}
{{- $entries := list -}}
{{- range $name, $value := $list -}}
{{- $entry := kindIs "map" $value | ternary $value (dict "value" (include "common.text" $value)) -}}
{{- $entries = append $entries (merge (dict "name" $name) $entry) -}}
{{- end -}}
{{- $list = $entries -}}
{{- end -}}
{{- range $list -}}
{{- if not (hasKey $given .name) }}
- {{ toYaml . | nindent 2 | trim }}
{{- end }}
{{- end }}
{{- range $name, $key := .own.secretEnv }}
{{- $source := kindIs "map" $key | ternary $key (dict "key" $key) }}
{{- if not (hasKey $given $name) }}
- name: {{ $name | toYaml }}
  valueFrom:
    secretKeyRef:
      name: {{ $source.secret | default $config | toYaml }}
      key: {{ $source.key | toYaml }}
      {{- if $source.optional }}
      optional: true
      {{- end }}
{{- end }}
{{- end }}
{{- range $name, $value := $given }}
- name: {{ $name | toYaml }}
  value: {{ include "common.text" $value | quote }}
{{- end }}
{{- end -}}

{{/* A container's mounts: its own, and /tmp unless it has one. Arguments: dict "own" (container) "tmp" (size, or false). */}}
{{- define "common.mounts" -}}
{{- $mounts := .own.volumeMounts | default list -}}
{{- if kindIs "map" $mounts -}}
{{- $list := list -}}
{{- range $name, $path := $mounts -}}
{{- $list = append $list (merge (dict "name" $name) (kindIs "map" $path | ternary $path (dict "mountPath" $path))) -}}
{{- end -}}
{{- $mounts = $list -}}
{{- end -}}
{{- $has := eq (toString .tmp) "false" -}}
{{- range $mounts -}}
{{- if or (eq .name "tmp") (eq .mountPath "/tmp") -}}{{- $has = true -}}{{- end -}}
{{- end -}}
{{- if not $has -}}
{{- $mounts = append $mounts (dict "name" "tmp" "mountPath" "/tmp") -}}
{{- end -}}
{{- toYaml $mounts -}}
{{- end -}}
