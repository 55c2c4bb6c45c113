"""Who gets an answer at all."""

import hmac
import logging
from collections.abc import Container, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Any, Self

from starlette.datastructures import Headers

from models.errors import NoKeys, RateLimited, Unauthorized
from models.keys import Scope, keys_file
from models.settings import Settings
from models.store import Store
from serving.caller import ANYONE, Caller
from serving.http.keyring import Keyring

_LOG = logging.getLogger(__name__)

PROBES = frozenset(
    {"/healthz", "/livez", "/readyz", "/ping", "/v2/health/live", "/v2/health/ready"}
)
"""What is answered to everyone: compared with the path that is routed, to the letter."""
LOOKS = frozenset({"GET", "HEAD"})
"""The methods for which it is: the bodies of others would be read from everyone."""

Address = tuple[str, int | None]
"""A socket's own: host and port, or a path and None."""

OPERATOR = Caller("admin token", Scope.ADMIN)
SEND = "send `Authorization: Bearer KEY` or `X-API-Key: KEY`"
MAKE = "`polysent keys add NAME` makes a key, POLYSENT_INSECURE=1 lets everyone in (docs/access.md)"


@dataclass(slots=True)
class Access:
    """Says who asks, and refuses who may not.

    1. Probes and preflights (CORS) are answered to everyone.
    2. Who sends a good key is known, wherever they ask from.
    3. Where there are keys, nobody else is answered; where there are none, who came in at a
       loopback address is, and others only if the service was told to be insecure.
    4. Who came in so must have asked for an IP address or `localhost`: under a name of its own that
       leads here, a page in a browser would read the answers (DNS rebinding).
    """

    keyring: Keyring
    insecure: bool = False
    open_paths: Container[str] = PROBES
    _token: bytes = b""

    @classmethod
    def of(cls, settings: Settings, store: Store) -> Self:
        """Return what the settings say; the file of the keys is not read yet."""
        path, named = keys_file(settings, store), bool(settings.keys_file)
        paths = PROBES | {"/metrics"} if settings.open_metrics else PROBES
        return cls(Keyring(path, named=named), insecure=settings.insecure, open_paths=paths)

    def trust(self, token: str) -> None:
        """Let the token of the control plane be a key of scope `admin`."""
        self._token = token.encode()

    def __call__(self, scope: Mapping[str, Any], headers: Headers) -> Caller:
        """Return who asks; Unauthorized, NoKeys or RateLimited where they get no answer."""
        is_open = scope["path"] in self.open_paths and scope["method"] in LOOKS
        if is_open or _is_preflight(scope, headers):
            return ANYONE
        given = credential(headers)
        if given and (caller := self._known(given)):
            return _within_rate(caller)
        if self.keyring.needed:
            message = f"this key is not known; {SEND}" if given else SEND
            raise Unauthorized(message)
        if self.insecure:
            return ANYONE
        server: Address | None = scope.get("server")
        if server and is_loopback(server):
            return _by_a_name_of_ours(server, headers)
        message = f"this service has no keys, so it answers on loopback addresses only; {MAKE}"
        raise NoKeys(message)

    def announce(self, address: str | None) -> None:
        """Log who will be answered at the address where the service listens, if that is a risk."""
        if self.keyring.needed or address is None or is_loopback((address, None)):
            return
        if self.insecure:
            _LOG.warning("Whoever reaches %s is answered: POLYSENT_INSECURE is set", address)
        else:
            _LOG.warning(
                "There are no keys: who asks at %s from elsewhere gets 403; %s", address, MAKE
            )

    def _known(self, given: str) -> Caller | None:
        if caller := self.keyring.caller(given):
            return caller
        operator = self._token and hmac.compare_digest(given.encode(), self._token)
        return OPERATOR if operator else None


def credential(headers: Headers) -> str:
    """Return the key that a request carries, or nothing.

    `X-API-Key` comes first: platforms put tokens of their own into `Authorization`.
    """
    if key := headers.get("x-api-key", ""):
        return key
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


@lru_cache(maxsize=64)
def is_loopback(address: Address | None) -> bool:
    """Say whether a socket's own address can be reached from this machine alone.

    True for the path of a Unix socket; False where nothing is known.
    """
    if address is None:
        return False
    host, port = address
    if port is None and host.startswith("/"):
        return True
    try:
        ip = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
    return (mapped or ip).is_loopback


def _by_a_name_of_ours(server: Address, headers: Headers) -> Caller:
    """Let in who asked a Unix socket, an IP address or `localhost`; NoKeys for any other name."""
    host = headers.get("host", "")
    if server[1] is None or not host or _is_ours(host):
        return ANYONE
    message = (
        "this service has no keys, so it answers at IP addresses and `localhost` only, as a page in"
        f" a browser could have any other name lead here; {MAKE}"
    )
    raise NoKeys(message)


def _is_ours(host: str) -> bool:
    """Say whether a `Host` is an IP address or `localhost`, with a port or without."""
    name, bracket, _ = host.removeprefix("[").partition("]")
    if not bracket:
        name = host.partition(":")[0]
    if name.lower() == "localhost":
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_preflight(scope: Mapping[str, Any], headers: Headers) -> bool:
    options = scope["method"] == "OPTIONS"
    return options and "origin" in headers and "access-control-request-method" in headers


def _within_rate(caller: Caller) -> Caller:
    bucket = caller.bucket
    if bucket and (seconds := bucket.wait):
        message = f"the key {caller.name!r} may ask for {bucket.rate:g} texts a second"
        raise RateLimited(message, retry_after=seconds)
    caller.pay(1)
    return caller
