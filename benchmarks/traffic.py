"""What is sent to a service, and what came of it; the sending is another process, `load`."""

import json
import math
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

UNANSWERED, BROKEN, LEFT = 0, -1, -2
"""Statuses of requests without one: no answer came, the connection broke, the client left."""
OK = 200


@dataclass(frozen=True, slots=True)
class Question:
    """One text to ask about, in a given language."""

    text: str
    language: str

    @property
    def body(self) -> bytes:
        """What is posted."""
        return json.dumps(asdict(self), ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class Plan:
    """How to ask: `clients` that each wait for their answer, or a `rate` a second that does not.

    At the rate, arrivals are Poisson's and latency counts from when a request was due. Sending
    ends after `seconds`; answers are awaited for `grace` seconds more. A share `leaving` of the
    clients hangs up at a random moment within `leaving_within` seconds.
    """

    url: str
    seconds: float
    clients: int = 0
    rate: float = 0.0
    grace: float = 10.0
    leaving: float = 0.0
    leaving_within: float = 0.5
    headers: Mapping[str, str] = field(default_factory=dict)
    path: str = "/predict"
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """One request: the index of its question, monotonic seconds, and the answer's head."""

    index: int
    due: float
    sent: float
    done: float
    status: int
    retry_after: str | None = None
    server_timing: str | None = None

    @property
    def latency(self) -> float:
        """Seconds from when it was due."""
        return self.done - self.due


@dataclass(frozen=True, slots=True)
class Traffic:
    """All records of one plan, in the order of their ends; `cpu_seconds` is the generator's."""

    began: float
    ended: float
    cpu_seconds: float
    records: Sequence[Record]

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read what `to_json` wrote."""
        plain = json.loads(text)
        return cls(**plain | {"records": [Record(*row) for row in plain["records"]]})

    def to_json(self) -> str:
        """Return it in one line."""
        rows = [
            (r.index, r.due, r.sent, r.done, r.status, r.retry_after, r.server_timing)
            for r in self.records
        ]
        plain = {"began": self.began, "ended": self.ended, "cpu_seconds": self.cpu_seconds}
        return json.dumps(plain | {"records": rows})

    def throughput(self, skip: float = 0.0) -> float:
        """Return answers a second, those of the first `skip` seconds left out."""
        since = self.began + skip
        answered = sum(since <= r.done <= self.ended for r in self.answered)
        return answered / (self.ended - since)

    def latency(self, share: float, skip: float = 0.0) -> float:
        """Return the quantile of the answered requests' latency; infinite where none was."""
        return quantile([r.latency for r in self.answered if r.due >= self.began + skip], share)

    @property
    def answered(self) -> Iterator[Record]:
        """The requests that were answered 200."""
        return (record for record in self.records if record.status == OK)

    @property
    def outcomes(self) -> dict[str, int]:
        """How many requests ended how."""
        names = {UNANSWERED: "unanswered", BROKEN: "broken", LEFT: "left"}
        counts = Counter(names.get(r.status, str(r.status)) for r in self.records)
        return dict(sorted(counts.items()))

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds of the generator for each request."""
        return 1000 * self.cpu_seconds / max(len(self.records), 1)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` of all do not exceed; infinite where there are none."""
    if not values:
        return math.inf
    return sorted(values)[min(math.ceil(share * len(values)), len(values)) - 1]


def drive(plan: Plan, questions: Sequence[Question]) -> Traffic:
    """Carry out a plan in a process of its own; RuntimeError with its last words on failure."""
    order: dict[str, Any] = {
        "plan": asdict(plan),
        "questions": [(question.text, question.language) for question in questions],
    }
    with TemporaryDirectory(prefix="polysent-load-") as folder:
        asked, answered = Path(folder) / "order.json", Path(folder) / "traffic.json"
        asked.write_text(json.dumps(order), "utf-8")
        done = subprocess.run(  # noqa: S603  (the argv is ours)
            [sys.executable, "-m", "benchmarks.load", asked, answered],
            stderr=subprocess.PIPE,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(done.stderr.decode(errors="replace"))
        return Traffic.from_json(answered.read_bytes())
