"""`python -m deploy.container.cardless IMAGE FOLDER`: the image for cards, where there is none.

What a card answers needs a card to be proved; that nothing else answers in its place does not.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from deploy.container.box import HARDENED
from deploy.container.smoke import Finding, command, judge, lean, prepared, size

MOST_BYTES = 4 * 10**9
SECONDS_TO_END = 60.0
SAYS = "models.errors.ModelUnavailable: there is no NVIDIA card here"
"""CUDA's libraries are there by then: it is they that say so."""


def refuses(image: str, mounts: list[str]) -> Finding:
    """Start it over a store with models."""
    words = ["docker", "run", "--rm", *HARDENED, *mounts, image]
    try:
        done = subprocess.run(  # noqa: S603
            words, check=False, capture_output=True, text=True, timeout=SECONDS_TO_END
        )
    except subprocess.TimeoutExpired:
        return Finding("ends without a card", good=False, found="it runs")
    last = (done.stdout + done.stderr).strip().splitlines()[-1]
    return Finding("ends without a card", done.returncode == 1 and last.startswith(SAYS), last)


def findings(image: str, folder: Path) -> Iterator[Finding]:
    """Find out what can be known without a card."""
    yield size(image, MOST_BYTES)
    yield lean(image)
    yield command(image)
    mounts, _ = prepared(image, folder)
    yield refuses(image, mounts)


if __name__ == "__main__":
    judge(findings(sys.argv[1], Path(sys.argv[2])), Path(sys.argv[2]))
