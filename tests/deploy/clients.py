"""Clients who ask again and again, and remember every answer that was none."""

import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

WORDS = {"good": "positive", "bad": "negative"}


@dataclass(slots=True)
class Clients:
    """What they asked and what went wrong."""

    url: str
    languages: Sequence[str]
    pause: float = 0.0
    """Seconds between an answer and the next question of a client."""
    asked: int = 0
    failed: list[str] = field(default_factory=list)
    slowest: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def asking(self, clients: int) -> Iterator[None]:
        """Let so many ask meanwhile, each over a connection of their own."""
        threads = [threading.Thread(target=self._ask, args=[n]) for n in range(clients)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def _ask(self, number: int) -> None:
        words = itertools.cycle(WORDS.items())
        with httpx.Client(base_url=self.url, trust_env=False, timeout=30) as client:
            for turn in itertools.count(number):
                if self._stop.is_set():
                    return
                language = self.languages[turn * 7 % len(self.languages)]
                word, label = next(words)
                began = time.perf_counter()
                said = _answer(client, language, f"{word} film {number} {turn}")
                self.slowest = max(self.slowest, time.perf_counter() - began)
                self.asked += 1
                if said != label:
                    self.failed.append(f"{language}: {said}")
                time.sleep(self.pause)


def _answer(client: httpx.Client, language: str, text: str) -> str:
    try:
        response = client.post(f"/predict/{language}", json={"text": text})
    except httpx.HTTPError as error:
        return repr(error)
    return str(response.json()["label"] if response.is_success else response.status_code)
