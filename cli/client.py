"""The running service, asked over HTTP; what it refuses is said in its own words."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NoReturn
from urllib.parse import quote

import httpx
import typer
from rich.markup import escape

from cli import console, servers
from models.settings import Settings
from models.store import Store

GRACE_SECONDS = 5.0
"""The service answers within its own time; the command waits so much longer."""


@dataclass(frozen=True, slots=True)
class Client:
    """One service; whatever goes wrong ends the command with exit code 1 and a sentence."""

    url: str
    token: str
    seconds: float

    @classmethod
    def of(cls, settings: Settings, url: str = "", token: str = "") -> "Client":
        """Return the client of a service: by default that of the settings, on this machine.

        That one is asked at its admin port, where it has one.

        Its token is the one given, else that of the settings, else what the service wrote into
        the store of this machine, which is sent to this machine alone.
        """
        given = token or settings.admin_token.get_secret_value()
        found = given or (_written() if not url or servers.is_local(url) else "")
        address = url.rstrip("/") or servers.admin_url(settings)
        return cls(address, found, settings.request_seconds + GRACE_SECONDS)

    def models(self) -> dict[str, Any]:
        """Return all that is served."""
        return self._ask("GET", "/models")

    def explain(self, language: str) -> dict[str, Any]:
        """Return why one model is in memory or not."""
        return self._ask("GET", f"/models/{quote(language, safe='')}")

    def change(self, language: str, verb: str) -> dict[str, Any]:
        """Pin, unpin or evict; returns the model as it is then."""
        return self._ask("POST", f"/models/{quote(language, safe='')}/{verb}")

    def _ask(self, method: str, path: str) -> dict[str, Any]:
        bearer = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        try:
            answer = httpx.request(
                method, self.url + path, headers=bearer, timeout=self.seconds, trust_env=False
            )
        except httpx.TimeoutException:
            _end(f"{self.url} does not answer", f"not within {self.seconds:g} s")
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            _end(f"No service answers at {self.url}", str(error))
        said = _said(answer)
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            _end(said["title"], _where_the_token_is(self.token))
        if answer.status_code == HTTPStatus.NOT_FOUND:
            _end(said["title"], "that service has a port of its own for it: POLYSENT_ADMIN_PORT")
        if answer.is_error:
            _end(said["title"], said["detail"])
        return said


def _said(answer: httpx.Response) -> dict[str, Any]:
    """Return what a Polysent service says: its JSON, or its problem."""
    media_type = "application/problem+json" if answer.is_error else "application/json"
    if answer.headers.get("content-type") != media_type:
        _end(f"What answers at {answer.url} is no Polysent service", f"HTTP {answer.status_code}")
    said: dict[str, Any] = answer.json()
    return said


def _end(what: str, why: str) -> NoReturn:
    console.err.print(f"[bold red]{escape(what)}[/]: {escape(why)}", highlight=False)
    raise typer.Exit(console.REFUSED)


def _where_the_token_is(sent: str) -> str:
    there = "give the service's own with --token or POLYSENT_ADMIN_TOKEN, or run the command as"
    return f"{'it was wrong' if sent else 'none was found'}; {there} the user of the service"


def _written() -> str:
    try:
        return Store.default().token.read_text("ascii")
    except (OSError, UnicodeDecodeError):
        return ""
