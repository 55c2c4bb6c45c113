import subprocess
import sys
from pathlib import Path

import pytest

from models.errors import ModelUnavailable
from models.identity import Tag
from models.leases import Leases
from models.openers import Models
from models.store import Store
from tests.tiny import serve_tiny


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a store with a tiny model."""
    return Store(tmp_path)


@pytest.fixture
def tag(store: Store) -> Tag:
    """Return that model."""
    return serve_tiny(store, "de")["de"]


def is_free(store: Store, tag: Tag) -> bool:
    """Say whether it could be removed now."""
    with Leases(store).removing(tag) as nobody:
        return nobody


def test_model_in_use_is_not_removed(store: Store, tag: Tag) -> None:
    """However many use it, the last one decides."""
    first, second = Leases(store).use(tag), Leases(store).use(tag)
    assert first
    assert second
    assert not is_free(store, tag)
    first.release()
    assert not is_free(store, tag)
    second.release()
    assert is_free(store, tag)


def test_model_that_is_being_removed_is_not_used(store: Store, tag: Tag) -> None:
    """Nobody begins to."""
    with Leases(store).removing(tag) as nobody:
        assert nobody
        assert Leases(store).use(tag) is None
        with pytest.raises(ModelUnavailable, match="being removed"):
            Models(store, 1).open(tag)
        with pytest.raises(ModelUnavailable, match="being removed"):
            Models(store, 1).check(tag)


def test_open_model_is_leased_until_it_is_closed(store: Store, tag: Tag) -> None:
    """Whoever opens it need not think of it."""
    model = Models(store, 1).open(tag)
    assert not is_free(store, tag)
    model.close()
    assert is_free(store, tag)


def test_model_that_could_not_be_opened_is_not_leased(store: Store, tag: Tag) -> None:
    """A failure holds nothing."""
    (store.path(tag) / "model.onnx").write_bytes(b"no model")
    with pytest.raises(Exception, match=r"model\.onnx|onnx"):
        Models(store, 1).open(tag)
    assert is_free(store, tag)


def test_process_that_is_killed_holds_nothing(store: Store, tag: Tag) -> None:
    """The system lets go for it."""
    program = (
        "import sys; from pathlib import Path; from models.identity import Tag\n"
        "from models.leases import Leases; from models.store import Store\n"
        "Leases(Store(Path(sys.argv[1]))).use(Tag.parse(sys.argv[2])); print('held', flush=True)\n"
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(store.home), str(tag)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert not is_free(store, tag)
        holder.kill()
    assert is_free(store, tag)


@pytest.mark.parametrize("name", ["model.bin", "model.onnx", "tokenizer.json", "manifest.json"])
def test_model_whose_files_are_not_whole_is_found_without_opening_it(
    store: Store, tag: Tag, name: str
) -> None:
    """Missing or cut short: said with its name."""
    Models(store, 1).check(tag)
    file = store.path(tag) / name
    file.write_bytes(file.read_bytes()[:-2])
    with pytest.raises(ModelUnavailable, match=name.removesuffix(".json")):
        Models(store, 1).check(tag)
    file.unlink()
    with pytest.raises(ModelUnavailable, match=name.removesuffix(".json")):
        Models(store, 1).check(tag)
