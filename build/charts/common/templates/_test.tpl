{{/* `helm test`: pods that try the service from inside, with no more rights than its own. */}}

{{/*
A test pod `<name>-test-<test>`. Arguments: a component (whose image and user it takes), "test" (what it tries), "own" (the name of a
template, see _pod.tpl; resources are small by default).
*/}}
{{- define "common.test" -}}
{{- include "common.component" . -}}
{{- $own := .own -}}
{{- if kindIs "string" $own -}}{{- $own = include "common.own" . | fromJson -}}{{- end -}}
{{- $_ := set $own "name" ($own.name | default .test) -}}
{{- $_ := set $own "pod" (merge (dict "restartPolicy" "Never") ($own.pod | default dict)) -}}
{{- $_ := set $own "annotations" (dict "helm.sh/hook" "test" "helm.sh/hook-delete-policy" "before-hook-creation,hook-succeeded") -}}
{{- if not $own.resources -}}{{- $_ := set $own "resources" (include "common.testResources" . | fromYaml) -}}{{- end -}}
{{- $values := omit .values "podAnnotations" "env" "metrics" -}}
{{- $pod := dict "root" .root "component" "test" "app" .app "name" .name "values" $values "own" $own "replicas" 1 -}}
{{- $template := include "common.podTemplate" $pod | fromYaml -}}
{{- $_ := set $template.metadata "name" (printf "%s-test-%s" .name .test) -}}
{{- $_ := set $template.metadata "namespace" .root.Release.Namespace -}}
apiVersion: v1
kind: Pod
{{ toYaml $template }}
{{- end -}}

{{- define "common.testResources" -}}
requests:
  cpu: 10m
  memory: 64Mi
limits:
  cpu: 500m
  memory: 256Mi
{{- end -}}

{{/*
A test by one GET that has to answer 200, with the small image of `test.image`. Arguments: a component, "path" (default `/`),
"port" (default `service.port`), "test" (default `http`).
*/}}
{{- define "common.httpTest" -}}
{{- include "common.component" . -}}
{{- $url := printf "http://%s:%v%s" .name (.port | default .values.service.port) (.path | default "/") -}}
{{- $own := dict "image" .root.Values.test.image "command" (list "wget" "-q" "-O" "/dev/null" "-T" "10" $url) -}}
{{- $_ := set $own "resources" (dict "requests" (dict "cpu" "10m" "memory" "8Mi") "limits" (dict "cpu" "100m" "memory" "32Mi")) -}}
{{- /* nobody, whoever the service's own pods run as */ -}}
{{- $_ := set $own "pod" (dict "securityContext" (dict "runAsUser" 65534 "runAsGroup" 65534)) -}}
{{ include "common.test" (set (set . "test" (.test | default "http")) "own" $own) }}
{{- end -}}
