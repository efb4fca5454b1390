{{/*
What a group needs beside its pods. This chart renders all of it by itself, also as a dependency; a chart that switches
a part off can include the template with a context of its own.

Invariant: everything selects by tenure.selectorLabels.

Deliberately absent: an ordinary Service for the application. Whom a client should reach is the application's business.
*/}}

{{- define "tenure.headlessService" -}}
{{- $t := (.Subcharts).tenure | default . -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "tenure.serviceName" $t }}
  namespace: {{ $t.Release.Namespace }}
  labels:
    {{- include "tenure.labels" $t | nindent 4 }}
  {{- with $t.Values.service.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  type: ClusterIP
  clusterIP: None
  # Members must find each other before they can be ready.
  publishNotReadyAddresses: true
  selector:
    {{- include "tenure.selectorLabels" $t | nindent 4 }}
  ports:
    # The name makes the SRV record _peer._tcp, by which pods are found whatever the serviceName of their StatefulSet is.
    - { name: peer, port: {{ $t.Values.sidecar.ports.peer }}, targetPort: peer, protocol: TCP }
    - { name: ops, port: {{ $t.Values.sidecar.ports.ops }}, targetPort: ops, protocol: TCP }
{{- end -}}

{{- define "tenure.podDisruptionBudget" -}}
{{- $t := (.Subcharts).tenure | default . -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "tenure.fullname" $t }}
  namespace: {{ $t.Release.Namespace }}
  labels:
    {{- include "tenure.labels" $t | nindent 4 }}
spec:
  maxUnavailable: {{ $t.Values.podDisruptionBudget.maxUnavailable }}
  selector:
    matchLabels:
      {{- include "tenure.selectorLabels" $t | nindent 6 }}
{{- end -}}

{{/*
A policy that selects a pod forbids everything that no policy allows. So that this one closes the peer port and nothing
else, it allows all other ports, as ranges around the closed ones.
*/}}
{{- define "tenure.networkPolicy" -}}
{{- $t := (.Subcharts).tenure | default . -}}
{{- $ports := $t.Values.sidecar.ports -}}
{{- $closed := list ($ports.peer | int) -}}
{{- if $t.Values.networkPolicy.opsFrom -}}
{{- $closed = append $closed ($ports.ops | int) -}}
{{- end -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "tenure.fullname" $t }}
  namespace: {{ $t.Release.Namespace }}
  labels:
    {{- include "tenure.labels" $t | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      {{- include "tenure.selectorLabels" $t | nindent 6 }}
  policyTypes: [Ingress]
  ingress:
    # Peers: the pods of the group only.
    - from:
        - podSelector:
            matchLabels:
              {{- include "tenure.selectorLabels" $t | nindent 14 }}
      ports:
        - { protocol: TCP, port: {{ $ports.peer }} }
    {{- with $t.Values.networkPolicy.opsFrom }}
    # Metrics and probes; and `helm test`.
    - from:
        {{- toYaml . | nindent 8 }}
        - podSelector:
            matchLabels:
              tenure/test: {{ include "tenure.fullname" $t }}
      ports:
        - { protocol: TCP, port: {{ $ports.ops }} }
    {{- end }}
    # All else is as open as it would be without this policy.
    - ports:
        {{- $from := 1 }}
        {{- /* One or two ports, in order. */}}
        {{- range $port := list (min (first $closed) (last $closed)) (max (first $closed) (last $closed)) | uniq }}
        {{- if lt ($from | int) ($port | int) }}
        - { protocol: TCP, port: {{ $from }}, endPort: {{ sub $port 1 }} }
        {{- end }}
        {{- $from = add $port 1 }}
        {{- end }}
        {{- if le ($from | int) 65535 }}
        - { protocol: TCP, port: {{ $from }}, endPort: 65535 }
        {{- end }}
        - { protocol: UDP }
        - { protocol: SCTP }
{{- end -}}
