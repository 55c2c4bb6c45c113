"""Which rung did the gate choose for each model of a store, what does it agree on, how fast is it?

Reads the certificates of what is served (BENTOML_HOME); they were measured at registration.
"""

import sys

from matplotlib.axes import Axes

from benchmarks.options import read
from benchmarks.results import Claim, Result, finish
from models.manifest import Gate, Manifest
from models.routes import Routes
from models.store import Store

SPEED = 1.4
DIFFERENT = 0.01
"""Share of texts on which a model may choose another label than fp32; one may always differ."""


def main() -> int:
    """Read, print, keep."""
    options = read(__doc__)
    store = Store.default()
    routes = Routes.read(store.routes).languages
    manifests = {name: Manifest.read(store.path(route.champion)) for name, route in routes.items()}
    gates = {name: manifest.gate for name, manifest in manifests.items() if manifest.gate}
    speeds = {name: _speed(gate) for name, gate in gates.items()}
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
