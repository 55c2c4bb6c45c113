from models.manifest import Gate
from registry.gate.choose import chosen, climb, report

NAMES = ("int8", "smooth", "fp32", "blocks")


def verdict(agreement: float, *reasons: str) -> Gate:
    """Return a gate with a verdict."""
    return Gate(
        texts=200,
        texts_source="",
        agreement=agreement,
        mean_score_change=0.0,
        data_digest="",
        reasons=reasons,
    )


VERDICTS = {
    "int8": verdict(0.95, "agrees too little"),
    "smooth": verdict(0.995),
    "fp32": verdict(1.0),
    "blocks": verdict(0.998),
}


def test_the_first_that_passes_wins_and_those_after_it_are_not_tried() -> None:
    """A gate takes seconds, an export may take minutes."""
    verdicts = climb(NAMES, VERDICTS.__getitem__)

    assert list(verdicts) == ["int8", "smooth"]
    assert chosen(verdicts) == "smooth"


def test_a_rung_without_a_verdict_is_passed_over() -> None:
    """It could not be exported, or is slower than fp32 here."""
    assert list(climb(NAMES, (VERDICTS | {"smooth": None}).get)) == ["int8", "fp32"]


def test_where_none_passes_the_one_that_came_nearest_is_refused() -> None:
    """Its reasons are those to mend."""
    verdicts = {
        "int8": verdict(0.9, "one", "two"),
        "smooth": verdict(0.97, "one"),
        "fp32": verdict(0.98, "one"),
    }

    assert chosen(climb(list(verdicts), verdicts.__getitem__)) == "fp32"


def test_the_report_shows_what_each_rung_agreed_and_cost() -> None:
    """Refused, taken, not tried, not to be had."""
    rungs = report(
        NAMES,
        {"int8": 30, "smooth": 40, "fp32": 120},
        {"int8": 1.75, "smooth": 1.5},
        {name: VERDICTS[name] for name in ("int8", "smooth")},
        {"blocks": "no such operator"},
    )

    assert [(rung.name, rung.nbytes, rung.speed, rung.agreement) for rung in rungs] == [
        ("int8", 30, 1.75, 0.95),
        ("smooth", 40, 1.5, 0.995),
        ("fp32", 120, None, None),
        ("blocks", 0, None, None),
    ]
    assert [rung.reasons for rung in rungs] == [
        ("agrees too little",),
        (),
        (),
        ("no such operator",),
    ]
