{{/*
Issuers pass cert-manager's own webhook, so they come after it: as hooks, which run when `helm --wait` has seen the Deployments ready, and
with a weight above that of upstream's Job that waits until the webhook answers (1). A hook is made anew at each upgrade; what an
issuer keeps (keys, the CA's certificate) lies in Secrets, which stay.
*/}}
{{- define "issuers.hook" -}}
annotations:
  helm.sh/hook: post-install,post-upgrade
  helm.sh/hook-weight: {{ . | quote }}
  helm.sh/hook-delete-policy: before-hook-creation
{{- end -}}
