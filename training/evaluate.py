"""The held-out table: each fine-tune against majority, lexicon and the shared model."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.labels import Scores
from training.catalogue import catalogue
from training.errors import FetchFailed
from training.figures import Difference, Figures, figures, paired
from training.lexicon import Lexicon, lexicon
from training.rows import Split, labelled

Predict = Callable[[Sequence[str]], Sequence[Scores]]
OpenModel = Callable[[str], Predict]
SHARED = "mul"


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of one language, all on the same `n` held-out rows."""

    language: str
    n: int
    majority: Figures
    lexicon: Figures | None
    """None when the lexicon could not be had; `note` says why."""
    shared: Figures
    own: Figures
    gain: Difference
    """Accuracy of the own model minus that of the shared one, paired."""
    reference: Figures | None = None
    """The own model before its export, in float32, where asked for."""
    export_gain: Difference | None = None
    """Accuracy of the export minus that of the reference, paired."""
    note: str = ""


def measurable() -> tuple[str, ...]:
    """Return the languages of the fleet that have labelled rows."""
    return tuple(row.tag for row in catalogue().labelled())


def evaluate(
    languages: Sequence[str], home: Path, models: "Models", most: int | None = None
) -> Iterator[Report]:
    """Yield one report a language, in order; each of them must be `measurable()`.

    `most` is how many held-out rows of a language are used, all if None. Rows and lexicon are
    downloaded where missing; without npm the lexicon column is None.
    """
    for language in languages:
        yield report(language, material(language, home, most), models)


@dataclass(frozen=True, slots=True)
class Material:
    """What a language is measured on; without a lexicon, `note` says why."""

    rows: Split
    lexicon: Lexicon | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Models:
    """Where the predictors of a report come from.

    `open_own("de")` gives a function from texts to {"negative": p, "positive": p} for each;
    `open_reference` does the same for the checkpoints that were exported.
    """

    shared: Predict
    open_own: OpenModel
    open_reference: OpenModel | None = None


def material(language: str, home: Path, most: int | None = None) -> Material:
    """Return the rows and the lexicon of a language, from home/"downloads" or the registries."""
    rows = labelled(language, home)
    rows = Split(rows.train, rows.held_out[:most])
    try:
        return Material(rows, lexicon(language, home))
    except FetchFailed as error:
        return Material(rows, None, f"no lexicon: {error}")


def report(language: str, given: Material, models: Models) -> Report:
    """Return the report of one language on its held-out rows."""
    labels = [row.label for row in given.rows.held_out]
    texts = [row.text for row in given.rows.held_out]
    usual = int(2 * sum(row.label for row in given.rows.train) >= len(given.rows.train))
    shared, own = answers(models.shared, texts), answers(models.open_own(language), texts)
    told = given.lexicon and [_told(given.lexicon.score(text), usual) for text in texts]
    before = models.open_reference and answers(models.open_reference(language), texts)
    return Report(
        language=language,
        n=len(labels),
        majority=figures([usual] * len(labels), labels),
        lexicon=figures(told, labels) if told else None,
        shared=figures(shared, labels),
        own=figures(own, labels),
        gain=paired(own, shared, labels),
        reference=figures(before, labels) if before else None,
        export_gain=paired(own, before, labels) if before else None,
        note=given.note,
    )


def answers(predict: Predict, texts: Sequence[str]) -> list[int]:
    """Return 1 where the model says positive, else 0."""
    return [int(scores["positive"] > scores["negative"]) for scores in predict(texts)]


def _told(score: float, usual: int) -> int:
    return int(score > 0) if score else usual
