import json

import pytest

from benchmarks.report import table
from benchmarks.results import Bound, Claim, Result


@pytest.mark.parametrize(
    ("rounds", "bound", "holds"),
    [
        ((0.8, 0.9, 0.95), "at least", True),
        ((0.8, 0.84, 0.95), "at least", False),
        ((0.8, 0.84, 0.95), "at most", True),
        ((), "at most", False),
    ],
)
def test_claim_is_judged_by_its_median(
    rounds: tuple[float, ...], bound: Bound, *, holds: bool
) -> None:
    """One lucky round proves nothing, and what was not measured does not hold."""
    assert Claim("speed", rounds, bound, 0.85).holds is holds


def test_kept_result_can_be_reported() -> None:
    """What is written to JSON is what the table is made of."""
    claim = Claim("cold", (150.0, 160.0, 170.0), "at most", 200.0, " ms")
    kept = json.loads(Result("cold", "How long?", {}, (claim,)).to_json())

    assert "| 160 ms | 150 .. 170 | at most 200 ms | ✓ |" in table([kept])
