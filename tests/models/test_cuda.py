from pathlib import Path
from typing import Any

import onnxruntime
import pytest

from models import card
from models.engine import cuda
from models.engine.choose import claims, open_engine
from models.engine.onnx import size
from models.errors import ModelUnavailable
from models.settings import Settings
from models.tokens import pad
from tests.tiny import write_tiny

GIB = 2**30


class FakeCuda:
    """CUDA's runtime library beside a card of so many bytes; 0 is no card."""

    def __init__(self, nbytes: int) -> None:
        """Put the card in."""
        self.nbytes = nbytes

    def cudaGetDeviceCount(self, count: Any) -> int:  # noqa: N802, ANN401  (as CUDA has it)
        """Count the cards, or return an error."""
        count._obj.value = bool(self.nbytes)
        return 0 if self.nbytes else 100

    def cudaMemGetInfo(self, free: Any, total: Any) -> int:  # noqa: N802, ANN401
        """Tell the card's memory, or return an error."""
        free._obj.value, total._obj.value = self.nbytes // 2, self.nbytes
        return 0 if self.nbytes else 100

    def cudaGetErrorString(self, code: int) -> bytes:  # noqa: N802
        """Say what an error means."""
        assert code == 100
        return b"no CUDA-capable device is detected"


def plug(monkeypatch: pytest.MonkeyPatch, nbytes: int) -> None:
    """Let CUDA's libraries be there, and a card of so many bytes."""
    monkeypatch.setattr(card, "_runtime", lambda: FakeCuda(nbytes))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a tiny artifact in fp32."""
    write_tiny(tmp_path / "artifact")
    return tmp_path / "artifact"


def test_a_build_for_cpus_is_no_engine_for_cards(folder: Path, tmp_path: Path) -> None:
    """It says which one is needed, and answers nothing."""
    with pytest.raises(ModelUnavailable, match="onnxruntime-gpu instead of onnxruntime"):
        open_engine("cuda", folder, 1, tmp_path)


def test_a_form_for_cpus_is_refused(folder: Path, tmp_path: Path) -> None:
    """A card has no kernels for its products; the way out is named."""
    manifest = write_tiny(folder).model_copy(update={"precision": "int8-rows-trimmed"})
    manifest.write(folder)

    with pytest.raises(ModelUnavailable, match=r"int8-rows-trimmed .* --rung fp16"):
        open_engine("cuda", folder, 1, tmp_path)


def test_nothing_is_answered_where_there_is_no_card(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Libraries alone are not enough, and what CUDA says is passed on."""
    plug(monkeypatch, 0)

    with pytest.raises(ModelUnavailable, match=r"no NVIDIA card here.* no CUDA-capable device"):
        open_engine("cuda", folder, 1, tmp_path)


def test_the_runtime_may_not_fall_back_to_the_cpu(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It opens a session on the CPU where its provider can't be loaded, and only warns."""
    plug(monkeypatch, GIB)

    with (
        pytest.warns(UserWarning, match="CUDAExecutionProvider"),
        pytest.raises(ModelUnavailable, match="could not load its CUDA provider"),
    ):
        open_engine("cuda", folder, 1, tmp_path)


def test_what_is_fed_and_given_back_is_as_with_other_engines(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As far as that can be seen with a CPU in the place of a card."""
    plug(monkeypatch, GIB)
    monkeypatch.setattr(card, "PROVIDER", "CPUExecutionProvider")
    monkeypatch.setattr(cuda, "OPTIONS", {})

    with pytest.warns(UserWarning, match="Duplicate provider"):
        engine = open_engine("cuda", folder, 1, tmp_path)

    assert engine.run(pad([[2, 8, 5], [3]], 0), alone=False).tolist() == [[2, 2], [0, 2]]
    assert engine.nbytes == size(folder)
    engine.close()
    with pytest.raises(RuntimeError, match="closed"):
        engine.run(pad([[2]], 0))


def test_the_budget_is_the_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three quarters of it, or what is set."""
    plug(monkeypatch, 16 * GIB)

    assert Settings(engine="cuda").memory_limit == 12 * GIB
    assert Settings(engine="cuda", memory=GIB).memory_limit == GIB


def test_a_service_for_a_card_does_not_start_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever memory is set: it must not wait for the first request to say so."""
    with pytest.raises(ModelUnavailable, match="onnxruntime-gpu"):
        _ = Settings(engine="cuda", memory=GIB).memory_limit
    plug(monkeypatch, 0)
    with pytest.raises(ModelUnavailable, match="no NVIDIA card"):
        _ = Settings(engine="cuda", memory=GIB).memory_limit


def test_engines_for_cpus_want_no_card() -> None:
    """Nothing is loaded to find that out."""
    card.require("onnx")
    card.require("openvino")


def test_missing_libraries_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the loader names them."""
    offered = [card.PROVIDER, "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: offered)
    monkeypatch.setattr(onnxruntime, "cuda_version", "12.8")

    with pytest.raises(ModelUnavailable, match=r"CUDA's libraries are missing: libcudart\.so\.12"):
        card.memory()


def test_weights_count_once(folder: Path, tmp_path: Path) -> None:
    """A card holds what the file holds, and no form is made beside it."""
    assert claims("cuda", folder, tmp_path) == size(folder)
