from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
CONTAINER = ROOT / "deploy" / "container"


def pins(name: str) -> dict[str, str]:
    """Return what a file of requirements pins."""
    lines = (CONTAINER / name).read_text("utf-8").splitlines()
    wanted = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(each.name): str(each.specifier) for each in wanted}


def bentofile(path: Path) -> dict[str, Any]:
    """Return what a Bento is built by."""
    said: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return said


def test_image_for_cards_has_the_same_packages_but_for_the_runtime() -> None:
    """onnxruntime-gpu of the same version, and NVIDIA's libraries: all else was tested."""
    plain, cards = pins("requirements.txt"), pins("requirements-gpu.txt")

    added = {name: cards[name] for name in cards.keys() - plain.keys()}

    assert plain.items() - cards.items() == {("onnxruntime", plain["onnxruntime"])}
    assert added.pop("onnxruntime-gpu") == plain["onnxruntime"]
    assert {name.partition("-")[0] for name in added} == {"nvidia"}
    assert all(pin.startswith("==") for pin in added.values())


def test_bento_for_cards_is_the_same_but_for_packages_and_engine() -> None:
    """One tree of code; what is not for a card runs on no card."""
    plain, cards = bentofile(ROOT / "bentofile.yaml"), bentofile(CONTAINER / "bentofile-gpu.yaml")

    assert cards.pop("envs") == [{"name": "POLYSENT_ENGINE", "value": "cuda"}]
    assert cards.pop("python") == {"requirements_txt": "deploy/container/requirements-gpu.txt"}
    del plain["python"]
    assert cards == plain
