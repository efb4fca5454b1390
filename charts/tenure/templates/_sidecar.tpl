{{/*
The sidecar itself, for the pods of this chart and of others.

Invariant: a pod with these parts has what the program needs and nothing else: no token of a service account, no
capability, no writable place but its volume.

Deliberately absent: `tenure.rbac`. The sidecar never speaks to the API server, so there is nothing to allow.
*/}}

{{/* Under `initContainers:`. A native sidecar: started before the application, gates it, and stops after it. */}}
{{- define "tenure.sidecar" -}}
{{- $t := (.Subcharts).tenure | default . -}}
{{- if not $t.Values.sidecar.native -}}
{{- fail "sidecar.native is false: include tenure.plainSidecar under containers instead of tenure.sidecar under initContainers" -}}
{{- end -}}
{{- include "tenure.container" $t }}
  restartPolicy: Always
{{- end -}}

{{/* Under `containers:`, where there are no native sidecars: started and stopped at the same time as the application. */}}
{{- define "tenure.plainSidecar" -}}
{{- $t := (.Subcharts).tenure | default . -}}
{{- if $t.Values.sidecar.native -}}
{{- fail "sidecar.native is true: include tenure.sidecar under initContainers instead of tenure.plainSidecar under containers" -}}
{{- end -}}
{{- include "tenure.container" $t }}
{{- end -}}

{{- define "tenure.container" -}}
{{- include "tenure.validate" . -}}
{{- $native := .Values.sidecar.native -}}
{{- $ports := .Values.sidecar.ports -}}
- name: tenure
  image: {{ include "tenure.image" . | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  env:
    - name: TENURE_NAME
      valueFrom: { fieldRef: { fieldPath: metadata.name } }
    - { name: TENURE_SERVICE, value: {{ include "tenure.serviceDomain" . | quote }} }
    - { name: TENURE_REPLICAS, value: {{ .Values.replicas | quote }} }
    - { name: TENURE_DATA_DIR, value: /var/lib/tenure }
    - { name: TENURE_STORAGE, value: {{ .Values.storage.persistent | ternary "persistent" "ephemeral" }} }
    - { name: TENURE_LEASE_DURATION, value: {{ .Values.lease.duration | quote }} }
    {{- with .Values.lease.heartbeatInterval }}
    - { name: TENURE_HEARTBEAT_INTERVAL, value: {{ . | quote }} }
    {{- end }}
    - { name: TENURE_CLOCK_DRIFT, value: {{ .Values.lease.clockDrift | quote }} }
    {{- if $native }}
    - { name: TENURE_SIGTERM, value: handover } # the application has ended by then
    {{- else }}
    - { name: TENURE_SIGTERM, value: drain }
    - { name: TENURE_DRAIN_TIMEOUT, value: {{ .Values.stopping.drainTimeout | quote }} }
    {{- end }}
    - { name: TENURE_PEER_PORT, value: {{ $ports.peer | quote }} }
    - { name: TENURE_HTTP_PORT, value: {{ $ports.lock | quote }} }
    - { name: TENURE_OPS_PORT, value: {{ $ports.ops | quote }} }
    {{- if eq .Values.tls.mode "none" }}
    - { name: TENURE_INSECURE_PEERS, value: "true" }
    {{- else }}
    - { name: TENURE_TLS_DIR, value: /etc/tenure/tls }
    {{- end }}
    - { name: TENURE_LOG_LEVEL, value: {{ .Values.sidecar.logLevel }} }
    {{- with .Values.sidecar.env }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  ports:
    - { name: peer, containerPort: {{ $ports.peer }} }
    - { name: ops, containerPort: {{ $ports.ops }} }
  # The application of a native sidecar starts after that: once its pod is a member of the group.
  startupProbe:
    httpGet: { path: {{ .Values.sidecar.gate | ternary "/readyz" "/healthz" }}, port: ops }
    periodSeconds: 1
    failureThreshold: {{ .Values.sidecar.startupSeconds }}
  # Longer than the lease: when the kubelet kills a sidecar that hangs, no lease of it may run any more.
  livenessProbe:
    httpGet: { path: /healthz, port: ops }
    periodSeconds: 10
    timeoutSeconds: 5
    failureThreshold: {{ max 3 (add (divf (include "tenure.leaseMs" . | float64) 10000 | ceil) 1) }}
  {{- if .Values.sidecar.gate }}
  readinessProbe:
    httpGet: { path: /readyz, port: ops }
    periodSeconds: 5
    timeoutSeconds: 3
  {{- end }}
  resources:
    {{- toYaml .Values.sidecar.resources | nindent 4 }}
  securityContext:
    {{- toYaml .Values.sidecar.securityContext | nindent 4 }}
  volumeMounts:
    - { name: tenure-data, mountPath: /var/lib/tenure }
    {{- if ne .Values.tls.mode "none" }}
    - { name: tenure-tls, mountPath: /etc/tenure/tls, readOnly: true }
    {{- end }}
{{- end -}}

{{/* Under `volumes:`. */}}
{{- define "tenure.volumes" -}}
{{- $t := (.Subcharts).tenure | default . -}}
{{- if not $t.Values.storage.persistent -}}
- name: tenure-data
  emptyDir: { sizeLimit: {{ $t.Values.storage.size }} }
{{ end -}}
{{- if ne $t.Values.tls.mode "none" -}}
- name: tenure-tls
  secret: { secretName: {{ include "tenure.tlsSecretName" $t }} }
{{- end -}}
{{- end -}}

{{/* Under `volumeClaimTemplates:`; empty unless storage.persistent. */}}
{{- define "tenure.volumeClaimTemplates" -}}
{{- $t := (.Subcharts).tenure | default . -}}
{{- with $t.Values.storage -}}
{{- if .persistent -}}
- metadata:
    name: tenure-data
  spec:
    accessModes: {{ toJson .accessModes }}
    {{- with .storageClassName }}
    storageClassName: {{ . }}
    {{- end }}
    resources: { requests: { storage: {{ .size }} } }
{{- end -}}
{{- end -}}
{{- end -}}
