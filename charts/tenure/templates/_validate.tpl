{{/*
Rules between values, which a schema cannot tell, and values whose schema could not say what is allowed.

Invariant: each fault names the value, what was given and what is allowed.

Deliberately absent: repairs. Where two values disagree, neither is taken for the one that was meant.
*/}}
{{- define "tenure.validate" -}}
{{- $leaseMs := include "tenure.leaseMs" . | float64 -}}
{{- $_ := include "tenure.drainMs" . -}}
{{- $drift := .Values.lease.clockDrift | float64 -}}
{{- if .Values.lease.heartbeatInterval -}}
{{- $heartbeatMs := include "tenure.durationMs" (dict "name" "lease.heartbeatInterval" "value" .Values.lease.heartbeatInterval "leastMs" 10 "mostMs" 3600000 "allowed" "from 10ms to 1h") | float64 -}}
{{- $usableMs := divf (mulf $leaseMs (subf 1 $drift)) (addf 1 $drift) -}}
{{- if ge (mulf 2 $heartbeatMs) $usableMs -}}
{{- fail (printf "lease.heartbeatInterval is %q: allowed is less than %dms, half of what the holder may use of a lease of %s" (.Values.lease.heartbeatInterval | toString) (divf $usableMs 2 | floor | int64) .Values.lease.duration) -}}
{{- end -}}
{{- end -}}
{{- with .Values.sidecar.ports -}}
{{- if lt (list .peer .lock .ops | uniq | len) 3 -}}
{{- fail (printf "sidecar.ports are peer %v, lock %v, ops %v: allowed are three different ports" .peer .lock .ops) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.sidecar.native (semverCompare "<1.29.0-0" .Capabilities.KubeVersion.Version) -}}
{{- fail (printf "sidecar.native is true, and Kubernetes %s has no native sidecars: allowed is false before 1.29" .Capabilities.KubeVersion.Version) -}}
{{- end -}}
{{- if and (eq .Values.tls.mode "secret") (not .Values.tls.secretName) -}}
{{- fail "tls.mode is \"secret\" and tls.secretName is empty: allowed is the name of a Secret with tls.crt, tls.key and ca.crt" -}}
{{- end -}}
{{- if and (not .Values.service.create) (not .Values.service.name) -}}
{{- fail "service.create is false and service.name is empty: allowed is the name of a headless Service that publishes addresses that are not ready" -}}
{{- end -}}
{{- if not (regexMatch "^([0-9]+|[0-9]+%)$" (.Values.podDisruptionBudget.maxUnavailable | toString)) -}}
{{- fail (printf "podDisruptionBudget.maxUnavailable is %q: allowed is a number of pods, or a share such as 20%%" (.Values.podDisruptionBudget.maxUnavailable | toString)) -}}
{{- end -}}
{{- end -}}
