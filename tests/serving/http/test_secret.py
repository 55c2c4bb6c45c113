import logging
import stat
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from models.settings import Settings
from models.store import Store
from serving.http.secret import admin_token

UNSET = Settings(admin_token=SecretStr(""))


def test_token_that_is_set_is_the_token(tmp_path: Path) -> None:
    """Nothing is written then."""
    assert admin_token(Settings(admin_token=SecretStr("abc")), Store(tmp_path)) == "abc"
    assert not Store(tmp_path).token.exists()


def test_random_token_is_for_this_user_alone(tmp_path: Path) -> None:
    """Mode 0600, nothing left beside it."""
    token = admin_token(UNSET, Store(tmp_path))

    kept = Store(tmp_path).token
    assert kept.read_text() == token
    assert len(token) >= 32
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [path.name for path in kept.parent.iterdir()] == ["admin.token"]


def test_replicas_over_one_store_share_it(tmp_path: Path) -> None:
    """Who starts later takes the token that is there."""
    store = Store(tmp_path)
    assert admin_token(UNSET, store) == admin_token(UNSET, store)


@pytest.mark.parametrize("content", ["", "short", "x" * 43])
def test_token_that_others_may_know_is_replaced(tmp_path: Path, content: str) -> None:
    """A file that others can read, an empty one, one that is too short."""
    store = Store(tmp_path)
    store.token.parent.mkdir()
    store.token.write_text(content)
    store.token.chmod(0o644 if len(content) > 20 else 0o600)

    assert admin_token(UNSET, store) != content
    assert stat.S_IMODE(store.token.stat().st_mode) == 0o600


def test_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    """Somebody else's file is neither read nor written."""
    store = Store(tmp_path / "store")
    store.token.parent.mkdir(parents=True)
    (tmp_path / "mine").write_text("x" * 43)
    store.token.symlink_to(tmp_path / "mine")

    assert admin_token(UNSET, store) != "x" * 43
    assert not store.token.is_symlink()


def test_store_that_can_not_be_written_closes_the_control_plane(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The service goes on; the log names the setting."""
    (tmp_path / "polysent").write_text("no folder")
    with caplog.at_level(logging.WARNING):
        one, other = (admin_token(UNSET, Store(tmp_path)) for _ in range(2))

    assert one != other
    assert "POLYSENT_ADMIN_TOKEN" in caplog.text


@pytest.mark.parametrize("token", ["two words", "schlüssel", "line\n"])
def test_token_that_no_header_can_carry_is_refused(token: str) -> None:
    """At the start, not with each request; and it is not printed."""
    with pytest.raises(ValidationError) as refused:
        Settings(admin_token=SecretStr(token))
    assert token not in str(refused.value)
