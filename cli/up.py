"""`polysent up`: builds what is missing, starts MLflow and the service, stops them."""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from types import FrameType
from urllib.parse import urlsplit

import typer

from cli import servers
from cli.board import Board
from cli.console import MISUSED, REFUSED, err, out
from cli.events import SOME_FAILED, heard
from cli.http import answers
from cli.processes import Child, Talker, port_is_free
from models.errors import ManifestInvalid
from models.routes import Routes
from models.settings import Settings
from models.store import Store

TICK_SECONDS = 0.2
LOOK_SECONDS = 2.0
"""How often MLflow and the builder are looked after."""
PORT_SECONDS = 10.0
"""How long a port may still be held by what is just ending."""


@dataclass(slots=True)
class Up:
    """Two servers, a builder and a sync, looked after until someone says stop.

    What is in the store is served first; MLflow, slow to start, comes when that answers.
    """

    settings: Settings
    store: Store
    build: bool
    board: Board
    service: Child
    mlflow: Child | None
    builder: Talker
    syncer: Child
    _announced: bool = False
    _looked: float = float("-inf")
    _said: set[str] = field(default_factory=set)

    def tick(self) -> None:
        """Do whatever can be done now; raises typer.Exit where it can't go on."""
        if not self.service.started and (self._routed() or not self.build):
            self.board.say("[dim]starting the service[/]")
            self.service.start()
        if self.service.exit_code is not None:
            self._give_up("The service ended", self.service)
        if self.service.running and not self._announced:
            self._announce()
        if (self._announced or not self._routed()) and self._time_to_look():
            self._look_after_registry()

    def stop(self) -> None:
        """Stop all of them, those that ask first."""
        for ending in (signal.SIGINT, signal.SIGTERM):
            signal.signal(ending, signal.SIG_IGN)  # a second Ctrl-C must not leave one behind
        for child in (self.builder, self.syncer, self.service, self.mlflow):
            if child is not None:
                child.stop()

    def _routed(self) -> bool:
        with suppress(ManifestInvalid):  # the next sync remakes them
            return self._announced or bool(Routes.read(self.store.routes).languages)
        return False

    def _time_to_look(self) -> bool:
        now = time.monotonic()
        due = now - self._looked >= LOOK_SECONDS
        self._looked = now if due else self._looked
        return due

    def _look_after_registry(self) -> None:
        if answers(f"{self.settings.mlflow_uri}/health"):
            if self.mlflow:
                self.mlflow.worked()
            self._look_after_builder()
            self._look_after_syncer()
        elif self.mlflow is None:
            self._say_once(f"[dim]Waiting for MLflow at {self.settings.mlflow_uri}[/]")
        elif not self.mlflow.running:
            self._start_mlflow(self.mlflow)

    def _start_mlflow(self, mlflow: Child) -> None:
        ended = mlflow.started
        if mlflow.start_again():
            again = "[yellow]MLflow ended[/]; it is started again"
            self.board.say(again if ended else "[dim]starting MLflow[/]")
        elif self._announced:
            self._say_once(f"[yellow]MLflow can't start[/], answers go on. Its log: {mlflow.log}")
        else:
            self._give_up("MLflow can't start", mlflow)

    def _look_after_builder(self) -> None:
        if not self.build or self.builder.running or self.builder.exit_code == 0:
            return
        ended = self.builder.started
        if self.builder.exit_code == SOME_FAILED or not self.builder.start_again():
            if not self._routed():
                self._give_up("No model could be built", self.builder)
            return
        if ended:
            self.board.say(f"[yellow]The builder ended[/]; it goes on. Its log: {self.builder.log}")
        threading.Thread(target=self._listen, args=[self.builder.lines()], daemon=True).start()

    def _look_after_syncer(self) -> None:
        if self.syncer.running:
            if answers(f"{self.settings.sync_url}/livez"):
                self.syncer.worked()
        elif not self.syncer.start_again():
            self._say_once(f"[yellow]Promotions are not seen[/]. The log: {self.syncer.log}")

    def _say_once(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self.board.say(text)

    def _listen(self, lines: Iterator[str]) -> None:
        for line in lines:
            if event := heard(line):
                self.board.show(event)

    def _announce(self) -> None:
        url = servers.service_url(self.settings)
        if not answers(f"{url}/readyz"):
            return
        self._announced = True
        self.board.say(
            f"""
[bold green]Polysent answers[/]   {url}
[bold green]Models are moved[/]   {self.settings.mlflow_uri}

  curl -s {url}/predict -H 'Content-Type: application/json' -d '{{"text": "I love it"}}'

[dim]Logs: {self.settings.home}/logs. Ctrl-C stops all.[/]"""
        )

    def _give_up(self, what: str, child: Child) -> None:
        err.print(f"[bold red]{what}[/]; the end of {child.log}:")
        err.print(child.last_words(), markup=False, highlight=False)
        raise typer.Exit(REFUSED)


def up(settings: Settings, *, build: bool) -> None:
    """Run until Ctrl-C or SIGTERM; what was interrupted goes on at the next start."""
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, _interrupt)  # also where a shell has set it to be ignored
    mlflow = _own_mlflow(settings)
    _want_port(settings.host, settings.port, "POLYSENT_PORT", "the service")
    if settings.admin_port:
        _want_port(settings.admin_host, settings.admin_port, "POLYSENT_ADMIN_PORT", "the service")
    builder = Talker(
        name="fleet",
        argv=[sys.executable, "-m", "cli.fleet"],
        log=settings.home / "logs" / "fleet.log",
        environment=servers.QUIET,
    )
    with ExitStack() as stack:
        board = stack.enter_context(Board(out))
        service, syncer = servers.service(settings), servers.syncer(settings)
        running = Up(settings, Store.default(), build, board, service, mlflow, builder, syncer)
        stack.callback(running.stop)
        with suppress(KeyboardInterrupt):
            while True:
                running.tick()
                time.sleep(TICK_SECONDS)
        board.say("Stopping; the same command goes on from here.")


def _own_mlflow(settings: Settings) -> Child | None:
    """Return the MLflow server to look after; None where it is another machine's."""
    if not servers.is_local(settings.mlflow_uri):
        return None
    if not answers(f"{settings.mlflow_uri}/health"):
        address = urlsplit(settings.mlflow_uri)
        host, port = address.hostname or "127.0.0.1", address.port or 80
        _want_port(host, port, "POLYSENT_MLFLOW_URI", "MLflow")
    return servers.mlflow(settings)


def _want_port(host: str, port: int, setting: str, who: str) -> None:
    deadline = time.monotonic() + PORT_SECONDS
    while not port_is_free(host, port):
        if time.monotonic() > deadline:
            err.print(
                f"[bold red]Port {port} on {host} is taken[/], {who} can't start. End the program "
                f"that has it, or set {setting}.",
                highlight=False,
            )
            raise typer.Exit(MISUSED)
        time.sleep(TICK_SECONDS)


def _interrupt(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt
