from collections.abc import Sequence
from pathlib import Path

import pytest

from models.labels import Scores
from registry.gate.evidence_file import read


def test_a_text_a_line_counts_once(tmp_path: Path) -> None:
    """Two hundred times the same line is no evidence."""
    (tmp_path / "texts").write_text("good\nbad\n\ngood \n")

    evidence = read(tmp_path / "texts")

    assert (evidence.texts, evidence.source) == (("good", "bad"), "texts")
    assert (evidence.labelled, evidence.origins) == ((), ())


def test_rows_with_a_label_are_compared_with_it_and_with_fp32(tmp_path: Path) -> None:
    """A label may be spelled as models spell theirs; it may be missing."""
    table = tmp_path / "rows.csv"
    table.write_text("text,label,source\ngood,5 stars,shop\n bad ,Negative,shop\nso-so,,mail\n")

    evidence = read(table)

    assert evidence.texts == ("good", "bad", "so-so")
    assert evidence.labelled == (("good", "positive"), ("bad", "negative"))
    assert evidence.origins == ("shop", "shop", "mail", "shop", "shop")


def test_each_text_is_asked_once(tmp_path: Path) -> None:
    """A model of gigabytes takes seconds for what it was asked before."""
    table = tmp_path / "rows.csv"
    table.write_text("text,label\ngood,positive\nbad,negative\n")
    asked: list[str] = []

    def answer(texts: Sequence[str]) -> list[Scores]:
        asked.extend(texts)
        return [{"positive": 1.0}] * len(texts)

    answers = read(table).ask(answer)

    assert asked == ["good", "bad"]
    assert len(answers) == 4


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("label\npositive\n", "'text' and maybe"),
        ("text,mood\ngood,positive\n", "'text' and maybe"),
        ("text,label\ngood,positive\nbad,angry\n", "line 3: labels"),
        ("text,label\ngood,positive,shop\n", "line 2: more cells"),
    ],
)
def test_a_table_that_can_not_be_used_is_told_by_line(
    content: str, said: str, tmp_path: Path
) -> None:
    """Nothing is guessed at."""
    (tmp_path / "rows.csv").write_text(content)

    with pytest.raises(ValueError, match=said):
        read(tmp_path / "rows.csv")
