"""What the fleet builder tells `up`: one JSON object a line."""

import json
import sys
from dataclasses import asdict, dataclass
from typing import Literal

SOME_FAILED = 3
"""Exit code of a builder that came to its end, but not with every language."""

State = Literal["pending", "working", "served", "failed"]


@dataclass(frozen=True, slots=True)
class Event:
    """Where one language is; `step` says what is being done, or why it failed."""

    language: str
    state: State
    step: str = ""

    def tell(self) -> None:
        """Print it for the parent."""
        sys.stdout.write(json.dumps(asdict(self), ensure_ascii=False) + "\n")
        sys.stdout.flush()


def heard(line: str) -> Event | None:
    """Read a line; None where it is no event (a library that prints)."""
    try:
        return Event(**json.loads(line))
    except (ValueError, TypeError):
        return None
