"""One step back: which version was champion before, and making it champion again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from models.errors import RegistryError
from models.identity import ModelId, registered_name
from models.languages import canonical
from registry.promote import eligible, promote
from registry.source import Aliases, Registry, Version
from registry.syncing.journal import Journal, Move


@dataclass(frozen=True, slots=True)
class Step:
    """The champion that was (0: there was none), and the one that is."""

    before: int
    after: ModelId


def rollback(registry: Registry, journal: Journal, language: str, to: int | None = None) -> Step:
    """Make the champion before this one champion again, or the version `to`.

    A second step comes back to where the first one began. RegistryError where there is no earlier
    champion, RegistryUnavailable where its version is gone, GateRefused where it may not serve.
    """
    tag = canonical(language)
    champion = registry.aliases().get(tag, Aliases()).champion
    now = champion.model.version if champion else 0
    target = to or previous(now, journal.moves(tag), registry.versions(tag))
    if not target:
        message = (
            f"neither the journal of this store nor a version's tags know a champion of "
            f"{registered_name(tag)} before {now or 'now'}; `--to VERSION` names one"
        )
        raise RegistryError(message)
    if target == now:
        message = f"{ModelId(tag, now)} is champion already"
        raise RegistryError(message)
    model = eligible(registry, tag, target)
    return Step(now, promote(registry, tag, model.version))


def previous(now: int, moves: Iterable[Move], versions: Sequence[Version]) -> int:
    """Return the newest champion that is not `now`; 0 where none is known.

    The journal comes first, for it knows what this store has served; the versions' tags tell where
    it knows nothing.
    """
    champions = [move for move in moves if move.alias == "champion"]
    seen = (version for move in reversed(champions) for version in (move.after, move.before))
    journaled = next((version for version in seen if version not in {0, now}), 0)
    return journaled or _replaced(now, versions)


def _replaced(now: int, versions: Sequence[Version]) -> int:
    told = {
        version.tags.get("serving.at", ""): version.model.version
        for version in reversed(versions)  # of two at a time, the newer one
        if version.tags.get("serving.state") == "replaced" and version.model.version != now
    }
    return told[max(told)] if told else 0
