"""`polysent registry register`: one checkpoint, or a whole fleet, into MLflow."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import candidates, console, mlflow, options
from cli.progress import spinner

if TYPE_CHECKING:
    from registry.entry import Entry

Source = Annotated[
    str | None, typer.Argument(help="Local directory, or hub id where there is a hub.")
]
Language = Annotated[str | None, typer.Option("--language", "-l", help="BCP-47 tag, or `mul`.")]
Covers = Annotated[
    str, typer.Option(help="Comma-separated languages that a multilingual model is meant for.")
]
Licence = Annotated[str, typer.Option(help="Licence of the weights, if the checkpoint has none.")]
Base = Annotated[str, typer.Option(help="What it was fine-tuned from, if the checkpoint is mute.")]
Digest = Annotated[str, typer.Option(help="What the model was trained on, as a digest.")]
From = Annotated[
    Path | None,
    typer.Option(
        "--from",
        exists=True,
        dir_okay=False,
        help="CSV file of a whole fleet, a row a model (docs/cli.md), instead of PATH.",
    ),
]


def register(  # noqa: PLR0913  (each is an option of the command)
    source: Source = None,
    language: Language = None,
    *,
    from_csv: From = None,
    covers: Covers = "",
    label: options.Labels = None,
    texts: options.Texts = None,
    licence: Licence = "",
    base_model: Base = "",
    data_digest: Digest = "unknown",
    rung: options.Rungs = None,
    trim: options.Trim = None,
    keep: options.Keep = None,
    by_scores: options.ByScores = False,
    json: options.Json = False,
) -> None:
    """Export a checkpoint, gate it and make it a version in MLflow; refused, nothing is there.

    Interrupted, the same command goes on. Example: polysent registry register ./xlmr-de -l de
    """
    terms = candidates.Terms.of(rung, trim, keep, by_scores=by_scores)
    if from_csv is not None:
        described = (source, language, covers, label, texts, licence, base_model, trim)
        if any(described) or data_digest != "unknown":
            candidates.misused(
                "--from goes with --rung, --by-scores and --json; the file says the rest"
            )
        from cli import fleet_csv  # noqa: PLC0415  (each command imports what it needs)

        fleet_csv.register(from_csv, terms, json=json)
        return
    if source is None or language is None:
        candidates.misused("wants PATH --language TAG, or --from FILE")
    from registry.entry import Entry, words  # noqa: PLC0415

    entry = Entry(
        language,
        source,
        covers=words(covers),
        labels=candidates.mapping(label),
        texts=texts,
        licence=licence,
        base_model=base_model,
        data_digest=data_digest,
    )
    _one(entry, terms, json=json)


def _one(entry: "Entry", terms: candidates.Terms, *, json: bool) -> None:
    from registry.register import register as run  # noqa: PLC0415

    with console.spoken_errors(), spinner() as say:
        settings = console.settings()
        candidate = candidates.readable(entry, settings, terms)
        done = run(candidate, mlflow.registry(settings), settings.home / "exports", say)
    if json:
        console.print_json({"model": str(done.model), "digest": done.digest, "new": done.new})
        return
    what = "is" if done.new else "was already"
    promote = f"polysent registry promote {done.model.language}"
    console.out.print(f"{done.model} {what} registered; `{promote}`", highlight=False)
