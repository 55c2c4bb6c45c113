"""How often is the language told, and how often is that right, at each threshold?

`python -m benchmarks.detection`: messages of Django and Wagtail in the languages of the demo fleet.
"""

from collections.abc import Callable, Iterator

from rich.table import Table

from cli.console import out
from models.settings import read_settings
from serving.detect import Detector
from training import fleet
from training.texts import unlabelled

THRESHOLDS = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


def beginning(text: str) -> str:
    """Return the first three words, or eight characters where words are not spaced."""
    return " ".join(text.split()[:3]) if " " in text else text[:8]


def guesses(cut: Callable[[str], str]) -> Iterator[tuple[bool, float]]:
    """Yield whether the language was right, and the confidence, of each text."""
    settings = read_settings()
    detector = Detector(min_confidence=0)
    detector.restrict({tag for language in fleet.languages() for tag in fleet.covers(language)})
    for language in fleet.languages():
        if len(fleet.covers(language)) == 1:
            for text in unlabelled(language, settings.home):
                found = detector(cut(text), None)
                yield found.tag == language, found.confidence


def main() -> None:
    """Print the table."""
    table = Table("threshold", "texts", "told", "right of these")
    for name, cut in (("whole", str), ("three words", beginning)):
        rows = list(guesses(cut))
        for threshold in THRESHOLDS:
            told = [right for right, confidence in rows if confidence >= threshold]
            shares = len(told) / len(rows), sum(told) / len(told)
            table.add_row(f"{threshold:.1f}", name, *(f"{share:.3f}" for share in shares))
    out.print(table)


if __name__ == "__main__":
    main()
