import ast
import sys
from pathlib import Path

import pytest

import models

ROOT = Path(__file__).parent.parent
ALLOWED = {
    "models": set(),
    "serving": {"models"},
    "registry": {"models"},
    "training": {"models", "registry"},
    "cli": {"models", "registry", "training"},
}
HEAVY = {"torch", "transformers", "optimum", "mlflow"}
MAY_BE_HEAVY = {"cli", "registry", "training"}
REFERENCE = ROOT / "models" / "engine" / "torch.py"
FILES = [path for package in ALLOWED for path in sorted((ROOT / package).rglob("*.py"))]


def imported(path: Path) -> set[str]:
    """Return the top-level names that a file imports anywhere."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_inwards(path: Path) -> None:
    """Requests flow down serving/, models flow down registry/; they meet in models/."""
    package = path.relative_to(ROOT).parts[0]

    ours = imported(path) & ALLOWED.keys() - {package}

    assert ours <= ALLOWED[package]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_serving_side_imports_nothing_heavy(path: Path) -> None:
    """The serving image has no torch, no transformers, no full mlflow."""
    package = path.relative_to(ROOT).parts[0]

    assert package in MAY_BE_HEAVY or path == REFERENCE or not imported(path) & HEAVY


def test_no_package_of_ours_is_shadowed() -> None:
    """`models` is a common name; ours is the one that is found."""
    assert Path(str(models.__file__)).parent == ROOT / "models"
    assert not ALLOWED.keys() & sys.stdlib_module_names
