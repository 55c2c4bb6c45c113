import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.errors import ModelTooLarge, ModelUnavailable
from models.settings import Settings
from models.store import Store
from serving.assemble import Runtime, assemble
from serving.call import Call
from serving.report.explain import explain
from serving.report.facts import Explanation
from serving.report.inventory import ServedModel, ServedModels
from serving.result import Question
from tests.fakes import Clock
from tests.tiny import serve_tiny


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a store with tiny models."""
    store = Store(tmp_path)
    serve_tiny(store, "de", "en", "mul")
    return store


@pytest.fixture
async def runtime(store: Store) -> AsyncIterator[Runtime]:
    """Return a running service without its web server; nothing is open."""
    runtime = assemble(Settings(threads=1), store)
    yield runtime
    runtime.close()


async def ask(runtime: Runtime, language: str, text: str = "good") -> None:
    """Let a text of a language be answered."""
    await runtime.path.answer(Question(text=text, language=language), Call())


def row(runtime: Runtime, language: str) -> ServedModel:
    """Return what the inventory says of a language."""
    return ServedModel.of(runtime, runtime.router.choose(language))


async def explained(runtime: Runtime, language: str) -> Explanation:
    """Return what is explained of a language."""
    return await explain(runtime, runtime.router.choose(language))


async def test_all_that_is_served_is_listed(runtime: Runtime) -> None:
    """By language, with what it holds of the budget."""
    await ask(runtime, "de")
    served = ServedModels.of(runtime)

    assert [model.language for model in served.models] == ["de", "en", "mul"]
    assert [model.state for model in served.models] == ["resident", "cold", "cold"]
    assert served.models[2].covers == ["en", "de", "fr", "it"]
    held = [model.bytes for model in served.models]
    assert held[0] > 0
    assert held[1:] == [0, 0]
    assert sum(held) <= served.memory.used <= served.memory.limit


async def test_use_is_counted_and_dated(runtime: Runtime) -> None:
    """Texts that reached the model; what the cache answered did not."""
    for text in ("good", "bad", "good"):
        await ask(runtime, "de", text)
    said = json.loads(row(runtime, "de").model_dump_json())

    assert (said["hits"], said["loads"], said["evictions"], said["waiting"]) == (2, 1, 0, 0)
    assert said["load_seconds"] > 0
    assert said["last_used"].endswith("Z")
    used = datetime.fromisoformat(said["last_used"])
    assert abs((datetime.now(UTC) - used).total_seconds()) < 5


async def test_asking_why_changes_nothing(runtime: Runtime) -> None:
    """Nothing is opened, nothing is used."""
    before = ServedModels.of(runtime)
    await explained(runtime, "de")
    assert ServedModels.of(runtime) == before


async def test_cold_model_becomes_resident_and_is_evicted(runtime: Runtime) -> None:
    """Each time with the reason."""
    assert "no text has needed it" in (await explained(runtime, "de")).why[0]

    await ask(runtime, "de")
    opened = await explained(runtime, "de")
    assert opened.why[0].startswith("In memory with")
    assert opened.cost.load_seconds == 0
    assert opened.cost.queue_seconds > 0
    assert opened.eviction
    assert opened.eviction.guard_seconds > 0

    runtime.residency.evict(runtime.router.choose("de"))
    closed = await explained(runtime, "de")
    assert "because that was asked for" in closed.why[0]
    assert closed.cost.load_seconds == opened.model.load_seconds


async def test_what_was_never_opened_is_expected_to_take_as_long_as_others(
    runtime: Runtime,
) -> None:
    """Better than nothing, and said to be that."""
    await ask(runtime, "de")
    fresh = await explained(runtime, "en")

    assert fresh.cost.load_seconds == row(runtime, "de").load_seconds
    assert any("as the others took" in sentence for sentence in fresh.request)


async def test_what_is_said_to_be_closed_is_closed(runtime: Runtime) -> None:
    """The same policy over the same figures; guarded things stay until their guard ends."""
    clock = runtime.budget.clock = Clock()
    await ask(runtime, "de")
    await ask(runtime, "mul")
    runtime.budget.limit = runtime.budget.used
    guarded = await explained(runtime, "en")
    assert guarded.cost.closes == []
    assert guarded.cost.room_seconds

    clock.now += 100
    said = await explained(runtime, "en")
    before = runtime.residency.resident
    open_tokenizers = runtime.tokenizers.resident
    await ask(runtime, "en")
    gone = {str(tag.model) for tag in before - runtime.residency.resident}
    gone |= {str(one) for one in open_tokenizers - runtime.tokenizers.resident}
    assert set(said.cost.closes) == gone
    assert gone


async def test_broken_model_is_explained(runtime: Runtime, store: Store) -> None:
    """What failed, how often, and when it is tried again."""
    tag = runtime.router.choose("de")
    (store.path(tag) / "model.onnx").write_bytes(b"no model")
    with pytest.raises(ModelUnavailable):
        await ask(runtime, "de")
    broken = await explained(runtime, "de")

    assert broken.model.state == "quarantined"
    assert broken.failure
    assert broken.failure.times == 1
    assert 0 < broken.failure.seconds <= 1
    assert "It could not be opened, 1 time in a row" in broken.why[0]


async def test_model_whose_files_are_gone_is_explained(runtime: Runtime, store: Store) -> None:
    """Without a fault of ours."""
    tag = runtime.router.choose("de")
    for file in store.path(tag).iterdir():
        file.unlink()
    gone = await explained(runtime, "de")

    assert (gone.cost.bytes, gone.cost.tokenizer) == (None, None)
    assert "Its files can't be read." in gone.request


async def test_model_that_does_not_fit_is_explained_with_the_numbers(runtime: Runtime) -> None:
    """Before a text is refused, and after."""
    runtime.budget.limit = 100
    for _ in range(2):
        large = await explained(runtime, "de")
        assert not large.fits
        assert "the budget is 100 B" in large.why[-1]
        with pytest.raises(ModelTooLarge):
            await ask(runtime, "de")


async def test_waiting_texts_are_counted(runtime: Runtime) -> None:
    """Those that wait for the engine."""
    await ask(runtime, "de")
    asked = [asyncio.create_task(ask(runtime, "de", "good " * n)) for n in range(2, 40)]
    most = 0
    while not all(task.done() for task in asked):
        most = max(most, row(runtime, "de").waiting)
        await asyncio.sleep(0)
    assert most > 0
