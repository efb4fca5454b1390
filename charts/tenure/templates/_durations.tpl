{{/*
Durations as the program takes them: 300ms, 2s, 1.5s, 1m, 1h.

Invariant: what is refused here would be refused by the program too, so a mistake shows before there is a pod.

Deliberately absent: sums such as 1m30s; 90s says the same.
*/}}

{{/* (dict "name" … "value" … "leastMs" … "mostMs" … "allowed" …): in whole milliseconds, or fails and says what is allowed. */}}
{{- define "tenure.durationMs" -}}
{{- $text := .value | toString -}}
{{- $allowed := printf "allowed is a duration %s with its unit, ms, s, m or h, such as 1.5s" .allowed -}}
{{- $ms := 0.0 -}}
{{- if regexMatch "^[0-9]{1,12}(\\.[0-9]{1,12})?(ms|s|m|h)$" $text -}}
{{- $unit := regexFind "[a-z]+$" $text -}}
{{- $ms = mulf (trimSuffix $unit $text | float64) (get (dict "ms" 1.0 "s" 1000.0 "m" 60000.0 "h" 3600000.0) $unit) -}}
{{- else if ne $text "0" -}}
{{- fail (printf "%s is %q: %s" .name $text $allowed) -}}
{{- end -}}
{{- if or (lt $ms (.leastMs | float64)) (gt $ms (.mostMs | float64)) -}}
{{- fail (printf "%s is %q: %s" .name $text $allowed) -}}
{{- end -}}
{{- $ms | int64 -}}
{{- end -}}

{{- define "tenure.leaseMs" -}}
{{- include "tenure.durationMs" (dict "name" "lease.duration" "value" .Values.lease.duration "leastMs" 300 "mostMs" 3600000 "allowed" "from 300ms to 1h") -}}
{{- end -}}

{{- define "tenure.drainMs" -}}
{{- include "tenure.durationMs" (dict "name" "stopping.drainTimeout" "value" .Values.stopping.drainTimeout "leastMs" 0 "mostMs" 3600000 "allowed" "from 0 to 1h") -}}
{{- end -}}

{{/*
What a pod needs to stop: the application, the drain beside it (plain) or nothing (native: it is gone when the sidecar
hears of it), then the handover. A handover waits for its successor for up to one lease; the rest of a second lease and
5 s are for leaving the group and for what the kubelet takes.
*/}}
{{- define "tenure.terminationGracePeriodSeconds" -}}
{{- $t := (.Subcharts).tenure | default . -}}
{{- $handover := add (divf (mulf 2 (include "tenure.leaseMs" $t | float64)) 1000 | ceil) 5 -}}
{{- $application := $t.Values.stopping.applicationSeconds | int64 -}}
{{- if not $t.Values.sidecar.native -}}
{{- /* A lease that was given just before the drain began may outlast it. */ -}}
{{- $drain := divf (addf (include "tenure.drainMs" $t | float64) (include "tenure.leaseMs" $t | float64)) 1000 | ceil | int64 -}}
{{- $application = max $application $drain -}}
{{- end -}}
{{- add $application $handover -}}
{{- end -}}
