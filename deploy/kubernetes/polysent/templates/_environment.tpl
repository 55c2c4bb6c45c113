{{- define "polysent.environment" -}}
- {name: BENTOML_HOME, value: /store}
- {name: HOME, value: /tmp}
{{- if .Values.gpu.count }}
- {name: POLYSENT_ENGINE, value: cuda}
{{- end }}
{{- range $name, $value := .Values.settings }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end }}

{{- define "polysent.serviceEnvironment" -}}
{{ include "polysent.environment" . }}
# Prometheus has no key; the balancer and the NetworkPolicy keep others off.
- {name: POLYSENT_OPEN_METRICS, value: "1"}
{{- with .Values.admin }}
{{- if .port }}
- {name: POLYSENT_ADMIN_PORT, value: {{ .port | quote }}}
{{- end }}
{{- if .from }}
- {name: POLYSENT_ADMIN_HOST, value: 0.0.0.0}
{{- end }}
{{- end }}
{{- if .Values.access.insecure }}
- {name: POLYSENT_INSECURE, value: "1"}
{{- else }}
- {name: POLYSENT_KEYS_FILE, value: /etc/polysent/keys.json}
{{- end }}
{{- end }}

{{/* The replica's name in the DNS stays when its address changes: one webhook a replica. */}}
{{- define "polysent.syncEnvironment" -}}
{{ include "polysent.environment" . }}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- {name: POLYSENT_SYNC_URL, value: "http://$(POD_NAME).{{ include "polysent.domain" . }}:3100"}
- {name: POLYSENT_SYNC_SECONDS, value: {{ .Values.sync.seconds | quote }}}
- {name: POLYSENT_MLFLOW_URI, value: {{ .Values.mlflow.uri | quote }}}
{{- with .Values.sync.webhookSecret }}
- name: POLYSENT_WEBHOOK_SECRET
  valueFrom: {secretKeyRef: {name: {{ . }}, key: secret}}
{{- end }}
{{- with .Values.mlflow.secret }}
{{- range $name := tuple "MLFLOW_TRACKING_USERNAME" "MLFLOW_TRACKING_PASSWORD" "MLFLOW_TRACKING_TOKEN" }}
- name: {{ $name }}
  valueFrom: {secretKeyRef: {name: {{ $.Values.mlflow.secret }}, key: {{ $name }}, optional: true}}
{{- end }}
{{- end }}
{{- end }}

{{- define "polysent.domain" -}}
{{ include "polysent.replicas" . }}.{{ .Release.Namespace }}.svc.{{ .Values.clusterDomain }}
{{- end }}
