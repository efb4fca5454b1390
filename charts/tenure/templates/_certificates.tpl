{{/*
The certificates of the peers: who makes them, and under which names.

Invariant: every certificate names the service, and every pod of it by a wildcard, for server and client use: that is
what a peer accepts. A CA made here signs nothing else.

Deliberately absent: a common name. Nobody looks at it, and 64 characters would be too few for a service's name.
*/}}

{{- define "tenure.tlsSecretName" -}}
{{- $t := (.Subcharts).tenure | default . -}}
{{- $t.Values.tls.secretName | default (printf "%s-peers-tls" (include "tenure.fullname" $t)) -}}
{{- end -}}

{{- define "tenure.tlsCaSecretName" -}}
{{- printf "%s-peers-ca" (include "tenure.fullname" .) -}}
{{- end -}}

{{/*
auto, decided: a group that has a CA of the chart stays with it, also when cert-manager comes to the cluster later. A
change of the CA from one moment to the next would part those that have it from those that do not yet.
*/}}
{{- define "tenure.tlsMode" -}}
{{- if ne .Values.tls.mode "auto" -}}
{{- .Values.tls.mode -}}
{{- else if lookup "v1" "Secret" .Release.Namespace (include "tenure.tlsCaSecretName" .) -}}
chart
{{- else if .Capabilities.APIVersions.Has "cert-manager.io/v1" -}}
cert-manager
{{- else -}}
chart
{{- end -}}
{{- end -}}

{{- define "tenure.dnsNames" -}}
{{- $domain := include "tenure.serviceDomain" . -}}
- {{ $domain | quote }}
- {{ printf "*.%s" $domain | quote }}
{{- end -}}

{{/*
Two Secrets, the CA with its key and the certificate of the peers. Both are kept while they are there; the certificate
is renewed under the same CA when its names change, or in the last third of its life.

Where nothing can be looked up (helm template, --dry-run=client, and what is built on them) every rendering is new.
*/}}
{{- define "tenure.chartCertificate" -}}
{{- $domain := include "tenure.serviceDomain" . -}}
{{- $days := .Values.tls.chart.validityDays | int -}}
{{- $now := now | unixEpoch | int64 -}}
{{- $oldCa := lookup "v1" "Secret" .Release.Namespace (include "tenure.tlsCaSecretName" .) | default dict -}}
{{- $old := lookup "v1" "Secret" .Release.Namespace (include "tenure.tlsSecretName" .) | default dict -}}
{{- $notes := dig "metadata" "annotations" dict $old -}}
{{- $ca := dict -}}
{{- $kept := false -}}
{{- if and (dig "data" "tls.crt" "" $oldCa) (dig "data" "tls.key" "" $oldCa) -}}
{{- $ca = buildCustomCert (get $oldCa.data "tls.crt") (get $oldCa.data "tls.key") -}}
{{- $sameCa := eq (dig "data" "ca.crt" "" $old) (get $oldCa.data "tls.crt") -}}
{{- $sameNames := eq (get $notes "tenure/dns-name") $domain -}}
{{- $kept = and $sameCa $sameNames (gt (get $notes "tenure/renew-after" | default "0" | int64) $now) -}}
{{- else -}}
{{- $ca = genCAWithKey "tenure peers CA" 3650 (genPrivateKey "ecdsa") -}}
{{- end -}}
{{- $certificate := "" -}}
{{- $key := "" -}}
{{- $renewAfter := "" -}}
{{- if $kept -}}
{{- $certificate = get $old.data "tls.crt" -}}
{{- $key = get $old.data "tls.key" -}}
{{- $renewAfter = get $notes "tenure/renew-after" -}}
{{- else -}}
{{- $names := include "tenure.dnsNames" . | fromYamlArray -}}
{{- $made := genSignedCertWithKey "tenure peer" nil $names $days $ca (genPrivateKey "ecdsa") -}}
{{- $certificate = b64enc $made.Cert -}}
{{- $key = b64enc $made.Key -}}
{{- $renewAfter = add $now (div (mul $days 86400 2) 3) | toString -}}
{{- end -}}
apiVersion: v1
kind: Secret
metadata:
  name: {{ include "tenure.tlsCaSecretName" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "tenure.labels" . | nindent 4 }}
type: kubernetes.io/tls
data:
  tls.crt: {{ b64enc $ca.Cert }}
  tls.key: {{ b64enc $ca.Key }}
---
apiVersion: v1
kind: Secret
metadata:
  name: {{ include "tenure.tlsSecretName" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "tenure.labels" . | nindent 4 }}
  annotations:
    tenure/dns-name: {{ $domain | quote }}
    tenure/renew-after: {{ $renewAfter | quote }}
type: kubernetes.io/tls
data:
  ca.crt: {{ b64enc $ca.Cert }}
  tls.crt: {{ $certificate }}
  tls.key: {{ $key }}
{{- end -}}

{{/*
A CA of its own, unless an issuer is given. The CA's key stays when its certificate is renewed, so that certificates
issued before and after trust each other.
*/}}
{{- define "tenure.certManagerCertificate" -}}
{{- $name := include "tenure.fullname" . -}}
{{- $issuer := .Values.tls.certManager.issuerRef -}}
{{- if not $issuer.name -}}
apiVersion: cert-manager.io/v1
kind: Issuer
metadata:
  name: {{ $name }}-peers-root
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "tenure.labels" . | nindent 4 }}
spec:
  selfSigned: {}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata:
  name: {{ $name }}-peers-issuer
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "tenure.labels" . | nindent 4 }}
spec:
  isCA: true
  commonName: tenure peers CA
  secretName: {{ $name }}-peers-issuer
  duration: 87600h
  renewBefore: 8760h
  privateKey: { algorithm: ECDSA, size: 256, rotationPolicy: Never }
  usages: [cert sign, crl sign]
  issuerRef: { name: {{ $name }}-peers-root, kind: Issuer, group: cert-manager.io }
---
apiVersion: cert-manager.io/v1
kind: Issuer
metadata:
  name: {{ $name }}-peers
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "tenure.labels" . | nindent 4 }}
spec:
  ca: { secretName: {{ $name }}-peers-issuer }
---
{{- end }}
apiVersion: cert-manager.io/v1
kind: Certificate
metadata:
  name: {{ $name }}-peers
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "tenure.labels" . | nindent 4 }}
spec:
  secretName: {{ include "tenure.tlsSecretName" . }}
  duration: {{ .Values.tls.certManager.duration }}
  renewBefore: {{ .Values.tls.certManager.renewBefore }}
  dnsNames:
    {{- include "tenure.dnsNames" . | nindent 4 }}
  usages: [digital signature, server auth, client auth]
  privateKey: { algorithm: ECDSA, size: 256, rotationPolicy: Always }
  issuerRef:
    name: {{ $issuer.name | default (printf "%s-peers" $name) }}
    kind: {{ $issuer.kind | default "Issuer" }}
    group: {{ $issuer.group | default "cert-manager.io" }}
{{- end -}}
