"""The store and the routes, brought to what the registry's aliases say."""

import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field, replace

from models.coming import Coming
from models.errors import RegistryUnavailable
from models.identity import ModelId, Tag
from models.routes import Routes
from models.store import Store
from registry.canary import settle
from registry.disk import writing
from registry.progress import Say, silent
from registry.source import Aliases, Promoted, Registry
from registry.syncing.arrivals import asked_first, missing_champions, tell_coming
from registry.syncing.fetch import Brought, Failure, Fetcher
from registry.syncing.journal import Journal, Move
from registry.syncing.moves import Change, changes, note, tell
from registry.syncing.named import Named
from registry.syncing.plan import Plan, only, plan, removable
from registry.syncing.prepare import forget, prepare
from registry.syncing.smoke import Smoke
from registry.syncing.store import StoreWriter

HINT = "serving.hint"
"""The version tag that tells a person what they may have meant."""
AT_ONCE = 3
"""Versions that are fetched side by side."""
ELSEWHERE_SECONDS = 0.5
"""How long to wait for what another process is fetching before looking again."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one sync did."""

    synced: tuple[Tag, ...] = ()
    unchanged: tuple[Tag, ...] = ()
    failed: tuple[Failure, ...] = ()
    unrouted: tuple[str, ...] = ()
    removed: tuple[Tag, ...] = ()
    nbytes: int = 0
    """Bytes that came over the network."""


@dataclass(slots=True)
class Sync:
    """One store's side of the registry.

    1. The store holds whole models only, and the routes name models that are there, wherever a
       process is killed.
    2. What can't be had, passed no gate, is not what its manifest says or does not answer is told
       on its version; its language goes on with what it has, and so do the others.
    3. Syncs of one store, in any number of processes, are one after the other where they write.
    """

    registry: Registry
    store: Store
    say: Say = silent
    unasked: frozenset[str] | None = None
    """Languages that are fetched before anyone asks for them; None is all."""
    coming: Coming = field(init=False)
    writer: StoreWriter = field(init=False)
    _smoke: Smoke = field(init=False)
    _named: Named = field(init=False)
    journal: Journal = field(init=False)
    removed: list[Tag] = field(default_factory=list)
    _prepared: set[Tag] = field(default_factory=set)
    _arrived: set[Tag] = field(default_factory=set)
    _told: set[tuple[ModelId, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Take the store; nothing is written yet."""
        self.coming = Coming(self.store)
        self.writer = StoreWriter(self.store)
        self._smoke = Smoke(self.store)
        self.journal = Journal.of(self.store)
        self._named = Named(self.store)

    def look(self) -> "Looked":
        """Ask the registry, route what is here, remove what nobody needs; fetch nothing.

        RegistryUnavailable where it does not answer, StoreFailed where the store can't be written.
        """
        with self.writer.alone():
            aliases = self.registry.aliases()  # here: a list of before would undo another's work
            before = self.writer.routes()
            todo = self._planned(aliases, before)
            missed = changes(self.journal, before)  # a sync was killed before it wrote them down
            self.writer.write_routes(todo.routes)
            for route in todo.routes.languages.values():
                self.writer.name_latest(route.champion)
            late = tuple(self._follow_up(missed, before))
            moves = self._follow_up(changes(self.journal, todo.routes), todo.routes)
            looked = Looked(todo, before, (*late, *moves))
            self._named.remember(aliases)
            missing = missing_champions(aliases, before, self.unasked)
            asked = tell_coming(self.coming, missing)
            self.writer.clean(todo.fetch)
            self._remove(todo)
        self._settle(aliases)
        self._warn(aliases)
        self._tell_staged(todo.routes)
        return replace(looked, plan=replace(todo, fetch=asked_first(todo.fetch, asked)))

    def fetch(self, promoted: Promoted) -> Brought | Failure | None:
        """Bring one version into the store; None where another process is doing that."""
        fetcher = Fetcher(self.registry, self.store, self.writer, self._smoke, self.say)
        outcome = fetcher(promoted)
        if isinstance(outcome, Failure):
            note(self.registry, promoted.model, "failed", self.say, outcome.reason)
        elif outcome is not None:
            self._prepared.add(outcome.tag)
            self._arrived.add(outcome.tag)
        return outcome

    def prepare(self, looked: "Looked") -> None:
        """Make the forms of what is here that this machine can't open as it is."""
        for tag in looked.plan.here:
            if tag not in self._prepared:
                prepare(self.store, tag, self.say)
                self._prepared.add(tag)

    def preview(self) -> Plan:
        """Return what `look` and `fetch` would do, as things are; nothing is written."""
        return self._planned(self.registry.aliases(), self.writer.routes())

    def _planned(self, aliases: Mapping[str, Aliases], before: Routes) -> Plan:
        lost = frozenset(self._lost(aliases, before))
        todo = plan(aliases, self.writer.tags(), before, self._covers, lost)
        if self.unasked is None:
            return todo
        promoted = {language for language, named in aliases.items() if named.champion}
        return only(todo, self.unasked | (self.coming.asked() & promoted))

    def _lost(self, aliases: Mapping[str, Aliases], before: Routes) -> Iterator[str]:
        """Yield the languages whose champion was deleted under its alias."""
        for language, route in before.languages.items():
            named = aliases.get(language)
            if named is None or named.champion is None:
                last = ModelId(language, self._named.last(language, route.champion.model.version))
                versions = self.registry.versions(language)
                if last not in {version.model for version in versions}:
                    text = f"{last} was deleted from the registry; {route.champion.model} goes on"
                    self._once(last, f"{text} serving until another version is champion")
                    yield language

    def _follow_up(self, found: Iterable[Change], routes: Routes) -> Iterator[Move]:
        for change in found:
            after = change.after.model if change.after else "none"
            self.say(
                f"{change.language}: {change.alias} is {after} (it was {change.before or '-'})"
            )
            move = tell(self.registry, change, routes, self.say)
            with writing(self.journal.path):
                self.journal.append(move)
            yield move

    def _remove(self, todo: Plan) -> None:
        keep = {*todo.here, *todo.routes.tags}
        for tag in removable(self.writer.tags(), keep, self._previous()):
            if self.writer.remove(tag):
                self.say(f"{tag} is removed: nothing needs it")
                self.removed.append(tag)
        forget(self.store, self.writer, self.say)

    def _previous(self) -> frozenset[ModelId]:
        """Return what a rollback would bring back: the champion before, of each language."""
        before = {
            move.language: move.before
            for move in self.journal.moves()
            if move.alias == "champion" and move.before
        }
        return frozenset(ModelId(*each) for each in before.items())

    def _covers(self, tag: Tag) -> tuple[str, ...]:
        return self.writer.manifest(tag).covers

    def _settle(self, aliases: Mapping[str, Aliases]) -> None:
        for language, named in aliases.items():
            if named.challenger is None or named.challenger != named.champion:
                continue
            with suppress(RegistryUnavailable):  # the next look will do
                now = self.registry.aliases().get(language, Aliases())
                if settle(self.registry, now):
                    self.say(f"{language}: the challenger is champion now, its share ends")

    def _tell_staged(self, routes: Routes) -> None:
        arrived, self._arrived = self._arrived, set()
        for tag in sorted(arrived - routes.tags):
            note(self.registry, tag.model, "staged", self.say)

    def _warn(self, aliases: Mapping[str, Aliases]) -> None:
        for language, named in aliases.items():
            for alias, version in named.strange.items():
                model = ModelId(language, version)
                text = f"alias {alias!r} of {model} means nothing; `champion` or `challenger` does"
                if self._once(model, text):
                    with suppress(RegistryUnavailable):  # the log has it
                        self.registry.note(model, {HINT: text})

    def _once(self, model: ModelId, text: str) -> bool:
        new = (model, text) not in self._told
        self._told.add((model, text))
        if new:
            self.say(text)
        return new


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look found and did."""

    plan: Plan
    before: Routes
    moves: tuple[Move, ...]

    @property
    def unrouted(self) -> tuple[str, ...]:
        """Languages that lost their route."""
        return tuple(sorted(set(self.before.languages) - set(self.plan.routes.languages)))


def sync(
    registry: Registry, store: Store, say: Say = silent, unasked: frozenset[str] | None = None
) -> Report:
    """Bring store and routes to what the registry says, once; see `Sync`.

    Each version that arrives is routed at once, by the aliases as they are then. The report holds
    what failed. RegistryUnavailable where the aliases can't be listed, StoreFailed where the
    store can't be written.
    """
    one = Sync(registry, store, say, unasked)
    first = looked = one.look()
    one.prepare(first)
    outcomes: dict[ModelId, Brought | Failure] = {}
    under_way: dict[Future[Brought | Failure | None], ModelId] = {}
    with ThreadPoolExecutor(AT_ONCE, "fetch") as pool:
        while True:
            tried = {*outcomes, *under_way.values()}
            for promoted in looked.plan.fetch:
                if promoted.model not in tried:
                    under_way[pool.submit(one.fetch, promoted)] = promoted.model
            if not under_way:
                break
            for done in wait(under_way, return_when=FIRST_COMPLETED).done:
                model, outcome = under_way.pop(done), done.result()
                if outcome is None:
                    time.sleep(ELSEWHERE_SECONDS)
                else:
                    outcomes[model] = outcome
            looked = one.look()
    brought = [each for each in outcomes.values() if isinstance(each, Brought)]
    return Report(
        synced=tuple(sorted(each.tag for each in brought)),
        unchanged=first.plan.here,
        failed=tuple(each for each in outcomes.values() if isinstance(each, Failure)),
        unrouted=first.unrouted,
        removed=tuple(one.removed),
        nbytes=sum(each.nbytes for each in brought),
    )
