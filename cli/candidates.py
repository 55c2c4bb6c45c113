"""From what a person typed to what the registry registers."""

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Self

import typer
from rich.markup import escape

from cli import console
from models.settings import Settings

if TYPE_CHECKING:
    from registry.candidate import Candidate
    from registry.entry import Entry
    from registry.export.trim import Trim


@dataclass(frozen=True, slots=True)
class Terms:
    """How candidates are exported (None: by the whole ladder) and judged."""

    rungs: tuple[str, ...] | None = None
    by_scores: bool = False
    trim: "Trim | None" = None

    @classmethod
    def of(
        cls, rung: list[str] | None, trim: Path | None, keep: int | None, *, by_scores: bool
    ) -> Self:
        """Read the options; a wrong one ends the command with exit code 2."""
        return cls(tuple(map(form, rung)) if rung else None, by_scores, trimmed(trim, keep))


def candidate(entry: "Entry", settings: Settings, terms: Terms) -> "Candidate":
    """Return the candidate of an entry; its texts are fetched where it names none.

    OSError, UnicodeDecodeError and ValueError where they can't be read, PolysentError where not
    fetched.
    """
    from registry.candidate import Candidate  # noqa: PLC0415  (each command what it needs)
    from registry.card import Card  # noqa: PLC0415
    from registry.gate.evidence import Evidence  # noqa: PLC0415
    from registry.gate.evidence_file import read  # noqa: PLC0415
    from registry.gate.floor import BY_SCORE_ERROR, FLOOR  # noqa: PLC0415

    card = Card(
        entry.language,
        covers=entry.covers,
        training_data_digest=entry.data_digest,
        licence=entry.licence,
        base_model=entry.base_model,
        trim=terms.trim,
    )
    if entry.texts is not None:
        evidence = read(entry.texts)
    else:
        from training.texts import SOURCE, unlabelled  # noqa: PLC0415

        evidence = Evidence(tuple(unlabelled(card.language, settings.home)), SOURCE)
    return Candidate(
        entry.source,
        card,
        evidence,
        labels=entry.labels,
        floor=BY_SCORE_ERROR if terms.by_scores else FLOOR,
        threads=settings.threads,
        rungs=terms.rungs,
    )


def readable(entry: "Entry", settings: Settings, terms: Terms) -> "Candidate":
    """Return the candidate of an entry; `--texts` that can't be read end the command."""
    try:
        return candidate(entry, settings, terms)
    except UnicodeDecodeError as error:
        misused(f"--texts {entry.texts} is not UTF-8: {error}")
    except ValueError as error:
        misused(f"--texts {error}")


def mapping(label: list[str] | None) -> dict[str, str]:
    """Return what `--label` says; a wrong one ends the command with exit code 2."""
    from registry.entry import mapping as parse  # noqa: PLC0415

    try:
        return parse(label or [])
    except ValueError as error:
        misused(f"--label {error}")


def trimmed(trim: Path | None, keep: int | None) -> "Trim | None":
    """Return what `--trim` and `--keep` say; a wrong one ends the command with exit code 2."""
    from registry.export.trim import MOST, Trim  # noqa: PLC0415
    from registry.gate.evidence_file import read  # noqa: PLC0415

    if trim is None:
        if keep is not None:
            misused("--keep goes with --trim FILE")
        return None
    try:
        texts = read(trim).texts
    except ValueError as error:  # UnicodeDecodeError is one
        misused(f"--trim {trim}: {error}")
    if not texts:
        misused(f"--trim {trim} has no texts")
    return Trim(texts, MOST if keep is None else keep)


def form(rung: str) -> str:
    """Return a rung of the ladder; one that is none ends the command with exit code 2."""
    from registry.export.ladder import RUNGS  # noqa: PLC0415

    if rung not in RUNGS:
        alike = difflib.get_close_matches(rung, RUNGS, n=1)
        meant = f"did you mean {alike[0]}?" if alike else f"there are {', '.join(RUNGS)}"
        misused(f"--rung {rung} is none; {meant}")
    return rung


def misused(what: str) -> NoReturn:
    """End the command with exit code 2 and a sentence."""
    console.err.print(f"[bold red]Wrong use[/]: {escape(what)}", highlight=False)
    raise typer.Exit(console.MISUSED)
