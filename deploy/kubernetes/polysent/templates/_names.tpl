{{- define "polysent.replicas" -}}{{ .Release.Name }}-replicas{{- end }}
{{- define "polysent.balancer" -}}{{ .Release.Name }}-balancer{{- end }}

{{- define "polysent.selector" -}}
app.kubernetes.io/name: polysent
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "polysent.labels" -}}
{{ include "polysent.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{/* A card needs the image with CUDA's libraries. */}}
{{- define "polysent.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ if .Values.gpu.count }}-gpu{{ end }}
{{- end }}

{{/* The most replicas that there can be. */}}
{{- define "polysent.most" -}}
{{ eq .Values.autoscaling.kind "none" | ternary .Values.replicas .Values.autoscaling.max }}
{{- end }}

{{- define "polysent.priority" -}}
{{ .Values.priorityClass.create | ternary .Release.Name .Values.priorityClass.name }}
{{- end }}

{{/* What every pod of ours is denied; the image's user is 1034. */}}
{{- define "polysent.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .user }}
runAsGroup: {{ .user }}
fsGroup: {{ .user }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "polysent.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "polysent.spread" -}}
{{- range tuple "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
- maxSkew: 1
  topologyKey: {{ . }}
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels: {{- include "polysent.selector" $ | nindent 6 }}
{{- end }}
{{- end }}

{{/* Requests that the balancers have under way, in all; the average of a minute. */}}
{{- define "polysent.inFlight" -}}
sum(avg_over_time(envoy_cluster_upstream_rq_active{namespace="{{ .Release.Namespace }}",service="{{ include "polysent.balancer" . }}-telemetry",envoy_cluster_name=~"by_language|anywhere"}[1m]))
{{- end }}

{{/* Requests a second that want a replica, those included that found none. */}}
{{- define "polysent.arrivals" -}}
{{- $of := printf "{namespace=%q,service=%q,envoy_cluster_name=~\"by_language|anywhere\"}[1m]" .Release.Namespace (printf "%s-telemetry" (include "polysent.balancer" .)) -}}
sum(rate(envoy_cluster_upstream_rq_total{{ $of }})) + sum(rate(envoy_cluster_upstream_cx_none_healthy{{ $of }}))
{{- end }}
