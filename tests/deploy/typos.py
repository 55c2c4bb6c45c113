"""Slips of the hand, one for each file of the chart."""

import shutil
from pathlib import Path

from tests.deploy.chart import CHARTS

TYPOS = {
    "polysent/Chart.yaml": ("appVersion", "appVersoin"),
    "polysent/values.yaml": ("replicas: 3", "replcas: 3"),
    "polysent/values.schema.json": ('"inFlight": {', '"inFligth": {'),
    "polysent/files/envoy.yaml": ("type: STRICT_DNS", "type: STRICT_DSN"),
    "polysent/templates/NOTES.txt": (".Values.access.secret", ".Values.acess.secret"),
    "polysent/templates/_behavior.tpl": ("periodSeconds: 60", "periodSecond: 60"),
    "polysent/templates/_environment.tpl": ("POLYSENT_OPEN_METRICS", "POLYSENT_OPEN_METRIC"),
    "polysent/templates/_names.tpl": ("{{ .component }}", "{{ .componet }}"),
    "polysent/templates/balancer-config.yaml": ("polysent.most", "polysent.mots"),
    "polysent/templates/balancer-service.yaml": ("targetPort: telemetry", "targetPort: telemetri"),
    "polysent/templates/balancer.yaml": ("maxUnavailable: 0", "maxUnavailible: 0"),
    "polysent/templates/disruption.yaml": ("maxUnavailable:", "maxUnavalable:"),
    "polysent/templates/hpa.yaml": ("averageUtilization", "averageUtilisation"),
    "polysent/templates/httproute.yaml": ("backendRefs", "backendRef"),
    "polysent/templates/ingress.yaml": ("pathType", "pathTyp"),
    "polysent/templates/networkpolicy.yaml": ("{port: telemetry}", "{port: telemetrie}"),
    "polysent/templates/priorityclass.yaml": ("globalDefault", "globalDefalt"),
    "polysent/templates/replicas-service.yaml": ("targetPort: sync", "targetPort: snyc"),
    "polysent/templates/replicas.yaml": ("name: keys, mountPath", "name: key, mountPath"),
    "polysent/templates/scaledobject.yaml": ("activationThreshold", "activationTreshold"),
    "polysent/templates/serviceaccount.yaml": ("automountService", "automuontService"),
    "polysent/templates/servicemonitor.yaml": ('"port" "telemetry"', '"port" "telemtry"'),
    "polysent/templates/tests/answers.yaml": ("restartPolicy", "restartPolcy"),
    "values-aks.yaml": ("storageClass", "storageClas"),
    "values-eks.yaml": ("className", "classname"),
    "values-gke.yaml": ("gateway:", "gatway:"),
    "values-gpu.yaml": ("runtimeClass", "runtimeclass"),
    "values-hpa.yaml": ("kind: hpa", "kind: hpaa"),
    "values-keda.yaml": ("timezone", "timezon"),
    "values-spot.yaml": ("kind: ephemeral", "kind: efemeral"),
}


def seeded(name: str, folder: Path) -> Path:
    """Copy the chart and make one slip in this file; returns where the copy is."""
    copy = folder / "kubernetes"
    shutil.copytree(CHARTS, copy)
    was, now = TYPOS[name]
    text = (copy / name).read_text("utf-8")
    assert was in text
    (copy / name).write_text(text.replace(was, now), "utf-8")
    return copy
