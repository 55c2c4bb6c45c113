"""One sync: what MLflow calls champion is fetched, verified, published and routed."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from models.artifact import open_artifact
from models.errors import ArtifactCorrupt, RegistryError, RegistryUnavailable
from models.identity import ModelId, Tag
from models.manifest import Manifest
from models.routes import Route
from models.store import Store
from models.tokens import Tokenizers
from registry.disk import writing
from registry.plan import moves, plan, routes_after
from registry.prepare import forget, prepare
from registry.progress import Say, silent
from registry.source import Promoted, Registry, State
from registry.store import StoreWriter, verified

SMOKE_TEXT = "1 2 3"
"""Tokens that a tokenizer of any language has."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A champion that is not served, and why; its language keeps the route it had."""

    model: ModelId
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """What one sync did."""

    synced: tuple[Tag, ...] = ()
    unchanged: tuple[Tag, ...] = ()
    failed: tuple[Failure, ...] = ()
    unrouted: tuple[str, ...] = ()
    nbytes: int = 0
    """Bytes that came over the network."""


@dataclass(frozen=True, slots=True)
class _Target:
    store: Store
    writer: StoreWriter


def sync(registry: Registry, store: Store, say: Say = silent, *, unroute: bool = True) -> Report:
    """Bring the store and the routes to what the registry calls champion.

    A model that can't be had, passed no gate, is not what its manifest says or does not answer is
    reported, here and on its version; the others go on. Languages without a champion lose their
    route, unless `unroute` is False. Killed at any point, the store holds whole models only and the
    routes name models that are there; the next sync goes on. Two syncs of one store are one after
    the other. RegistryUnavailable where the champions can't be listed, StoreFailed where the lock,
    the routes or a `latest` can't be written; what failed for one model only is in the report.
    """
    writer = StoreWriter(store)
    with writer.alone():
        writer.clean()
        todo = plan(registry.champions(), writer.tags(), writer.routes().languages)
        todo = todo if unroute else replace(todo, unroute=())
        for tag in todo.keep:
            writer.name_latest(tag)
        _route(registry, writer, say, todo.keep, todo.unroute)
        target = _Target(store, writer)
        outcomes = [_brought(registry, target, promoted, say) for promoted in todo.pull]
        for tag in todo.keep:
            prepare(store, tag, say)
        forget(store, writer, say)
    synced = tuple(outcome for outcome in outcomes if isinstance(outcome, Tag))
    failed = tuple(outcome for outcome in outcomes if isinstance(outcome, Failure))
    return Report(
        synced=synced,
        unchanged=todo.keep,
        failed=failed,
        unrouted=todo.unroute,
        nbytes=sum(writer.manifest(tag).nbytes for tag in synced),
    )


def _brought(registry: Registry, target: _Target, promoted: Promoted, say: Say) -> Tag | Failure:
    """Fetch, verify, try, publish and route one champion; tell its version what became of it."""
    say(f"fetch {promoted.model}")
    writer = target.writer
    try:
        with writer.staged(promoted.model.name.lower()) as folder:
            with writing(folder):
                registry.download(promoted.model, folder)
            tag = verified(folder, promoted)
            smoke(folder)
            writer.publish(folder, tag)
        prepare(target.store, tag, say)
        _route(registry, writer, say, (tag,))
    except (RegistryError, OSError) as error:
        say(f"{promoted.model} is not served: {error}")
        _tell(registry, say, promoted.model, "failed", str(error))
        return Failure(promoted.model, str(error))
    return tag


def smoke(folder: Path) -> None:
    """Open an artifact and answer one text; ArtifactCorrupt where that fails or is no number."""
    manifest = Manifest.read(folder)
    try:
        (row,) = open_artifact(folder, Tokenizers(), threads=1)([SMOKE_TEXT])
    except Exception as error:  # each library below fails in its own way
        reason = f"it does not answer: {type(error).__name__}: {error}"
        raise ArtifactCorrupt(manifest.language, [reason]) from error
    if not all(map(math.isfinite, row.values())):
        raise ArtifactCorrupt(manifest.language, [f"its scores are no numbers: {row}"])


def _route(
    registry: Registry,
    writer: StoreWriter,
    say: Say,
    ready: Iterable[Tag],
    unroute: Iterable[str] = (),
) -> None:
    """Move the routes, then tell each version that won or lost one."""
    routes = {
        tag.model.language: Route(champion=tag, covers=writer.manifest(tag).covers) for tag in ready
    }
    before = writer.routes()
    after = routes_after(before, tuple(unroute), routes)
    writer.write_routes(after)
    for model, state in moves(before, after):
        _tell(registry, say, model, state)


def _tell(registry: Registry, say: Say, model: ModelId, state: State, error: str = "") -> None:
    """Write on a version what became of it; not being able to is no failure of the sync."""
    try:
        registry.report(model, state, error)
    except RegistryUnavailable as problem:
        say(f"{model} was not tagged: {problem}")
