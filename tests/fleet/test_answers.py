import csv
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

import httpx
import pytest

pytestmark = pytest.mark.fleet

PROBE = Path(__file__).parent.parent / "fixtures" / "probe_sentences.tsv"
LABELS = {"0": "negative", "1": "positive"}


def probe() -> Iterator[tuple[str, str, str]]:
    """Yield language, label and text of 61 languages' sentences: a smoke test, no benchmark."""
    with PROBE.open(encoding="utf-8", newline="") as file:
        for language, label, text in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            yield language, LABELS[label], text


def right(client: httpx.Client, *, given: bool) -> float:
    """Return the share of the probe that the service gets right."""
    rows = list(probe())
    items = [
        {"text": text, "language": language} if given else {"text": text}
        for language, _, text in rows
    ]
    answers = []
    for start in range(0, len(items), 61):
        batch = {"items": items[start : start + 61]}
        answers += client.post("/predict_batch", json=batch).json()["items"]
    pairs = zip(answers, rows, strict=True)
    return fmean(float(answer["label"] == label) for answer, (_, label, _) in pairs)


def test_sixty_one_languages_are_right_where_the_language_is_given(client: httpx.Client) -> None:
    """At least 0.90 of 366 sentences."""
    assert right(client, given=True) >= 0.90


def test_sixty_one_languages_are_right_where_it_is_detected(client: httpx.Client) -> None:
    """At least 0.89 of 366 sentences."""
    assert right(client, given=False) >= 0.89


def test_languages_with_a_model_of_their_own_use_it(client: httpx.Client) -> None:
    """The rest goes to the multilingual model."""
    items = [
        {"text": "Das Essen war kalt.", "language": "de"},
        {"text": "Ruoka oli kylmää.", "language": "fi"},
    ]

    answers = client.post("/predict_batch", json={"items": items}).json()["items"]

    assert [answer["model"]["name"] for answer in answers] == ["sentiment-de", "sentiment-mul"]
