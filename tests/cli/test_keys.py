import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from models.keys import Keys, digest

RUN = CliRunner(env={"COLUMNS": "200"})


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where the keys will be: a store of its own."""
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path))
    return tmp_path / "polysent" / "keys.json"


def keys(*words: str) -> Result:
    """Return what `polysent keys ...` says."""
    return RUN.invoke(app, ["keys", *words])


def test_key_is_printed_once(path: Path) -> None:
    """On stdout and nothing else there, so that it goes into a pipe."""
    added = keys("add", "shop")

    key = added.stdout.strip()
    assert added.exit_code == 0
    assert Keys.read(path).keys[0].sha256 == digest(key)
    assert str(path) in added.stderr.replace("\n", "")
    assert key not in added.stderr
    listed = keys("list", "--json")
    assert "shop" in listed.stdout
    assert digest(key) not in listed.stdout


def test_list_says_what_each_is_for() -> None:
    """Name, scope, rate; as JSON too."""
    keys("add", "shop", "--rate", "50")
    keys("add", "ops", "--scope", "admin")

    rows = {row["name"]: row for row in json.loads(keys("list", "--json").stdout)}
    assert (rows["shop"]["scope"], rows["shop"]["rate"]) == ("predict", 50)
    assert (rows["ops"]["scope"], rows["ops"]["rate"]) == ("admin", None)
    assert "no limit" in keys("list").stdout


def test_removed_key_is_gone(path: Path) -> None:
    """The file stays: it says that keys are needed."""
    keys("add", "shop")
    assert keys("remove", "shop").exit_code == 0

    assert Keys.read(path).keys == ()
    assert json.loads(keys("list", "--json").stdout) == []


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["add", "shop"], "a name stands twice"),
        (["add", "two words"], "name: "),
        (["add", "other", "--rate", "0"], "rate: "),
        (["remove", "shpo"], "there is no key 'shpo'"),
    ],
)
def test_what_is_refused_is_said(path: Path, words: list[str], why: str) -> None:
    """Exit code 1, and nothing has changed."""
    keys("add", "shop")
    before = path.read_bytes()
    refused = keys(*words)

    assert refused.exit_code == 1
    assert why in refused.stderr
    assert refused.stdout == ""
    assert path.read_bytes() == before


def test_file_that_holds_no_keys_is_said(path: Path) -> None:
    """Empty, or cut."""
    path.parent.mkdir()
    path.write_text("")
    path.chmod(0o600)
    assert (keys("list").exit_code, "the file: " in keys("list").stderr) == (1, True)


def test_setting_says_where_the_file_is(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To make a secret of, for one."""
    monkeypatch.setenv("POLYSENT_KEYS_FILE", str(tmp_path / "secret.json"))
    keys("add", "shop")

    assert Keys.read(tmp_path / "secret.json").keys
    assert not path.exists()


@pytest.mark.parametrize("command", ["add", "list", "remove"])
def test_each_has_an_example(command: str) -> None:
    """In its help, and on the page."""
    assert "Example: polysent keys" in " ".join(keys(command, "--help").stdout.split())
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text("utf-8")
    assert f"\npolysent keys {command}" in page
