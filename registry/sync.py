"""One sync: what MLflow calls champion is fetched, verified, published and routed."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from models.artifact import open_artifact
from models.errors import ArtifactCorrupt, RegistryError, RegistryUnavailable
from models.identity import ModelId, Tag
from models.manifest import Manifest
from models.routes import Route
from models.store import Store
from models.tokens import Tokenizers
from registry.disk import writing
from registry.lock import locked
from registry.plan import plan, routes_after
from registry.progress import Say, silent
from registry.source import Promoted, Registry
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


def sync(registry: Registry, store: Store, say: Say = silent) -> Report:
    """Bring the store and the routes to what the registry calls champion.

    A model that can't be had, is not what its manifest says or does not answer is reported, here
    and on its version; the others go on. Killed at any point, the store holds whole models only
    and the routes name models that are there; the next sync goes on. Two syncs of one store are
    one after the other. RegistryUnavailable where the champions can't be listed, StoreFailed where
    the routes can't be written.
    """
    writer = StoreWriter(store)
    with writing(writer.lock), locked(writer.lock):
        writer.clean()
        todo = plan(registry.champions(), writer.tags(), writer.routes().languages)
        _route(writer, todo.keep, todo.unroute)
        outcomes = [_brought(registry, writer, promoted, say) for promoted in todo.pull]
    synced = tuple(outcome for outcome in outcomes if isinstance(outcome, Tag))
    failed = tuple(outcome for outcome in outcomes if isinstance(outcome, Failure))
    _report_back(registry, synced, failed, say)
    return Report(
        synced=synced,
        unchanged=todo.keep,
        failed=failed,
        unrouted=todo.unroute,
        nbytes=sum(writer.manifest(tag).nbytes for tag in synced),
    )


def _brought(
    registry: Registry, writer: StoreWriter, promoted: Promoted, say: Say
) -> Tag | Failure:
    """Fetch, verify, try, publish and route one champion."""
    say(f"fetch {promoted.model}")
    try:
        with writer.staged(promoted.model.name.lower()) as folder:
            with writing(folder):
                registry.download(promoted.model, folder)
            tag = verified(folder, promoted)
            smoke(folder)
            writer.publish(folder, tag)
        _route(writer, (tag,))
    except RegistryError as error:
        say(f"{promoted.model} is not served: {error}")
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


def _route(writer: StoreWriter, ready: Iterable[Tag], unroute: Iterable[str] = ()) -> None:
    routes = {
        tag.model.language: Route(champion=tag, covers=writer.manifest(tag).covers) for tag in ready
    }
    writer.write_routes(routes_after(writer.routes(), tuple(unroute), routes))


def _report_back(
    registry: Registry, synced: Iterable[Tag], failed: Iterable[Failure], say: Say
) -> None:
    """Tell the promoter; not being able to is no failure of the sync."""
    try:
        for tag in synced:
            registry.report(tag.model, "served")
        for failure in failed:
            registry.report(failure.model, "failed", failure.reason)
    except RegistryUnavailable as error:
        say(f"the versions were not tagged: {error}")
