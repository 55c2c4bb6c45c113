from collections.abc import Sequence

from models.labels import Scores
from training.evaluate import Material, Models, Predict, measurable, report
from training.lexicon import Lexicon
from training.rows import Row, Split

ROWS = Split(
    train=(Row("gut", 1), Row("gut gut", 1), Row("schlecht", 0)),
    held_out=(Row("guter film", 1), Row("so lala", 0), Row("schlechter film", 0), Row("ja", 1)),
)
WORDS = Lexicon({"guter": 1.0, "schlechter": -1.0}, spaced=True)


def knowing(*positive: str) -> Predict:
    """Return a model that says positive to these texts and negative to all others."""

    def predict(texts: Sequence[str]) -> list[Scores]:
        return [{"positive": float(text in positive), "negative": 0.5} for text in texts]

    return predict


def test_all_columns_are_measured_on_the_same_rows() -> None:
    """Majority is that of the train rows, and the lexicon falls back to it."""
    own = knowing("guter film", "ja")

    found = report("de", Material(ROWS, WORDS), Models(knowing("guter film"), lambda _: own))

    assert found.n == 4
    assert found.majority.accuracy == 0.5
    assert found.lexicon is not None
    assert found.lexicon.accuracy == 0.75
    assert (found.shared.accuracy, found.own.accuracy) == (0.75, 1.0)
    assert found.gain.mean == 0.25
    assert found.reference is None


def test_missing_lexicon_is_a_note() -> None:
    """Without npm the other columns are still there."""
    model = knowing("guter film")

    found = report("de", Material(ROWS, None, "no lexicon: no npm"), Models(model, lambda _: model))

    assert found.lexicon is None
    assert found.note == "no lexicon: no npm"


def test_export_is_compared_with_its_original() -> None:
    """What the export costs is a paired difference, too."""
    exported, original = knowing("guter film"), knowing("guter film", "ja")
    models = Models(exported, lambda _: exported, lambda _: original)

    found = report("de", Material(ROWS, WORDS), models)

    assert found.reference is not None
    assert found.reference.accuracy == 1.0
    assert found.export_gain is not None
    assert found.export_gain.mean == -0.25


def test_six_languages_can_be_measured() -> None:
    """Those with labelled rows in packages."""
    assert set(measurable()) == {"en", "zh", "nl", "fr", "id", "de"}
