{{/*
What the objects of monitoring share.

Invariant: every series carries the labels namespace, pod and group, whichever monitor fetched it; the rules and the
dashboard rest on these three.

Deliberately absent: a guess whether the cluster knows the kinds of the Prometheus operator. All are off by default.
*/}}

{{/* metadata. Takes a dict: root, name, settings (namespace, labels, annotations). */}}
{{- define "tenure.monitoring.metadata" -}}
name: {{ .name }}
namespace: {{ .settings.namespace | default .root.Release.Namespace }}
labels:
  {{- include "tenure.labels" .root | nindent 2 }}
  {{- with .settings.labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .settings.annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* One scraped endpoint. Takes a dict: settings (interval, scrapeTimeout, relabelings, metricRelabelings). */}}
{{- define "tenure.monitoring.endpoint" -}}
- port: ops
  path: /metrics
  {{- with .settings.interval }}
  interval: {{ . }}
  {{- end }}
  {{- with .settings.scrapeTimeout }}
  scrapeTimeout: {{ . }}
  {{- end }}
  relabelings:
    # The group, by the label that its pods are selected by.
    - sourceLabels: [__meta_kubernetes_pod_label_tenure_group]
      targetLabel: group
    {{- with .settings.relabelings }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .settings.metricRelabelings }}
  metricRelabelings:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{- define "tenure.monitoring.validate" -}}
{{- if and .Values.monitoring.podMonitor.enabled .Values.monitoring.serviceMonitor.enabled -}}
{{- fail "monitoring.podMonitor.enabled and monitoring.serviceMonitor.enabled are both true, and every pod would be scraped twice: allowed is one of them" -}}
{{- end -}}
{{- if and .Values.monitoring.serviceMonitor.enabled (not .Values.service.create) -}}
{{- fail "monitoring.serviceMonitor.enabled is true and service.create is false, so there is no Service with the labels and the port ops: allowed is monitoring.podMonitor" -}}
{{- end -}}
{{- end -}}
