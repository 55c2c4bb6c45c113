{{/* Up quickly, at most doubled; down one by one, as each that goes leaves its languages cold elsewhere. */}}
{{- define "polysent.behavior" -}}
scaleUp:
  stabilizationWindowSeconds: {{ .Values.autoscaling.upSeconds }}
  selectPolicy: Max
  policies:
    - {type: Percent, value: 100, periodSeconds: 60}
    - {type: Pods, value: 2, periodSeconds: 60}
scaleDown:
  stabilizationWindowSeconds: {{ .Values.autoscaling.downSeconds }}
  policies:
    - {type: Pods, value: 1, periodSeconds: 120}
{{- end }}
