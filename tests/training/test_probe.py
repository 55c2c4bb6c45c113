from collections import Counter
from pathlib import Path

import pytest

from models.settings import read_settings
from training import fleet
from training.reference import predictor

PROBE = Path(__file__).parent.parent / "fixtures" / "probe_sentences.tsv"


@pytest.mark.fleet
def test_multilingual_model_is_right_on_nine_of_ten_probes() -> None:
    """A smoke test in sixty-one languages; nothing was chosen on it."""
    lines = [line.split("\t") for line in PROBE.read_text("utf-8").splitlines()]
    predict = predictor(fleet.build("mul", read_settings().home))

    answers = predict([text for _, _, text in lines])

    right = [
        (answer["positive"] > 0.5) == (label == "1")
        for (_, label, _), answer in zip(lines, answers, strict=True)
    ]
    assert sum(right) / len(right) >= 0.9, Counter(
        language for (language, _, _), hit in zip(lines, right, strict=True) if not hit
    )
