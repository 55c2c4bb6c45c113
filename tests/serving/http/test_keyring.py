import logging
import os
from pathlib import Path

import pytest

from models.keys import Key, Scope, change
from serving.http.keyring import LOOK_SECONDS, Keyring


class Clock:
    """A clock that moves on by more than a look at each question."""

    now = 0.0

    def __call__(self) -> float:
        """Return seconds."""
        self.now += LOOK_SECONDS
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the keys will be."""
    return tmp_path / "keys.json"


def add(path: Path, name: str, rate: float | None = None) -> str:
    """Add a key to a file."""
    entry, key = Key.new(name, Scope.PREDICT, rate)
    change(path, lambda keys: keys.with_(entry))
    return key


def test_keys_are_those_of_the_file(path: Path) -> None:
    """Without a restart: what is added is good, what is removed is not."""
    ring = Keyring(path, clock=Clock())
    assert (ring.needed, ring.caller("polysent_x")) == (False, None)

    key = add(path, "shop")
    assert ring.needed
    caller = ring.caller(key)
    assert caller is not None
    assert caller.name == "shop"
    assert ring.caller(key + "x") is None

    change(path, lambda keys: keys.without("shop"))
    assert ring.caller(key) is None
    assert ring.needed, "a file without keys lets nobody in"
    path.unlink()
    assert not ring.needed


def test_file_that_is_named_has_to_be_there(path: Path) -> None:
    """A path that is misspelt, or a secret that is not mounted, opens nothing."""
    assert Keyring(path, named=True).needed


@pytest.mark.parametrize("content", ["", "{", '{"keys": [{"name": "shop"}]}'])
def test_file_that_can_not_be_read_changes_nothing(
    path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says so; who starts with it has no keys, and needs one."""
    ring = Keyring(path, clock=Clock())
    key = add(path, "shop")
    assert ring.caller(key)
    with caplog.at_level(logging.WARNING):
        path.write_text(content)
        assert ring.caller(key)

    assert "stay as they were" in caplog.text
    new = Keyring(path)
    assert (new.needed, new.caller(key)) == (True, None)


def test_file_is_not_looked_at_for_every_request(path: Path) -> None:
    """Once a second is enough."""
    clock = Clock()
    ring = Keyring(path, clock=clock)
    assert not ring.needed
    ring.clock = lambda: clock.now
    add(path, "shop")

    assert not ring.needed
    clock()
    assert ring.needed


def test_rate_is_kept_when_other_keys_change(path: Path) -> None:
    """Nobody gets a full bucket by the removal of a neighbour's key."""
    ring = Keyring(path, clock=Clock())
    slow, fast = add(path, "slow", 0.001), add(path, "fast")
    caller = ring.caller(slow)
    assert caller is not None
    assert caller.bucket is not None
    caller.pay(5)
    add(path, "another")
    os.utime(path)

    again, other = ring.caller(slow), ring.caller(fast)
    assert again is not None
    assert again.bucket is caller.bucket
    assert other is not None
    assert other.bucket is None
