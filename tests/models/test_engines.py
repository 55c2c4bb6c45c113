from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from models.engine.choose import NAMES, Name, claims, open_engine
from models.errors import ModelUnavailable
from models.tokens import pad
from tests.tiny import write_tiny

ON_ARTIFACTS = [
    name for name in NAMES if name == "onnx" or (name == "openvino" and find_spec(name))
]
ROWS = [[2, 8, 5], [3], [5, 5, 5, 8]]
LOGITS = [[2, 2], [0, 2], [6, 0]]


@pytest.mark.parametrize("name", ON_ARTIFACTS)
def test_every_engine_gives_the_same_logits(tmp_path: Path, name: Name) -> None:
    """What runs an artifact is nobody's business but the operator's."""
    write_tiny(tmp_path / "artifact")

    engine = open_engine(name, tmp_path / "artifact", 1, tmp_path)

    assert np.allclose(engine.run(pad(ROWS, 0)), LOGITS, atol=1e-4)


@pytest.mark.parametrize("name", ON_ARTIFACTS)
def test_run_beside_others_gives_the_same(tmp_path: Path, name: Name) -> None:
    """On one core or on all, before and after the other."""
    write_tiny(tmp_path / "artifact")
    engine = open_engine(name, tmp_path / "artifact", 2, tmp_path)

    for alone in (True, *[False] * 10, True):
        assert np.allclose(engine.run(pad(ROWS, 0), alone=alone), LOGITS, atol=1e-4)

    engine.close()


@pytest.mark.parametrize("name", ON_ARTIFACTS)
def test_several_threads_may_run_it_at_once(tmp_path: Path, name: Name) -> None:
    """Each gets the answer to its own batch."""
    write_tiny(tmp_path / "artifact")
    engine = open_engine(name, tmp_path / "artifact", 1, tmp_path)
    batches = [pad([[2] * length], 0) for length in range(1, 33)]

    with ThreadPoolExecutor(4) as threads:
        answers = [float(logits[0, 1]) for logits in threads.map(engine.run, batches)]

    assert answers == pytest.approx([2.0 * length for length in range(1, 33)])


@pytest.mark.parametrize("name", ON_ARTIFACTS)
def test_a_bound_is_known_before_it_is_opened(tmp_path: Path, name: Name) -> None:
    """A budget can be asked first."""
    write_tiny(tmp_path / "artifact")

    assert claims(name, tmp_path / "artifact", tmp_path) > 0


@pytest.mark.skipif(not find_spec("torch"), reason="torch is not installed")
def test_torch_runs_checkpoints_only(tmp_path: Path) -> None:
    """An artifact holds nothing that transformers could load."""
    write_tiny(tmp_path / "artifact")

    with pytest.raises(ModelUnavailable, match="no checkpoint"):
        open_engine("torch", tmp_path / "artifact", 1, tmp_path)
