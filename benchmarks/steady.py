"""One client that asks at a steady rate and remembers which version answered what."""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from itertools import count

PATIENCE = 30.0
AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer: when it came, of which version (0: none), and the scores; or what failed."""

    at: float
    text: str
    version: int
    scores: dict[str, float]
    failed: str = ""


@dataclass(slots=True)
class Steady:
    """Asks texts in turn, open loop: a slow answer does not make the next question late."""

    url: str
    language: str
    texts: Sequence[str]
    rate: float
    answers: list[Answered] = field(default_factory=list)

    def first(self, version: int, since: float, within: float) -> float:
        """Return the seconds from `since` to the first answer of a version; infinity if none."""
        ends = time.monotonic() + within
        while time.monotonic() < ends:
            for answer in list(self.answers):
                if answer.at >= since and answer.version == version:
                    return answer.at - since
            time.sleep(0.01)
        return float("inf")

    def ask(self, text: str) -> None:
        """Ask once, and remember."""
        try:
            self.answers.append(self._answer(text))
        except (OSError, HTTPException, ValueError, LookupError) as error:
            self.answers.append(Answered(time.monotonic(), text, 0, {}, repr(error)))

    def _answer(self, text: str) -> Answered:
        connection = HTTPConnection(self.url.removeprefix("http://"), timeout=PATIENCE)
        body = json.dumps({"text": text, "language": self.language}).encode()
        try:
            connection.request("POST", "/predict", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            said = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status != HTTPStatus.OK:
            return Answered(time.monotonic(), text, 0, {}, f"{answer.status} {said}")
        version = int(said["model"]["version"])
        return Answered(time.monotonic(), text, version, said["scores"])


@contextmanager
def asking(steady: Steady) -> Iterator[None]:
    """Ask meanwhile."""
    over = threading.Event()

    def run() -> None:
        began = time.monotonic()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for number in count():
                if over.wait(max(0.0, began + number / steady.rate - time.monotonic())):
                    return
                pool.submit(steady.ask, steady.texts[number % len(steady.texts)])

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
