from pathlib import Path

import pytest

from models.store import Store
from serving.sync_age import sync_age
from serving.telemetry import Levels, Telemetry


@pytest.mark.parametrize(
    ("said", "age"),
    [(None, None), ('{"at": 90}', 10), ('{"at": 200}', 0), ("{}", None), ("[", None), ("[]", None)],
)
def test_age_is_that_of_the_last_good_sync(
    tmp_path: Path, said: str | None, age: float | None
) -> None:
    """None where nothing says so; a clock that went back makes it no younger than now."""
    if said is not None:
        (tmp_path / "polysent").mkdir()
        (tmp_path / "polysent" / "sync.json").write_text(said)

    assert sync_age(Store(tmp_path), now=100) == age


def test_age_that_is_not_known_is_no_metric() -> None:
    """An alert on it tells a sync that never was from one long ago."""
    telemetry = Telemetry()

    assert b"\npolysent_sync_age_seconds" not in telemetry.exposition(Levels(0, 0))
    known = telemetry.exposition(Levels(0, 0, sync_age=7.0))
    assert b"\npolysent_sync_age_seconds 7.0" in known
