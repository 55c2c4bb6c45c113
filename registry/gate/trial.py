"""A candidate on the rungs of its ladder: exported, timed, judged."""

import errno
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

from models.artifact import Artifact, open_artifact
from models.certificate import Circumstances
from models.errors import ExportFailed, PolysentError
from models.labels import Scores
from models.manifest import Gate, Manifest
from models.tokens import Tokenizers
from registry.candidate import Candidate
from registry.card import Card
from registry.checkpoints.checkpoint import Checkpoint
from registry.export.export import export
from registry.gate.choose import chosen, climb, report
from registry.gate.evidence import Answer
from registry.gate.gate import certificate
from registry.gate.recorded import recorded
from registry.gate.reference import Reference
from registry.gate.timing import Pace, interleaved, sample
from registry.gate.verdict import reasons
from registry.progress import Say
from registry.work import Choice, Work

PLAIN = "fp32"
"""The rung that the others are timed against."""


class Export(Protocol):
    """Writes the artifact of a checkpoint in one form; see export.py."""

    def __call__(  # noqa: PLR0913  (what, where to, in which form)
        self,
        checkpoint: Checkpoint,
        card: Card,
        folder: Path,
        say: Say = ...,
        *,
        rung: str = ...,
        plain: Path | None = ...,
    ) -> Manifest:
        """Return the manifest of what is in `folder` then."""
        ...


@dataclass
class Trial:
    """One attempt; whoever calls holds the lock of the work folder."""

    candidate: Candidate
    checkpoint: Checkpoint
    work: Work
    say: Say
    export: Export = export
    refer: Callable[[Checkpoint, int], Answer] = Reference
    made: dict[str, Manifest] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    broke: bool = False
    """Whether a rung could not be had: for want of memory, say, and not by what it is."""
    paces: dict[str, Pace] = field(default_factory=dict)
    answers: dict[str, Sequence[Scores]] = field(default_factory=dict)
    """Of a rung that was judged in this attempt, to the evidence."""

    def choose(self) -> Choice:
        """Return the fastest rung that passes, or the one to be refused; its artifact is kept.

        ExportFailed where no rung could be exported, or none compared.
        """
        if known := self.work.choice(self.candidate.question):
            self._export(known.rung)
            self.judge(known.rung)
            return known
        ladder = self.candidate.ladder
        verdicts = climb(ladder, self._attempt)
        if not verdicts:
            message = f"{self.checkpoint.path} has no form that works: {self.failed}"
            raise ExportFailed(message)
        rung = chosen(verdicts)
        pace = self.paces.get(rung)
        circumstances = Circumstances(
            seconds=pace and pace.seconds,
            speed=pace and pace.speed,
            rungs=report(
                ladder,
                {name: manifest.nbytes for name, manifest in self.made.items()},
                {name: pace.speed for name, pace in self.paces.items()},
                verdicts,
                self.failed,
            ),
        )
        choice = Choice(question=self.candidate.question, rung=rung, circumstances=circumstances)
        if not self.broke:  # what broke may work the next time
            self.work.choose(choice)
        return choice

    def judge(self, name: str) -> Gate:
        """Return the gate of an exported rung, which is in its manifest then."""
        evidence, manifest = self.candidate.evidence, self.made[name]
        gate = manifest.gate
        if gate is None or gate.data_digest != evidence.digest:
            self.say(f"compare {name} with fp32 on {len(evidence.everything)} texts")
            with self._comparing():
                theirs = evidence.ask(self._reference)
                self.answers[name] = evidence.ask(self.open(name))
                gate = certificate(evidence, self.answers[name], theirs)
        bare = gate.model_copy(update={"circumstances": None, "texts_source": evidence.source})
        found = reasons(bare, self.candidate.floor, nbytes=manifest.nbytes)
        verdict = bare.model_copy(update={"reasons": found})
        if manifest.gate is None or manifest.gate.data_digest != evidence.digest:
            self.made[name] = manifest.model_copy(update={"gate": verdict})
            self.work.keep(name, self.made[name])
        return verdict

    def open(self, name: str) -> Artifact:
        """Open the artifact of a rung; it is given back when nobody holds it."""
        return open_artifact(self.work.rung(name), self._tokenizers, self.candidate.threads)

    @cached_property
    def _tokenizers(self) -> Tokenizers:
        return Tokenizers()

    @cached_property
    def _reference(self) -> Answer:
        """The fp32 answers; the checkpoint is in memory only until they are there."""
        evidence = self.candidate.evidence
        tokens = self.candidate.card.tokens(self.checkpoint)

        def load() -> Answer:
            self.say("answer the texts in fp32")
            return self.refer(self.checkpoint, tokens)

        return recorded(self.work.answers(evidence.digest), load, evidence.everything)

    def _attempt(self, name: str) -> Gate | None:
        """Return the verdict on a rung; None where it can't be had or is slower than fp32 here."""
        if len(self.candidate.ladder) == 1:
            self._export(name)
            return self.judge(name)
        with self._allowed_to_fail(name):
            self._export(PLAIN)
            self._export(name)
            self._time(name)
            if name != PLAIN and PLAIN in self.candidate.ladder and self.paces[name].speed < 1:
                self.failed[name] = "it is slower than fp32 on this machine"
                return None
            return self.judge(name)
        return None

    def _export(self, name: str) -> None:
        if name in self.made:
            return
        manifest = self.work.manifest(name)
        if manifest is None:
            arguments = (self.checkpoint, self.candidate.card, self.work.rung(name), self.say)
            manifest = self.export(*arguments, rung=name, plain=self.work.plain)
        self.made[name] = manifest

    def _time(self, name: str) -> None:
        self.say(f"time {name}")
        texts = sample(self.candidate.evidence.texts)
        self.paces[name] = interleaved(self.open(name), self._plain, texts)

    @cached_property
    def _plain(self) -> Artifact:
        return self.open(PLAIN)

    @contextmanager
    def _comparing(self) -> Iterator[None]:
        """Turn what a run breaks with into ExportFailed."""
        try:
            yield
        except PolysentError:
            raise
        except Exception as error:  # each library below fails in its own way
            path, kind = self.checkpoint.path, type(error).__name__
            message = f"{path} could not be compared: {kind}: {error}"
            raise ExportFailed(message) from error

    @contextmanager
    def _allowed_to_fail(self, name: str) -> Iterator[None]:
        """Go on without a rung that this machine or this architecture does not take."""
        try:
            with self._comparing():
                yield
        except ExportFailed as error:
            if disk_is_full(error):
                raise
            self.failed[name] = str(error)
            self.broke = True
            self.say(f"no {name}: {error}")


def disk_is_full(error: BaseException | None) -> bool:
    """Return whether an error comes of a full disk: another attempt would meet it again."""
    full = {errno.ENOSPC, errno.EDQUOT}
    while error is not None:
        if isinstance(error, OSError) and error.errno in full:
            return True
        error = error.__cause__
    return False
