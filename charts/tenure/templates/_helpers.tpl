{{/*
Names and labels.

Every public template takes the root context of this chart, or that of a chart that has this one as its dependency
`tenure`. Under an alias, hand over `.Subcharts.<alias>`.

Invariant: one label, tenure/group, selects the pods of a group, whichever chart they come from.

Deliberately absent: names that could pass 63 characters. The longest is the fullname and 17 more.
*/}}

{{/* The name of everything that this chart makes: the release, or the release and the chart. Up to 46 characters. */}}
{{- define "tenure.fullname" -}}
{{- $t := (.Subcharts).tenure | default . -}}
{{- $name := $t.Values.nameOverride | default $t.Chart.Name -}}
{{- if $t.Values.fullnameOverride -}}
{{- $t.Values.fullnameOverride | trunc 46 | trimSuffix "-" -}}
{{- else if contains $name $t.Release.Name -}}
{{- $t.Release.Name | trunc 46 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" $t.Release.Name $name | trunc 46 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* The labels of every object. */}}
{{- define "tenure.labels" -}}
{{- $t := (.Subcharts).tenure | default . -}}
helm.sh/chart: {{ printf "%s-%s" $t.Chart.Name ($t.Chart.Version | replace "+" "_") | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/name: {{ $t.Values.nameOverride | default $t.Chart.Name | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ $t.Release.Name }}
app.kubernetes.io/version: {{ $t.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $t.Release.Service }}
{{- with $t.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* What selects the pods of the group: in Services, budgets, policies and monitors. */}}
{{- define "tenure.selectorLabels" -}}
tenure/group: {{ include "tenure.fullname" . }}
{{- end -}}

{{/* For the pods of a chart that includes this one: what the objects of this chart select them by. */}}
{{- define "tenure.podLabels" -}}
{{ include "tenure.selectorLabels" . }}
{{- end -}}

{{/* Whether this file belongs to a chart that is another one's dependency. Takes the context of a file. */}}
{{- define "tenure.isDependency" -}}
{{- if contains "/charts/" .Template.BasePath }}true{{ end -}}
{{- end -}}

{{/* Whether this chart runs pods of its own. */}}
{{- define "tenure.runsWorkload" -}}
{{- if kindIs "invalid" .Values.workload.enabled -}}
{{- if not (include "tenure.isDependency" .) }}true{{ end -}}
{{- else if .Values.workload.enabled }}true{{ end -}}
{{- end -}}

{{/* The headless Service of the peers. */}}
{{- define "tenure.serviceName" -}}
{{- $t := (.Subcharts).tenure | default . -}}
{{- $t.Values.service.name | default (printf "%s-peers" (include "tenure.fullname" $t)) -}}
{{- end -}}

{{/* Its full name: search domains do not apply. */}}
{{- define "tenure.serviceDomain" -}}
{{- $t := (.Subcharts).tenure | default . -}}
{{- printf "%s.%s.svc.%s" (include "tenure.serviceName" $t) $t.Release.Namespace $t.Values.service.clusterDomain -}}
{{- end -}}

{{- define "tenure.image" -}}
{{- $t := (.Subcharts).tenure | default . -}}
{{- with $t.Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $t.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}
