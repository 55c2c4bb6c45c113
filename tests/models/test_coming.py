from pathlib import Path

import pytest

from models.coming import Coming, Missing
from models.store import Store


@pytest.fixture
def coming(tmp_path: Path) -> Coming:
    """Return what an empty store is told to come: nothing."""
    return Coming(Store(tmp_path))


def test_what_is_said_is_read_again_when_it_changes(coming: Coming) -> None:
    """And what is said no longer is not remembered."""
    coming.path.parent.mkdir()
    said = []
    for missing in (Missing(unasked={"mul": 1}), Missing(unasked={"mul": 1}, on_request={"de": 2})):
        coming.path.with_suffix(".new").write_text(missing.model_dump_json())
        coming.path.with_suffix(".new").replace(coming.path)
        said.append(coming.versions())
    coming.path.unlink()

    assert said == [{"mul": 1}, {"mul": 1, "de": 2}]
    assert coming.missing() == Missing()


def test_wish_is_kept_until_it_is_dropped(coming: Coming) -> None:
    """By whoever comes next, too; to wish twice is to wish once."""
    coming.ask("de")
    coming.ask("de")
    coming.ask("fr")
    after_a_restart = Coming(coming.store).asked()
    coming.forget(["de", "it"])

    assert after_a_restart == {"de", "fr"}
    assert coming.asked() == {"fr"}


def test_wish_that_can_not_be_written_refuses_nobody(coming: Coming) -> None:
    """The disk may be full, or read-only."""
    (coming.store.home / "polysent").write_text("no folder")

    coming.ask("de")

    assert not coming.asked()
