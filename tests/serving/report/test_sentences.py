from typing import Any

import pytest

from serving.report import sentences
from serving.report.facts import Cost, Eviction, Facts, Failure
from serving.report.inventory import Challenger, MemoryBudget, PendingSwap, ServedModel
from serving.result import ModelAnswer

MIB = 2**20


def facts(state: str = "cold", **known: Any) -> Facts:  # noqa: ANN401  (fields of three models)
    """Return figures of a model, of which some are given."""
    model: dict[str, Any] = {
        "bytes": 0,
        "hits": 0,
        "loads": 0,
        "evictions": 0,
        "waiting": 0,
        "pinned": False,
        "load_seconds": None,
        "last_used": None,
        "covers": [],
        "challenger": None,
        "swap": None,
    }
    cost: dict[str, Any] = {
        "queue_seconds": 0.02,
        "load_seconds": None,
        "tokenizer": "resident",
        "bytes": 100 * MIB,
        "room_seconds": 0.0,
        "closes": [],
    }
    whole: dict[str, Any] = {
        "opened_seconds": None,
        "used_seconds": None,
        "closed_seconds": None,
        "closed_for": "",
        "eviction": None,
        "failure": None,
        "memory": MemoryBudget(limit=1000 * MIB, used=400 * MIB, pinned=0),
    }
    for part in (model, cost, whole):
        part |= {name: value for name, value in known.items() if name in part}
    named = ModelAnswer(name="sentiment-de", version=3)
    served = ServedModel(
        language="de", model=named, tag="sentiment-de:v000003-00000000", state=state, **model
    )
    return Facts(model=served, cost=Cost(**cost), **whole)


OPEN = {
    "loads": 1,
    "hits": 1200,
    "load_seconds": 0.12,
    "opened_seconds": 200.0,
    "used_seconds": 3.0,
}


def test_cold_model_that_nobody_asked_for() -> None:
    """Says so, and that the time to open it is not known."""
    cold = facts()
    assert sentences.why(cold) == [
        "Not in memory: since the service started, no text has needed it."
    ]
    assert sentences.request(cold) == [
        "Opening it takes a time that is not known: nothing was opened yet.",
        "Queue and engine take about 20 ms for a short text; 0 texts are before it.",
    ]


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("budget", "It was closed 3 min ago to make room for others."),
        ("asked", "It was closed 3 min ago because that was asked for."),
        ("retired", "It was closed 3 min ago because another version took its place."),
    ],
)
def test_cold_model_says_why_it_was_closed(reason: str, said: str) -> None:
    """And when."""
    closed = facts(closed_for=reason, closed_seconds=200, used_seconds=500, loads=2, hits=1)
    assert sentences.why(closed) == [said, "It was last used 8 min ago, 1 text in all."]


def test_resident_model_says_why_it_stays() -> None:
    """Its place in the order, the guard, or the pin."""
    size = 281 * MIB
    placed = Eviction(place=2, of=5, guard_seconds=0)
    guarded = Eviction(place=None, of=5, guard_seconds=4)

    assert sentences.why(facts("resident", bytes=size, eviction=placed, **OPEN)) == [
        "In memory with 281 MiB since 3 min; opening it took 120 ms.",
        "It was last used 3.0 s ago, 1,200 texts in all.",
        "Where room is needed, it is number 2 of 5 to be closed; 400 MiB of 1000 MiB are in use.",
    ]
    assert sentences.why(facts("resident", bytes=size, eviction=guarded, **OPEN))[-1] == (
        "It was opened only just before: for 4.0 s more it stays, whatever needs room."
    )
    assert sentences.why(facts("resident", pinned=True, eviction=guarded, **OPEN))[-1] == (
        "It is pinned: it stays, whatever else needs room."
    )


def test_quarantined_model_says_what_failed_and_until_when() -> None:
    """A text is refused at once."""
    failure = Failure(why="sentiment-de:3 can't be opened: OSError", times=2, seconds=12)
    broken = facts("quarantined", failure=failure)

    assert sentences.why(broken) == [
        "It could not be opened, 2 times in a row: sentiment-de:3 can't be opened: OSError.",
        "It is left alone for 12 s more, then the next text tries.",
    ]
    assert sentences.request(broken) == ["A text now is refused: 503, Retry-After 12 s."]


def test_model_that_never_fits_says_the_numbers() -> None:
    """What it takes, what there is, what of it is pinned."""
    memory = MemoryBudget(limit=250 * MIB, used=200 * MIB, pinned=200 * MIB)
    large = facts(memory=memory)

    assert sentences.why(large)[-1] == (
        "It does not fit: it takes 100 MiB, the budget is 250 MiB, 200 MiB of them pinned "
        "(POLYSENT_MEMORY)."
    )
    assert sentences.request(large) == ["A text now is refused: 503, model_too_large."]


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (
            {"closes": ["sentiment-fr:1", "sentiment-it:2"]},
            "To make room for 100 MiB, sentiment-fr:1, sentiment-it:2 would be closed.",
        ),
        ({"room_seconds": 5.0}, "Room is made in 5.0 s at the earliest."),
        ({"room_seconds": None}, "There is no room, and nothing that may be closed now."),
        ({"load_seconds": 0.1, "loads": 1}, "Opening it takes about 100 ms, as the last time."),
        ({"load_seconds": 0.1}, "Opening it takes about 100 ms, as the others took."),
        ({"tokenizer": "cold"}, "Its tokenizer is loaded first."),
        ({"tokenizer": None}, "Its files can't be read."),
        (
            {"queue_seconds": 0.0},
            "How long the engine takes is not known: it has computed nothing yet.",
        ),
    ],
)
def test_request_says_what_it_would_cost(known: dict[str, Any], said: str) -> None:
    """What must happen first, and how long that takes."""
    assert said in sentences.request(facts(**known))


def test_loading_model_says_whether_it_waits_for_room() -> None:
    """Nothing is reserved for it before there is room."""
    assert sentences.why(facts("loading", bytes=MIB)) == ["It is being opened."]
    assert sentences.why(facts("loading")) == [
        "It waits for room to be opened in: 400 MiB of 1000 MiB are in use, 0 B of them pinned."
    ]


def test_model_that_does_not_answer_alone_says_who_else_does() -> None:
    """The challenger with its share and shadow, and a version that waits, with the reason."""
    named = ModelAnswer(name="sentiment-de", version=4)
    tag = "sentiment-de:v000004-00000000"
    challenger = Challenger(
        model=named, tag=tag, state="resident", bytes=MIB, hits=3, share=0.1, shadow=True
    )
    swap = PendingSwap(model=named, tag=tag, why="model.bin has 10 bytes of 20")

    assert sentences.why(facts(challenger=challenger))[-1] == (
        "Its challenger sentiment-de:4 is resident and answers 10% of the requests "
        "and runs in the shadow of the others."
    )
    assert sentences.why(facts(swap=swap))[-1] == (
        "The routes want sentiment-de:4, which does not take part yet: "
        "model.bin has 10 bytes of 20."
    )
