"""What does a stream of a million lines cost, in memory and in time?

One `POST /bulk` with a model of a dozen words, no line twice: what is left is the server's own.
"""

import argparse
import asyncio
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from matplotlib.axes import Axes

from benchmarks.fleet import Fleet
from benchmarks.options import read
from benchmarks.results import Claim, Result, finish
from benchmarks.server import UNCACHED, Service, serving
from cli.console import err
from models.store import Store
from tests.tiny import serve_tiny

LINES, QUICK_LINES = 1_000_000, 20_000
AT_ONCE = 500
SAMPLES = 50
SETTLED = 0.1
"""Share of the lines after which memory must not grow any more."""
GROWTH, PER_CORE = 1.05, 5000.0
HEAD = (
    b"POST /bulk HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
END = b"\r\n0\r\n\r\n"
ID = re.compile(rb'^\{"id":(\d+),"label":', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sample:
    """What the server held, and had cost, when so many lines were answered."""

    lines: int
    rss_mib: float
    seconds: float
    cpu_seconds: float


def main() -> int:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--lines", type=int)
    given, rest = parser.parse_known_args()
    options = read(__doc__, rest)
    lines = given.lines or options.at_most(LINES, QUICK_LINES)
    with tempfile.TemporaryDirectory(dir=_made(options.home)) as folder:
        store = Store(Path(folder) / "bentoml")
        fleet = Fleet(store, serve_tiny(store, "en"), "fp32")
        with serving(fleet, Path(folder), **UNCACHED) as service:
            samples = asyncio.run(stream(service, lines))
    result = Result(
        name="bulk",
        question="What does a stream of a million lines cost, in memory and in time?",
        setup={"model": "a dozen words", "lines": lines, "streams": 1},
        claims=claims(samples),
        beside={"lines a second": samples[-1].lines / samples[-1].seconds},
    )
    return finish(result, options, lambda axes: draw(axes, samples))


async def stream(service: Service, lines: int) -> list[Sample]:
    """Send lines as fast as they are taken, read their answers, and sample the server."""
    host, _, port = service.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    server = psutil.Process(service.process.pid)
    sending = asyncio.create_task(send(writer, lines))
    samples: list[Sample] = []
    answered, started, spent = 0, time.perf_counter(), _cpu(server)
    async for ids in answers(reader):
        if ids != list(range(answered, answered + len(ids))):
            message = f"line {answered} was answered by {ids}"
            raise RuntimeError(message)
        answered += len(ids)
        if answered >= lines * (len(samples) + 1) / SAMPLES:
            seconds, cpu = time.perf_counter() - started, _cpu(server) - spent
            samples.append(Sample(answered, server.memory_info().rss / 2**20, seconds, cpu))
            err.print(samples[-1], highlight=False)
    await sending
    writer.close()
    if answered != lines:
        message = f"{answered} of {lines} lines were answered"
        raise RuntimeError(message)
    return samples


async def send(writer: asyncio.StreamWriter, lines: int) -> None:
    """Send a whole request."""
    writer.write(HEAD)
    for body in bodies(lines):
        writer.write(b"%x\r\n%s\r\n" % (len(body), body))
        await writer.drain()
    writer.write(b"0\r\n\r\n")


def bodies(lines: int) -> Iterator[bytes]:
    """Yield pieces of the body; no text is there twice."""
    line = b'{"id": %d, "text": "a good film %d", "language": "en"}\n'
    for start in range(0, lines, AT_ONCE):
        yield b"".join(line % (n, n) for n in range(start, min(start + AT_ONCE, lines)))


async def answers(reader: asyncio.StreamReader) -> AsyncIterator[list[int]]:
    """Yield the ids of the answers as they come."""
    rest = b""
    while not rest.endswith(END):
        piece = await reader.read(2**18)
        if not piece:
            message = f"the server hung up: {rest[-500:]!r}"
            raise RuntimeError(message)
        whole, newline, rest = (rest + piece).rpartition(b"\n{")
        yield [int(each) for each in ID.findall(whole)]
        rest = newline[1:] + rest
    yield [int(each) for each in ID.findall(rest)]


def claims(samples: list[Sample]) -> tuple[Claim, ...]:
    """Compare memory after the first lines with that at the end; count what a core does."""
    last = samples[-1]
    settled = next(each for each in samples if each.lines >= SETTLED * last.lines)
    grown = f"memory at the end / after {settled.lines:,} lines"
    return (
        Claim(grown, (last.rss_mib / settled.rss_mib,), "at most", GROWTH),
        Claim("lines a CPU second", (last.lines / last.cpu_seconds,), "at least", PER_CORE),
    )


def draw(axes: Axes, samples: list[Sample]) -> None:
    """Draw memory over the lines."""
    axes.plot([each.lines for each in samples], [each.rss_mib for each in samples], "k-")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("lines answered")
    axes.set_ylabel("resident memory of the server, MiB")


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


if __name__ == "__main__":
    sys.exit(main())
