import logging
from pathlib import Path
from typing import Any

import pytest
from starlette.datastructures import Headers

from models.errors import NoKeys, RateLimited, Unauthorized
from models.keys import Key, Scope, change
from models.settings import Settings
from models.store import Store
from serving.caller import ANYONE
from serving.http.access import Access, credential, is_loopback
from serving.http.keyring import Keyring

LOOPBACK, ELSEWHERE = ("127.0.0.1", 3000), ("10.1.2.3", 3000)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the keys will be."""
    return tmp_path / "keys.json"


@pytest.fixture
def access(path: Path) -> Access:
    """Return an access by the keys of that file."""
    return Access(Keyring(path))


def add(path: Path, scope: Scope = Scope.PREDICT, rate: float | None = None) -> str:
    """Add a key to a file."""
    entry, key = Key.new(f"{scope}-key", scope, rate)
    change(path, lambda keys: keys.with_(entry))
    return key


def asked(path: str = "/predict", server: object = ELSEWHERE, method: str = "POST") -> Any:  # noqa: ANN401
    """Return the scope of a request."""
    return {"type": "http", "method": method, "path": path, "server": server, "client": LOOPBACK}


def bearer(key: str) -> Headers:
    """Return the headers that carry a key."""
    return Headers({"Authorization": f"Bearer {key}"})


def test_without_keys_only_this_machine_is_answered(access: Access) -> None:
    """By the address that was asked: who asks may lie, and a proxy makes everyone local."""
    assert access(asked(server=LOOPBACK), Headers()) is ANYONE
    with pytest.raises(NoKeys, match="polysent keys add") as refused:
        access(asked(), Headers())
    assert "POLYSENT_INSECURE=1" in str(refused.value)
    with pytest.raises(NoKeys):
        access(asked(), bearer("polysent_whatever"))


def test_with_keys_every_address_needs_one(access: Access, path: Path) -> None:
    """Loopback too: a sidecar or a proxy asks from there."""
    key = add(path)
    for server in (LOOPBACK, ELSEWHERE):
        assert access(asked(server=server), bearer(key)).name == "predict-key"
        for headers in (Headers(), bearer(""), bearer(key[:-1]), Headers({"Authorization": key})):
            with pytest.raises(Unauthorized, match="Authorization: Bearer KEY"):
                access(asked(server=server), headers)


def test_insecure_is_for_services_without_keys(path: Path) -> None:
    """Who has made a key wants it to be needed."""
    access = Access(Keyring(path), insecure=True)
    assert access(asked(), Headers()) is ANYONE

    add(path)
    access.keyring._next = 0
    with pytest.raises(Unauthorized):
        access(asked(), Headers())


@pytest.mark.parametrize(
    "where",
    ["/healthz", "/livez", "/readyz", "/ping", "/v2/health/live", "/v2/health/ready"],
)
def test_probes_are_answered_to_everyone(access: Access, where: str) -> None:
    """Kubernetes has no key."""
    for method in ("GET", "HEAD"):
        assert access(asked(where, method=method), Headers()) is ANYONE


def test_probe_with_a_body_is_none(access: Access) -> None:
    """It would be read from everyone, to be told that the method is wrong."""
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        with pytest.raises(NoKeys):
            access(asked("/livez", method=method), Headers())


@pytest.mark.parametrize(
    ("host", "here"),
    [
        *(
            ("127.0.0.1:3000", True),
            ("127.0.0.1", True),
            ("10.1.2.3:80", True),
            ("[::1]:3000", True),
        ),
        *(("localhost:3000", True), ("LOCALHOST", True), ("[::1]", True), ("", True)),
        *(("evil.example:3000", False), ("evil.example", False), ("localhost.evil.example", False)),
        *(("127.0.0.1.evil.example", False), ("[evil.example]", False), ("polysent", False)),
    ],
)
def test_without_keys_no_other_name_leads_here(access: Access, host: str, *, here: bool) -> None:
    """A page whose name leads to 127.0.0.1 is of the same origin, so that it could read answers."""
    said = Headers({"Host": host} if host else {})
    for server in (LOOPBACK, ("::1", 3000)):
        if here:
            assert access(asked(server=server), said) is ANYONE
        else:
            with pytest.raises(NoKeys, match="a page in a browser"):
                access(asked(server=server), said)
    assert access(asked(server=("/run/polysent.sock", None)), said) is ANYONE
    assert access(asked("/livez", LOOPBACK, "GET"), said) is ANYONE


def test_who_has_a_key_asks_by_any_name(access: Access, path: Path) -> None:
    """Nor is a service that was told to be insecure asked for its name."""
    named = Headers({"Host": "shop.example"})
    assert Access(Keyring(path), insecure=True)(asked(server=LOOPBACK), named) is ANYONE

    key = add(path)
    said = Headers({"Host": "shop.example", "X-API-Key": key})
    assert access(asked(server=LOOPBACK), said).name == "predict-key"


@pytest.mark.parametrize(
    "where",
    [
        *("//livez", "/livez/", "/livez/../predict", "/./livez", "/LIVEZ", "/livez;a", "/livez\0"),
        *("/predict//livez", "/v2/health/live/../../models", "", "/", "livez", "/metrics"),
    ],
)
def test_what_only_looks_like_a_probe_is_none(access: Access, where: str) -> None:
    """The path is compared to the letter, as it is routed: nothing is cleaned up on the way."""
    with pytest.raises(NoKeys):
        access(asked(where, method="GET"), Headers())


def test_preflight_is_answered_to_everyone() -> None:
    """A browser sends no key with it; an OPTIONS that is none needs one."""
    access = Access(Keyring(Path("none"), named=True))
    headers = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}

    assert access(asked(method="OPTIONS"), Headers(headers)) is ANYONE
    for method, sent in (("POST", headers), ("OPTIONS", {}), ("OPTIONS", {"Origin": "x"})):
        with pytest.raises(Unauthorized):
            access(asked(method=method), Headers(sent))


@pytest.mark.parametrize(("settings", "status"), [({}, 401), ({"open_metrics": True}, 200)])
def test_metrics_are_open_by_choice(tmp_path: Path, settings: dict[str, bool], status: int) -> None:
    """They tell who speaks which language how much."""
    store = Store(tmp_path)
    add(store.keys)
    access = Access.of(Settings(**settings), store)  # type: ignore[arg-type]

    try:
        access(asked("/metrics", method="GET"), Headers())
        said = 200
    except Unauthorized as error:
        said = error.status
    assert said == status


def test_token_of_the_control_plane_is_a_key_of_an_admin(access: Access) -> None:
    """From everywhere; while none is set, an empty one is none."""
    with pytest.raises(NoKeys):
        access(asked(), bearer(" "))
    access.trust("let-me-in")

    assert access(asked(), bearer("let-me-in")).scope is Scope.ADMIN
    with pytest.raises(NoKeys):
        access(asked(), bearer("let-me-inx"))


def test_key_that_asks_too_often_waits(access: Access, path: Path) -> None:
    """429 says how long; others are let in meanwhile."""
    slow, other = add(path, rate=0.1), add(path, Scope.ADMIN)
    access(asked(), bearer(slow))

    with pytest.raises(RateLimited) as refused:
        access(asked(), bearer(slow))
    assert refused.value.retry_after == pytest.approx(10, abs=0.5)
    assert access(asked(), bearer(other)).scope is Scope.ADMIN
    assert access(asked("/livez", method="GET"), bearer(slow)) is ANYONE


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({"Authorization": "Bearer k"}, "k"),
        ({"authorization": "bearer  k "}, "k"),
        ({"X-API-Key": "k"}, "k"),
        ({"Authorization": "Bearer of-the-platform", "X-API-Key": "k"}, "k"),
        ({"Authorization": "Basic k"}, ""),
        ({"Authorization": "k"}, ""),
        ({"Authorization": "Bearer"}, ""),
        ({}, ""),
    ],
)
def test_key_stands_in_either_header(headers: dict[str, str], key: str) -> None:
    """`X-API-Key` wins: platforms fill the other one."""
    assert credential(Headers(headers)) == key


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (("127.0.0.1", 3000), True),
        (("127.8.8.8", 3000), True),
        (("::1", 3000), True),
        (("::ffff:127.0.0.1", 3000), True),
        (("/run/polysent.sock", None), True),
        (("0.0.0.0", 3000), False),  # noqa: S104  (compared)
        (("::", 3000), False),
        (("::ffff:10.0.0.1", 3000), False),
        (("fe80::1%eth0", 3000), False),
        (("192.168.1.1", 3000), False),
        (("localhost.example.org", 3000), False),
        (None, False),
    ],
)
def test_loopback_is_what_only_this_machine_reaches(
    address: tuple[str, int | None] | None, *, expected: bool
) -> None:
    """Nothing known is not loopback."""
    assert is_loopback(address) is expected


@pytest.mark.parametrize(
    ("address", "insecure", "said"),
    [
        ("0.0.0.0", False, "polysent keys add"),  # noqa: S104  (the rule's point)
        ("10.1.2.3", True, "POLYSENT_INSECURE is set"),
        ("127.0.0.1", False, ""),
        (None, False, ""),
    ],
)
def test_start_says_what_strangers_get(
    path: Path, address: str | None, *, insecure: bool, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Once, in the log; nothing where keys are needed."""
    with caplog.at_level(logging.WARNING):
        Access(Keyring(path), insecure=insecure).announce(address)
        Access(Keyring(path, named=True), insecure=insecure).announce(address)

    assert len(caplog.records) == bool(said)
    assert said in caplog.text
