import pytest
from starlette.datastructures import Headers

from models.errors import InvalidHeader, UnsupportedMediaType
from serving.http.headers import must_be, next_span, patience, request_id, server_timing

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"


def said(*pairs: tuple[str, str]) -> Headers:
    """Return headers; a name may stand there twice."""
    return Headers(raw=[(name.encode(), value.encode()) for name, value in pairs])


@pytest.mark.parametrize(
    ("pairs", "seconds", "applied"),
    [
        ([], 60, None),
        ([("prefer", "wait=2")], 2, "wait=2"),
        ([("prefer", "respond-async, Wait = 0.5; x=1")], 0.5, "wait=0.5"),
        ([("prefer", 'wait="3"')], 3, "wait=3"),
        ([("prefer", "handling=lenient"), ("prefer", "wait=4")], 4, "wait=4"),
        ([("prefer", "wait=5, wait=1")], 5, "wait=5"),
        ([("prefer", "await=1, waiting")], 60, None),
        ([("prefer", "wait=600")], 60, None),
        ([("x-request-timeout", "1.5")], 1.5, None),
        ([("x-request-timeout", "1e-3")], 0.001, None),
        ([("x-request-timeout", "3"), ("prefer", "wait=2")], 2, "wait=2"),
        ([("x-request-timeout", "1"), ("prefer", "wait=2")], 1, None),
    ],
)
def test_shortest_time_holds(
    pairs: list[tuple[str, str]], seconds: float, applied: str | None
) -> None:
    """The service's, the preference's or the header's; a preference that decides is applied."""
    found = patience(said(*pairs), longest=60)

    assert (found.seconds, found.applied) == (seconds, applied)


@pytest.mark.parametrize("name", ["x-request-timeout", "prefer"])
@pytest.mark.parametrize("spelled", ["", "0", "0.0", "-1", "ten", "nan", "inf", "1s", "1e-999"])
def test_time_that_is_none_is_refused(name: str, spelled: str) -> None:
    """It is not guessed what the caller meant."""
    value = f"wait={spelled}" if name == "prefer" else spelled

    with pytest.raises(InvalidHeader):
        patience(said((name, value)), longest=60)


@pytest.mark.parametrize("given", ["a", "7f1d-4c", "x" * 128])
def test_request_id_of_the_caller_is_kept(given: str) -> None:
    """Up to 128 visible ASCII characters."""
    assert request_id(said(("x-request-id", given))) == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "é", "a\tb"])
def test_request_id_that_can_not_be_sent_back_is_replaced(given: str) -> None:
    """Each request has one of its own."""
    headers = said(("x-request-id", given))

    assert len(request_id(headers)) == 32
    assert request_id(headers) != request_id(headers)


def test_span_is_new_and_its_trace_the_callers() -> None:
    """W3C Trace Context: trace id and flags stay."""
    spans = [next_span(said(("traceparent", f"00-{TRACE}-{SPAN}-01"))) for _ in range(2)]

    for span in spans:
        assert span is not None
        version, trace, parent, flags = span.split("-")
        assert (version, trace, flags) == ("00", TRACE, "01")
        assert parent != SPAN
    assert spans[0] != spans[1]


@pytest.mark.parametrize(
    ("given", "valid"),
    [
        (f"00-{TRACE}-{SPAN}-01", True),
        (f"cc-{TRACE}-{SPAN}-01-what-comes", True),
        (f"00-{TRACE}-{SPAN}-01-more", False),
        (f"ff-{TRACE}-{SPAN}-01", False),
        (f"00-{'0' * 32}-{SPAN}-01", False),
        (f"00-{TRACE}-{'0' * 16}-01", False),
        (f"00-{TRACE.upper()}-{SPAN}-01", False),
        ("", False),
    ],
)
def test_trace_that_is_none_is_ignored(given: str, valid: bool) -> None:  # noqa: FBT001
    """As the specification asks."""
    assert (next_span(said(("traceparent", given))) is not None) == valid


def test_two_traces_are_none() -> None:
    """The specification knows one only."""
    pair = ("traceparent", f"00-{TRACE}-{SPAN}-01")

    assert next_span(said(pair, pair)) is None


def test_timing_is_in_milliseconds_by_stage() -> None:
    """What did not occur is left out; the total is always there."""
    assert server_timing({"detect": 0.0001, "infer": 0.0125}, 0.02) == (
        "detect;dur=0.10, infer;dur=12.50, total;dur=20.00"
    )
    assert server_timing({}, 0.001) == "total;dur=1.00"


@pytest.mark.parametrize(
    "pair",
    [
        ("content-type", "text/plain"),
        ("content-type", ""),
        ("content-encoding", "gzip"),
        ("content-encoding", "br"),
    ],
)
def test_body_of_another_kind_is_refused(pair: tuple[str, str]) -> None:
    """Compressed ones too: how large they are would be known too late."""
    with pytest.raises(UnsupportedMediaType):
        must_be(said(pair), "application/json")


@pytest.mark.parametrize(
    "pairs",
    [
        [],
        [("content-type", "Application/JSON; charset=utf-8"), ("content-encoding", "identity")],
        [("content-type", "application/jsonl")],
    ],
)
def test_body_that_is_declared_rightly_or_not_at_all_is_read(pairs: list[tuple[str, str]]) -> None:
    """Parameters and case do not matter."""
    must_be(said(*pairs), "application/json", "application/jsonl")
