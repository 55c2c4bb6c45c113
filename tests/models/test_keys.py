import json
import stat
from pathlib import Path

import pytest
from pydantic import ValidationError

from models.keys import PREFIX, Key, Keys, Scope, change, digest, keys_file
from models.settings import Settings
from models.store import Store


def made(name: str) -> Key:
    """Return the entry of a new key."""
    return Key.new(name, Scope.PREDICT, None)[0]


def test_key_is_random_and_its_entry_does_not_tell_it() -> None:
    """256 bits, so that a fast hash is enough."""
    entry, key = Key.new("shop", Scope.ADMIN, 2.5)
    another = Key.new("shop", Scope.ADMIN, 2.5)[1]

    assert key.startswith(PREFIX)
    assert len(key) == len(PREFIX) + 43
    assert key != another
    assert entry.sha256 == digest(key)
    assert key.removeprefix(PREFIX) not in entry.model_dump_json()


def test_file_is_for_its_user_alone(tmp_path: Path) -> None:
    """Mode 0600, hashes only, nothing left beside it but the lock."""
    path = tmp_path / "keys" / "keys.json"
    entry, key = Key.new("shop", Scope.PREDICT, None)
    change(path, lambda keys: keys.with_(entry))

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key.removeprefix(PREFIX) not in path.read_text()
    assert Keys.read(path).keys == (entry,)
    assert {each.name for each in path.parent.iterdir()} == {"keys.json", ".keys.json.lock"}


def test_change_that_fails_changes_nothing(tmp_path: Path) -> None:
    """A name stands once, and what is to be removed must be there."""
    path = tmp_path / "keys.json"
    change(path, lambda keys: keys.with_(made("shop")))
    before = path.read_bytes()

    with pytest.raises(ValueError, match="twice"):
        change(path, lambda keys: keys.with_(made("shop")))
    with pytest.raises(ValueError, match="no key 'shpo'"):
        change(path, lambda keys: keys.without("shpo"))
    assert path.read_bytes() == before


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_file_that_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    """They could write themselves a key; reading it tells nobody one."""
    path = tmp_path / "keys.json"
    change(path, lambda keys: keys.with_(made("shop")))
    path.chmod(0o644)
    assert Keys.read(path).keys

    path.chmod(mode)
    with pytest.raises(ValueError, match="written by others"):
        Keys.read(path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "two words"},
        {"name": "x" * 65},
        {"rate": 0},
        {"rate": "Infinity"},
        {"sha256": "0" * 63},
        {"scope": "root"},
        {"scopes": ["admin"]},
    ],
)
def test_entry_that_is_wrong_is_refused(wrong: dict[str, object]) -> None:
    """Misspelt fields too: a limit that is not read is none."""
    good = json.loads(made("shop").model_dump_json())

    with pytest.raises(ValidationError):
        Key.model_validate_json(json.dumps(good | wrong))


def test_file_is_in_the_store_unless_a_setting_says_where() -> None:
    """Replicas over one store share its keys."""
    store = Store(Path("/store"))

    assert keys_file(Settings(), store) == Path("/store/polysent/keys.json")
    assert keys_file(Settings(keys_file="/keys/k.json"), store) == Path("/keys/k.json")
