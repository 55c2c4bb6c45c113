import re
from pathlib import Path

import pytest

from models.errors import PolysentError, RegistryError
from models.settings import ENV_PREFIX, Settings, unknown_variables
from serving.telemetry import Levels, Telemetry

ROOT = Path(__file__).parent.parent


def text(name: str) -> str:
    """Return a file of the project."""
    return (ROOT / name).read_text("utf-8")


def first_column(name: str) -> list[str]:
    """Return what stands in back quotes at the start of each row of a page's tables."""
    return re.findall(r"^\| (?:\d+ \| )?`([^`]+)`", text(name), re.MULTILINE)


def tree(root: type[PolysentError]) -> set[type[PolysentError]]:
    """Return an error and all that are more specific."""
    return {root}.union(*(tree(child) for child in root.__subclasses__()))


def test_every_setting_is_documented_with_its_default() -> None:
    """docs/settings.md is the list of settings, no more and no less."""
    assert first_column("docs/settings.md") == [
        ENV_PREFIX + name.upper() for name in Settings.model_fields
    ]
    for name, field in Settings.model_fields.items():
        row = re.search(
            rf"^\| `{ENV_PREFIX}{name.upper()}` \|(.+?)\|", text("docs/settings.md"), re.MULTILINE
        )
        assert row is not None
        default = "" if not field.default and field.default != 0 else f"`{field.default}`"
        assert row[1].strip() in {default, "cores of the process"}


def test_misspelt_setting_is_found() -> None:
    """pydantic-settings lets unknown variables pass; we do not."""
    environment = {"POLYSENT_PORT": "1", "POLYSENT_PROT": "1", "PATH": ""}

    assert unknown_variables(environment) == ["POLYSENT_PROT"]


def test_every_error_that_leaves_is_documented() -> None:
    """docs/api.md lists status and code of each, and nothing else."""
    documented = set(re.findall(r"^\| (\d{3}) \| `(\w+)`", text("docs/api.md"), re.MULTILINE))

    leaving = tree(PolysentError) - tree(RegistryError)
    ours = {error for error in leaving if error.__module__ == "models.errors"}
    assert documented == {(str(error.status), error.code) for error in ours}


def test_errors_are_drawn_as_they_are() -> None:
    """The tree at the top of models/errors.py names every class."""
    drawn = set(re.findall(r"[├└]── (\w+)", text("models/errors.py"))) | {"PolysentError"}

    classes = {e.__name__ for e in tree(PolysentError) if e.__module__ == "models.errors"}
    assert classes - {"Refused"} == drawn


def test_every_metric_is_documented() -> None:
    """docs/metrics.md lists what /metrics exposes."""
    exposition = Telemetry().exposition(Levels(0, 0)).decode()
    exposed = set(re.findall(r"^# TYPE (\w+) ", exposition, re.MULTILINE))
    exposed = {name for name in exposed if not name.endswith("_created")}

    assert set(first_column("docs/metrics.md")) == exposed


@pytest.mark.parametrize(
    "page",
    [str(p.relative_to(ROOT)) for p in ROOT.glob("*.md")]
    + [str(p.relative_to(ROOT)) for p in (ROOT / "docs").rglob("*.md")],
)
def test_links_lead_somewhere(page: str) -> None:
    """Every relative link of every page is a file."""
    links = re.findall(r"\]\(([^)#\s]+)", text(page))
    broken = [
        link for link in links if "://" not in link and not ((ROOT / page).parent / link).exists()
    ]

    assert broken == []
