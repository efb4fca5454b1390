{{/*
The container of the user's application, or of the example worker when no image is given.

Invariant: the worker needs nothing but the sidecar's image.

Deliberately absent: an opinion on the application's probes. They are passed on as given.
*/}}
{{- define "tenure.application" -}}
{{- $workload := .Values.workload -}}
- name: app
  {{- if $workload.image }}
  image: {{ $workload.image | quote }}
  imagePullPolicy: {{ $workload.imagePullPolicy }}
  {{- with $workload.command }}
  command:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $workload.args }}
  args:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- else }}
  image: {{ include "tenure.image" . | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command: [node, /opt/worker/worker.mjs]
  {{- end }}
  {{- if or $workload.env (not $workload.image) }}
  env:
    {{- if not $workload.image }}
    - { name: TENURE_URL, value: "http://127.0.0.1:{{ .Values.sidecar.ports.lock }}" }
    {{- end }}
    {{- with $workload.env }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
  {{- with $workload.envFrom }}
  envFrom:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $workload.ports }}
  ports:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- range $key := list "lifecycle" "startupProbe" "livenessProbe" "readinessProbe" "resources" }}
  {{- with get $workload $key }}
  {{ $key }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
  securityContext:
    {{- toYaml $workload.securityContext | nindent 4 }}
  {{- if or $workload.volumeMounts (not $workload.image) }}
  volumeMounts:
    {{- if not $workload.image }}
    - { name: worker, mountPath: /opt/worker, readOnly: true }
    {{- end }}
    {{- with $workload.volumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
{{- end -}}
