import json
from typing import Any

import pytest

from tests.fleet.conftest import Fleet

pytestmark = pytest.mark.fleet


@pytest.fixture(scope="module")
def reports(demo: Fleet) -> dict[str, dict[str, Any]]:
    """Return the held-out table, by language: a short form of `make eval`."""
    said = demo.polysent("eval", "--fp32", "--json", "--rows", "250")
    assert said.returncode == 0, said.stderr
    return {report["language"]: report for report in json.loads(said.stdout)}


def test_six_fine_tunes_are_measured(reports: dict[str, dict[str, Any]]) -> None:
    """Every language with labelled rows in packages."""
    assert reports.keys() == {"en", "zh", "nl", "fr", "id", "de"}


@pytest.mark.parametrize("language", ["en", "zh", "nl", "fr", "id", "de"])
def test_fine_tune_beats_its_baselines(reports: dict[str, dict[str, Any]], language: str) -> None:
    """Majority and lexicon, in accuracy, on held-out rows."""
    report = reports[language]

    assert report["own"]["accuracy"] > report["majority"]["accuracy"]
    if report["lexicon"] is not None:
        assert report["own"]["accuracy"] > report["lexicon"]["accuracy"]


@pytest.mark.parametrize("language", ["en", "zh", "nl", "fr", "id", "de"])
def test_fine_tune_is_no_worse_than_the_shared_head(
    reports: dict[str, dict[str, Any]], language: str
) -> None:
    """On the same rows, paired, within one standard error."""
    gain = reports[language]["gain"]

    assert gain["mean"] >= -gain["standard_error"]


@pytest.mark.parametrize("language", ["en", "zh", "nl", "fr", "id", "de"])
def test_export_loses_at_most_one_point(reports: dict[str, dict[str, Any]], language: str) -> None:
    """Accuracy of what is served against the checkpoint in fp32."""
    assert reports[language]["export_gain"]["mean"] >= -0.0100001
