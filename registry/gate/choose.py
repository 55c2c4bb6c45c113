"""Which rung of the ladder a model is served in."""

from collections.abc import Callable, Mapping, Sequence

from models.certificate import Rung
from models.manifest import Gate


def climb(names: Sequence[str], attempt: Callable[[str], Gate | None]) -> dict[str, Gate]:
    """Attempt rungs in order up to the first without a reason; return the verdicts in that order.

    None is no verdict: the rung can't be had, or is not worth one.
    """
    verdicts: dict[str, Gate] = {}
    for name in names:
        if (verdict := attempt(name)) is not None:
            verdicts[name] = verdict
            if not verdict.reasons:
                break
    return verdicts


def chosen(verdicts: Mapping[str, Gate]) -> str:
    """Return the rung that passed, or the one that came nearest, to be refused with its reasons."""
    return min(
        verdicts,
        key=lambda name: (len(verdicts[name].reasons), -verdicts[name].agreement),
    )


def report(
    names: Sequence[str],
    sizes: Mapping[str, int],
    speeds: Mapping[str, float],
    verdicts: Mapping[str, Gate],
    failed: Mapping[str, str],
) -> tuple[Rung, ...]:
    """Return what each rung agreed and cost, in the order of the ladder.

    `sizes` are the bytes of those that were exported, `failed` says why others have no verdict.
    """
    return tuple(
        Rung(
            name=name,
            nbytes=sizes.get(name, 0),
            speed=speeds.get(name),
            agreement=verdicts[name].agreement if name in verdicts else None,
            mean_score_change=verdicts[name].mean_score_change if name in verdicts else None,
            reasons=verdicts[name].reasons if name in verdicts else _only(failed.get(name)),
        )
        for name in names
    )


def _only(reason: str | None) -> tuple[str, ...]:
    return (reason,) if reason else ()
