"""`polysent registry sync`: from the registry's aliases to what the service answers with."""

import logging
import os
import signal
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from cli import console
from models.errors import RegistryUnavailable, StoreFailed
from models.log import log_as
from models.secret import kept
from models.settings import Fetch, Settings
from models.store import Store
from models.units import size

if TYPE_CHECKING:
    from registry.source import Registry
    from registry.syncing.sync import Report, Sync

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Watching = Annotated[bool, typer.Option("--watch", help="Go on until stopped.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, change nothing.")]
Fetching = Annotated[
    Fetch | None,
    typer.Option(
        help="All champions, or those of languages that were asked for, are pinned or are here,"
        " and `mul`; default: POLYSENT_SYNC_FETCH.",
        show_default=False,
    ),
]


def sync(
    *,
    watch: Watching = False,
    fetch: Fetching = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Bring the BentoML store to what MLflow's aliases say; exit code 1 where a model failed.

    Example: polysent registry sync --watch
    """
    if watch and (dry_run or json):
        message = "--watch goes with neither --dry-run nor --json"
        raise typer.BadParameter(message)
    with console.spoken_errors():
        settings = console.settings()
        if fetch:
            settings = settings.model_copy(update={"sync_fetch": fetch})
        if watch:
            _watch(settings, Store.default())
            return
        from registry.mlflow.source import MLflowRegistry  # noqa: PLC0415

        registry = MLflowRegistry(settings.mlflow_uri)
        if dry_run:
            _preview(registry, Store.default(), settings.unasked, json=json)
            return
        from registry.syncing.sync import sync as run  # noqa: PLC0415

        report = run(registry, Store.default(), say, settings.unasked)
    if json:
        console.print_json(_plain(report))
    else:
        _print(report)
    if report.failed:
        raise typer.Exit(console.REFUSED)


def say(step: str) -> None:
    """Print a step."""
    console.err.print(f"[dim]{escape(step)}[/]", highlight=False)


def secret(settings: Settings, store: Store) -> str:
    """Return what nudges are signed with; a random one is kept in the store. StoreFailed."""
    place = store.home / "polysent" / "webhook.secret"
    try:
        return settings.webhook_secret.get_secret_value() or kept(place)
    except OSError as error:
        message = f"{place} could not be written: {error}"
        raise StoreFailed(message) from error


def _watch(settings: Settings, store: Store) -> None:
    """Look until SIGTERM or Ctrl-C."""
    from registry.mlflow.source import MLflowRegistry  # noqa: PLC0415
    from registry.syncing.listener import Calls, listening  # noqa: PLC0415
    from registry.syncing.sync import Sync  # noqa: PLC0415
    from registry.syncing.telemetry import Telemetry  # noqa: PLC0415
    from registry.syncing.watch import Watch  # noqa: PLC0415

    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    log_as(settings.log)
    log = logging.getLogger("polysent.sync")
    log.setLevel(logging.INFO)
    registry = MLflowRegistry(settings.mlflow_uri)
    telemetry = Telemetry(store)
    signed_with = secret(settings, store)
    watch = Watch(
        Sync(registry, store, log.info, settings.unasked),
        settings.sync_seconds,
        telemetry,
        subscribe=lambda: _subscribe(registry, settings, signed_with, log),
    )
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: watch.stop())
    with listening(settings.sync_url, Calls(signed_with, watch.nudge, telemetry.metrics)):
        log.info("watching %s every %g s", settings.mlflow_uri, settings.sync_seconds)
        watch.run()
    log.info("stopped")
    logging.shutdown()
    os._exit(0)  # a download under way would be waited for; the next start goes on with it


def _subscribe(
    registry: "Registry", settings: Settings, signed_with: str, log: logging.Logger
) -> None:
    try:
        registry.subscribe(settings.sync_url, signed_with)
    except RegistryUnavailable as problem:
        log.info("no webhook, a look every %g s will do: %s", settings.sync_seconds, problem)


def _preview(
    registry: "Registry", store: Store, unasked: frozenset[str] | None, *, json: bool
) -> None:
    from registry.syncing.sync import Sync  # noqa: PLC0415

    found = _previewed(registry, Sync(registry, store, unasked=unasked))
    if json:
        console.print_json(found)
        return
    table = Table("what", "version", "size")
    for name, nbytes in found["fetch"].items():
        table.add_row("fetch", name, size(nbytes))
    for language, (before, after) in found["moves"].items():
        table.add_row("route", f"{language}: {before or 'none'} -> {after or 'none'}", "")
    console.out.print(table)
    console.out.print(f"{size(found['bytes'])} would be fetched; nothing was changed")
    if found["on_request"]:
        console.out.print(f"fetched when somebody asks: {', '.join(found['on_request'])}")


def _previewed(registry: "Registry", one: "Sync") -> dict[str, Any]:
    before, todo = one.writer.routes(), one.preview()
    fetch = {str(each.model): registry.nbytes(each.model) for each in todo.fetch}
    now, then = (
        {language: str(route.champion.model) for language, route in routes.languages.items()}
        for routes in (before, todo.routes)
    )
    champions = {named.champion for named in registry.aliases().values() if named.champion}
    for each in todo.fetch:
        if each in champions:  # routed as soon as it is here
            then[each.model.language] = str(each.model)
    moves = {
        language: (now.get(language), then.get(language))
        for language in sorted({*now, *then})
        if now.get(language) != then.get(language)
    }
    on_request = sorted(str(each.model) for each in champions if each.model.language not in then)
    return {
        "fetch": fetch,
        "bytes": sum(fetch.values()),
        "moves": moves,
        "on_request": on_request,
    }


def _plain(report: "Report") -> dict[str, object]:
    return {
        "synced": [str(tag) for tag in report.synced],
        "unchanged": [str(tag) for tag in report.unchanged],
        "unrouted": list(report.unrouted),
        "removed": [str(tag) for tag in report.removed],
        "failed": {str(failure.model): failure.reason for failure in report.failed},
        "bytes": report.nbytes,
    }


def _print(report: "Report") -> None:
    for tag in report.synced:
        console.out.print(f"[green]brought[/]  {tag}", highlight=False)
    for tag in report.removed:
        console.out.print(f"[dim]removed[/]  {tag}", highlight=False)
    for language in report.unrouted:
        console.out.print(f"[yellow]no alias[/] {language} is no longer served", highlight=False)
    for failure in report.failed:
        console.err.print(f"[red]failed[/]   {failure.model}: {escape(failure.reason)}")
    console.out.print(
        f"{len(report.synced)} brought ({report.nbytes / 1e6:.0f} MB), "
        f"{len(report.unchanged)} unchanged"
    )
