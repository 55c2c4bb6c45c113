"""`polysent registry export` and `gate`: one step of the path each, registering nothing."""

from pathlib import Path
from typing import Annotated

import typer

from cli import candidates, certificate, console, mlflow, options
from cli.progress import spinner
from models.errors import GateRefused

Source = Annotated[str, typer.Argument(help="Local directory, or hub id where there is a hub.")]
Folder = Annotated[Path, typer.Argument(help="Where the artifact goes: new, or an artifact.")]
Champion = Annotated[bool, typer.Option("--champion", help="Compare with MLflow's champion too.")]
Rung = Annotated[str, typer.Option(help="Form of the export.")]


def export(  # noqa: PLR0913  (each is an option of the command)
    source: Source,
    folder: Folder,
    language: options.Language,
    *,
    label: options.Labels = None,
    rung: Rung = "",
    trim: options.Trim = None,
    keep: options.Keep = None,
) -> None:
    """Turn a checkpoint into an artifact folder, and nothing more.

    Example: polysent registry export ./xlmr-de ./artifact -l de
    """
    from registry.card import Card  # noqa: PLC0415  (each command imports what it needs)
    from registry.checkpoints.checkpoint import inspect  # noqa: PLC0415
    from registry.checkpoints.hub import locate  # noqa: PLC0415
    from registry.export.export import export as run  # noqa: PLC0415
    from registry.export.ladder import DEFAULT  # noqa: PLC0415

    form = candidates.form(rung) if rung else DEFAULT
    mapping = candidates.mapping(label)
    kept = candidates.trimmed(trim, keep)
    with console.spoken_errors(), spinner() as say:
        checkpoint = inspect(locate(source), mapping)
        manifest = run(checkpoint, Card(language, trim=kept), folder, say, rung=form)
    console.out.print(f"{folder}: {manifest.precision}, {manifest.nbytes / 1e6:.0f} MB")


def gate(  # noqa: PLR0913  (each is an option of the command)
    source: Source,
    language: options.Language,
    *,
    label: options.Labels = None,
    texts: options.Texts = None,
    rung: options.Rungs = None,
    trim: options.Trim = None,
    keep: options.Keep = None,
    by_scores: options.ByScores = False,
    champion: Champion = False,
    json: options.Json = False,
) -> None:
    """Export a checkpoint and compare it with its fp32 original; exit code 1 where refused.

    Example: polysent registry gate ./xlmr-de -l de --texts held-out.txt --json
    """
    from registry.entry import Entry  # noqa: PLC0415
    from registry.register import prepare  # noqa: PLC0415

    entry = Entry(language, source, labels=candidates.mapping(label), texts=texts)
    terms = candidates.Terms.of(rung, trim, keep, by_scores=by_scores)
    with console.spoken_errors(), spinner() as say:
        settings = console.settings()
        candidate = candidates.readable(entry, settings, terms)
        rival = mlflow.registry(settings) if champion else None
        _, manifest = prepare(candidate, settings.home / "exports", say, rival)
    if manifest.gate is None:  # pragma: no cover  (prepare has just measured it)
        raise typer.Exit(console.REFUSED)
    if json:
        console.print_json(manifest.gate.model_dump(mode="json"))
    else:
        for table in certificate.tables(manifest.gate):
            console.out.print(table)
    if manifest.gate.reasons:
        with console.spoken_errors():
            raise GateRefused(language, manifest.gate.reasons)
