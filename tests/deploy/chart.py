"""The Helm chart, rendered by Helm itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import helm_python
import yaml

CHARTS = Path(__file__).parents[2] / "deploy" / "kubernetes"
VERSIONS = ("1.30", "1.33", "1.37")
"""Kubernetes' versions: the oldest that the chart names, and two later ones."""
NAMESPACE, RELEASE = "text", "polysent"
Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rendered:
    """What one set of values makes of the chart."""

    manifests: tuple[Manifest, ...]
    notes: str = ""

    def of(self, *kinds: str) -> Iterator[Manifest]:
        """Yield the manifests of some kinds."""
        return (each for each in self.manifests if each["kind"] in kinds)

    def one(self, kind: str, ending: str = "") -> Manifest:
        """Return the only manifest of a kind whose name has this ending."""
        (found,) = (each for each in self.of(kind) if each["metadata"]["name"].endswith(ending))
        return found


@dataclass(frozen=True, slots=True)
class Chart:
    """A folder with the chart, and files of values beside it."""

    folder: Path = CHARTS

    @property
    def path(self) -> Path:
        """Where the chart itself is."""
        return self.folder / "polysent"

    @property
    def sets(self) -> dict[str, Manifest]:
        """The values that are shipped: those of the chart as `cpu`, and the files beside it."""
        beside = {
            path.stem.removeprefix("values-"): yaml.safe_load(path.read_text("utf-8"))
            for path in sorted(self.folder.glob("values-*.yaml"))
        }
        return {"cpu": {}, **beside}

    def lint(self, values: Manifest) -> list[str]:
        """Return what `helm lint --strict` has to say against it."""
        said = helm_python.lint(self.path, values, strict=True, kube_version=f"v{VERSIONS[-1]}.0")
        found = [each["error"] for each in said["messages"] if each["severity"] > 1]
        return [*found, *said["errors"]]

    def render(self, values: Manifest) -> Rendered:
        """Return what an installation would apply; HelmError where that can't be."""
        with helm_python.Chart.load(self.path) as chart:
            files = chart.render(values, name=RELEASE, namespace=NAMESPACE)
        notes = "".join(files.pop(name) for name in list(files) if name.endswith("NOTES.txt"))
        texts = "\n---\n".join(files.values())
        return Rendered(tuple(filter(None, yaml.safe_load_all(texts))), notes)
