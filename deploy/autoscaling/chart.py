"""The chart's objects, rendered with its own values."""

from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent.parent / "kubernetes"
KINDS = ("HorizontalPodAutoscaler", "ScaledObject")


def autoscaler(values: str) -> dict[str, Any]:
    """Return what scales under `values-VALUES.yaml`; LookupError where nothing does."""
    import helm_python as helm  # noqa: PLC0415  (72 MB, of the extra `deploy`)

    given = yaml.safe_load((FOLDER / f"values-{values}.yaml").read_text("utf-8"))
    with helm.Chart.load(str(FOLDER / "polysent")) as chart:
        files = chart.render(given, name="polysent", namespace="polysent")
    for name, text in files.items():
        for document in yaml.safe_load_all(text) if name.endswith(".yaml") else ():
            if document and document["kind"] in KINDS:
                return dict(document)
    message = f"values-{values}.yaml scales nothing"
    raise LookupError(message)
