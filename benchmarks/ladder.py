"""Which rung did the gate choose for each model, what does it agree on, how fast is it?

Over what `polysent up` has built (BENTOML_HOME, POLYSENT_HOME). Agreement is the certificate's;
speed is measured anew, in core seconds, beside the fp32 rung of the checkpoint (`--quick`: not).
"""

import sys
import tempfile
from pathlib import Path

from matplotlib.axes import Axes

from benchmarks.options import Options, read
from benchmarks.results import Claim, Result, finish
from models.artifact import open_artifact
from models.manifest import Gate, Manifest
from models.routes import Routes
from models.store import Store
from models.tokens import Tokenizers
from registry.card import Card
from registry.checkpoints.checkpoint import inspect
from registry.export.export import export
from registry.gate.timing import interleaved, sample
from training import fleet
from training.texts import unlabelled

TEXTS = 32
SPEED = 1.4
DIFFERENT = 0.01
"""Share of texts on which a model may choose another label than fp32; one may always differ."""


def main() -> int:
    """Read, print, keep."""
    options = read(__doc__)
    store = Store.default()
    built = set(fleet.languages())
    found = Routes.read(store.routes).languages
    routes = {name: route for name, route in found.items() if name in built}
    manifests = {name: Manifest.read(store.path(route.champion)) for name, route in routes.items()}
    gates = {name: manifest.gate for name, manifest in manifests.items() if manifest.gate}
    speeds = {
        name: _speed(gate)
        if options.quick
        else measured(name, store.path(routes[name].champion), options)
        for name, gate in gates.items()
    }
    result = Result(
        name="ladder",
        question="Which rung did the gate choose, what does it agree on, how fast is it?",
        setup={"store": "that of `polysent up`", "models": len(routes)},
        claims=(
            Claim(
                "models that agree with fp32 on 99 % of at least 200 texts, of all",
                (sum(map(agrees, gates.values())) / max(len(routes), 1),),
                "at least",
                1,
            ),
            Claim(
                "speed / fp32 ONNX, median of the models", tuple(speeds.values()), "at least", SPEED
            ),
            Claim("speed / fp32 ONNX, slowest model", (min(speeds.values()),), "at least", SPEED),
        ),
        beside={
            name: f"{manifests[name].precision}, {gate.agreement:.2%} of {gate.texts}, "
            f"{speeds[name]:.2f}x, {manifests[name].nbytes / 1e6:.0f} MB"
            for name, gate in gates.items()
        },
    )
    return finish(result, options, lambda axes: draw(axes, gates, speeds))


def agrees(gate: Gate) -> bool:
    """Say whether a model agrees with fp32 as it must."""
    differ = round((1 - gate.agreement) * gate.texts)
    return gate.texts >= 200 and differ <= max(1, DIFFERENT * gate.texts)  # noqa: PLR2004


def measured(language: str, champion: Path, options: Options) -> float:
    """Time a champion and the fp32 rung of its checkpoint in turn, on one core."""
    checkpoint = inspect(options.home / "checkpoints" / language)
    texts = sample(unlabelled(language, options.home), TEXTS)
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "fp32"
        export(checkpoint, Card(language), plain, rung="fp32")
        ours, theirs = (
            open_artifact(place, Tokenizers(), threads=1) for place in (champion, plain)
        )
        return interleaved(ours, theirs, texts).speed


def _speed(gate: Gate) -> float:
    told = gate.circumstances and gate.circumstances.speed
    return told or 1.0


def draw(axes: Axes, gates: dict[str, Gate], speeds: dict[str, float]) -> None:
    """Draw agreement against speed."""
    for name, gate in gates.items():
        axes.annotate(name, (speeds[name], 100 * gate.agreement))
    axes.scatter(list(speeds.values()), [100 * gate.agreement for gate in gates.values()])
    axes.set_xlabel("times as fast as fp32 ONNX")
    axes.set_ylabel("texts with the same label, %")


if __name__ == "__main__":
    sys.exit(main())
