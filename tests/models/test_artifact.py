from pathlib import Path

from models.artifact import open_artifact
from models.labels import best
from models.tokens import Tokenizers
from tests.tiny import write_tiny


def test_answers_come_in_the_order_of_the_texts(tmp_path: Path) -> None:
    """Sorting by length is nobody's business but the batcher's."""
    write_tiny(tmp_path)
    artifact = open_artifact(tmp_path, Tokenizers(), threads=1)
    texts = ["good " * (index % 7 + 1) if index % 2 else "bad film" for index in range(40)]

    answers = artifact(texts)

    assert [best(row) for row in answers] == [
        "positive" if "good" in text else "negative" for text in texts
    ]


def test_answer_does_not_depend_on_what_else_is_in_the_batch(tmp_path: Path) -> None:
    """Padding changes nothing."""
    write_tiny(tmp_path)
    artifact = open_artifact(tmp_path, Tokenizers(), threads=1)

    assert artifact(["good", "bad " * 30])[0] == artifact(["good"])[0]
