"""`polysent registry`: the path of a model, step by step."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from cli import console
from models.errors import GateRefused
from models.manifest import Gate
from models.settings import Settings
from models.store import Store

if TYPE_CHECKING:
    from registry.register import Candidate
    from registry.source import Registry
    from registry.sync import Report

app = typer.Typer(no_args_is_help=True)

Source = Annotated[str, typer.Argument(help="Local directory, or hub id where there is a hub.")]
Language = Annotated[str, typer.Option("--language", "-l", help="BCP-47 tag, or `mul`.")]
Covers = Annotated[
    str, typer.Option(help="Comma-separated languages that a multilingual model is meant for.")
]
Labels = Annotated[
    list[str] | None,
    typer.Option("--label", help="Our name of a label: LABEL_0=negative; once per label."),
]
Texts = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        help="UTF-8 file, a text a line (200 different ones at least), to compare with fp32 on.",
    ),
]
Licence = Annotated[str, typer.Option(help="Licence of the weights, if the checkpoint has none.")]
Digest = Annotated[str, typer.Option(help="What the model was trained on, as a digest.")]
Version = Annotated[int | None, typer.Option(help="Version; the newest one if left out.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def register(  # noqa: PLR0913  (each is an option of the command)
    source: Source,
    language: Language,
    *,
    covers: Covers = "",
    label: Labels = None,
    texts: Texts = None,
    licence: Licence = "",
    data_digest: Digest = "unknown",
) -> None:
    """Export a checkpoint, gate it and make it a version in MLflow; refused, nothing is there."""
    from registry.register import register as run  # noqa: PLC0415  (each command what it needs)

    with console.spoken_errors():
        settings = console.settings()
        candidate = _candidate(settings, source, language, texts)
        candidate = _described(candidate, covers, label or [], licence, data_digest)
        done = run(candidate, registry(settings), settings.home / "exports", _say)
    what = "is" if done.new else "was already"
    console.out.print(f"{done.model} {what} registered; `polysent registry promote {language}`")


@app.command()
def export(source: Source, folder: Path, language: Language, *, label: Labels = None) -> None:
    """Turn a checkpoint into an artifact folder, and nothing more."""
    from registry.card import Card  # noqa: PLC0415
    from registry.checkpoint import inspect  # noqa: PLC0415
    from registry.export import export as run  # noqa: PLC0415
    from registry.hub import locate  # noqa: PLC0415

    with console.spoken_errors():
        checkpoint = inspect(locate(source), _mapping(label or []))
        manifest = run(checkpoint, Card(language), folder, _say)
    console.out.print(f"{folder}: {manifest.precision}, {manifest.nbytes / 1e6:.0f} MB")


@app.command()
def gate(
    source: Source,
    language: Language,
    *,
    label: Labels = None,
    texts: Texts = None,
    json: Json = False,
) -> None:
    """Export a checkpoint and compare it with its fp32 original; exit code 1 where refused."""
    from registry.register import prepare  # noqa: PLC0415

    with console.spoken_errors():
        settings = console.settings()
        candidate = _candidate(settings, source, language, texts)
        candidate = _described(candidate, "", label or [], "", "unknown")
        _, manifest = prepare(candidate, settings.home / "exports", _say)
    if manifest.gate is None:  # pragma: no cover  (prepare has just measured it)
        raise typer.Exit(console.REFUSED)
    if json:
        console.print_json(manifest.gate.model_dump(mode="json"))
    else:
        console.out.print(_gate_table(manifest.gate))
    if manifest.gate.reasons:
        with console.spoken_errors():
            raise GateRefused(language, manifest.gate.reasons)


@app.command()
def promote(
    language: Annotated[str, typer.Argument(help="BCP-47 tag, or `mul`.")],
    *,
    version: Version = None,
) -> None:
    """Give a version the alias `champion`, as one would in the MLflow UI."""
    from registry.promote import promote as run  # noqa: PLC0415

    with console.spoken_errors():
        model = run(registry(console.settings()), language, version)
    console.out.print(f"{model} is champion; `polysent registry sync` brings it into the service")


@app.command()
def sync(*, json: Json = False) -> None:
    """Bring the BentoML store to what MLflow calls champion; exit code 1 where a model failed."""
    from registry.sync import sync as run  # noqa: PLC0415

    with console.spoken_errors():
        report = run(registry(console.settings()), Store.default(), _say)
    if json:
        console.print_json(_plain(report))
    else:
        _print(report)
    if report.failed:
        raise typer.Exit(console.REFUSED)


def registry(settings: Settings) -> "Registry":
    """Return the MLflow server that the settings name."""
    from registry.mlflow_source import MLflowRegistry  # noqa: PLC0415

    return MLflowRegistry(settings.mlflow_uri)


def _say(step: str) -> None:
    console.err.print(f"[dim]{escape(step)}[/]", highlight=False)


def _candidate(settings: Settings, source: str, language: str, texts: Path | None) -> "Candidate":
    from registry.card import Card  # noqa: PLC0415
    from registry.gate import Evidence  # noqa: PLC0415
    from registry.register import Candidate  # noqa: PLC0415

    card = Card(language)
    if texts is not None:
        evidence = Evidence(_lines(texts), texts.name)
    else:
        from training.texts import SOURCE, unlabelled  # noqa: PLC0415

        evidence = Evidence(tuple(unlabelled(card.language, settings.home)), SOURCE)
    return Candidate(source, card, evidence, threads=settings.threads)


def _lines(path: Path) -> tuple[str, ...]:
    """Return the different lines of a file, in its order."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except UnicodeDecodeError as error:
        console.err.print(f"[bold red]--texts[/] {escape(str(path))} is not UTF-8: {error}")
        raise typer.Exit(console.MISUSED) from error
    return tuple(dict.fromkeys(filter(None, map(str.strip, lines))))


def _described(
    candidate: "Candidate", covers: str, label: list[str], licence: str, data_digest: str
) -> "Candidate":
    card = replace(
        candidate.card,
        covers=tuple(filter(None, (tag.strip() for tag in covers.split(",")))),
        licence=licence,
        training_data_digest=data_digest,
    )
    return replace(candidate, card=card, labels=_mapping(label))


def _mapping(label: list[str]) -> dict[str, str]:
    pairs = [spelled.rpartition("=") for spelled in label]
    if wrong := [spelled for spelled, pair in zip(label, pairs, strict=True) if not pair[1]]:
        console.err.print(f"[bold red]--label[/] wants NAME=OURS, not {wrong}", highlight=False)
        raise typer.Exit(console.MISUSED)
    return {theirs: ours for theirs, _, ours in pairs}


def _gate_table(gate: Gate) -> Table:
    table = Table("figure", "value")
    for name, value in gate.model_dump(exclude={"reasons"}, exclude_none=True).items():
        table.add_row(name, str(value))
    return table


def _plain(report: "Report") -> dict[str, object]:
    return {
        "synced": [str(tag) for tag in report.synced],
        "unchanged": [str(tag) for tag in report.unchanged],
        "unrouted": list(report.unrouted),
        "failed": {str(failure.model): failure.reason for failure in report.failed},
        "bytes": report.nbytes,
    }


def _print(report: "Report") -> None:
    for tag in report.synced:
        console.out.print(f"[green]served[/]   {tag}", highlight=False)
    for language in report.unrouted:
        console.out.print(f"[yellow]no alias[/] {language} is no longer served", highlight=False)
    for failure in report.failed:
        console.err.print(f"[red]failed[/]   {failure.model}: {escape(failure.reason)}")
    console.out.print(
        f"{len(report.synced)} brought ({report.nbytes / 1e6:.0f} MB), "
        f"{len(report.unchanged)} unchanged"
    )
