"""The measurements that several benchmarks make of a service."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random

from benchmarks.corpus import Corpus
from benchmarks.options import Options
from benchmarks.server import Service
from benchmarks.traffic import Plan, Question, Traffic, drive
from cli.console import err

SATURATING = 64
"""Clients that keep the service busy."""
WARM_SHARE = 0.15
"""Share of a measurement that is left out at its start."""


@dataclass(slots=True)
class Measuring:
    """Drives a service with texts that no one was asked before; adds up what that cost."""

    options: Options
    corpus: Corpus
    cpu_seconds: float = 0.0
    requests: int = 0
    _chance: Random = field(default_factory=lambda: Random(0))  # noqa: S311

    @classmethod
    def of(cls, options: Options) -> "Measuring":
        """Start with fresh texts."""
        return cls(options, Corpus(options.home))

    @property
    def skip(self) -> float:
        """Seconds at the start of a measurement that are left out."""
        return WARM_SHARE * self.options.seconds

    @property
    def generator(self) -> str:
        """What the load generator cost."""
        each = 1000 * self.cpu_seconds / max(self.requests, 1)
        return f"{self.cpu_seconds:.1f} CPU s for {self.requests} requests, {each:.2f} ms each"

    def questions(self, languages: Sequence[str], count: int, skew: float = 0.0) -> list[Question]:
        """Return texts in these languages, drawn by Zipf's law with exponent `skew`."""
        weights = list(accumulate(1 / (rank + 1) ** skew for rank in range(len(languages))))
        drawn = self._chance.choices(languages, cum_weights=weights, k=count)
        texts = {
            language: iter(self.corpus.texts(language, drawn.count(language)))
            for language in set(drawn)
        }
        return [Question(next(texts[language]), language) for language in drawn]

    def closed(self, url: str, questions: Sequence[Question], clients: int) -> Traffic:
        """Ask with so many clients, each waiting for its answer."""
        return self.carry_out(Plan(url, self.options.seconds, clients=clients), questions)

    def carry_out(self, plan: Plan, questions: Sequence[Question]) -> Traffic:
        """Carry out a plan."""
        how = f"{plan.clients} clients" if plan.clients else f"{plan.rate:.0f} requests a second"
        err.print(f"{how} for {plan.seconds:g} s", highlight=False)
        traffic = drive(plan, questions)
        self.cpu_seconds += traffic.cpu_seconds
        self.requests += len(traffic.records)
        return traffic

    def enough(self, throughput: float) -> int:
        """Return how many questions last for a measurement at a throughput."""
        return int(1.5 * throughput * self.options.seconds) + 100

    def warm(self, service: Service, languages: Sequence[str]) -> None:
        """Load models and run them a few times."""
        for question in self.questions(languages, 4 * len(languages)):
            service.ask(question.text, question.language)
        for language in languages:
            for text in self.corpus.texts(language, 4):
                service.ask(text, language)

    def capacity(self, service: Service, languages: Sequence[str], skew: float = 0.0) -> float:
        """Return answers a second with SATURATING clients; the first guess of it."""
        plan = Plan(service.url, min(self.options.seconds, 6.0), clients=SATURATING)
        return self.carry_out(plan, self.questions(languages, 6000, skew)).throughput(1.0)
