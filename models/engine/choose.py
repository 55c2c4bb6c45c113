"""Which engine runs a model, and in which form."""

import logging
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from models import memory
from models.engine import Engine
from models.engine import prepacked as forms
from models.engine.cuda import CudaEngine
from models.engine.onnx import OnnxEngine, size
from models.errors import ModelUnavailable, StoreFailed

Name = Literal["onnx", "openvino", "cuda", "torch"]
NAMES: tuple[Name, ...] = get_args(Name)
MISSING = "{} is not installed; it comes with the extra polysent[{}]"
COPIES = {"onnx": 2, "openvino": 3}
"""OpenVINO holds up to 2.4 times the weights (facts, measured)."""

_LOG = logging.getLogger(__name__)


def open_engine(name: Name, folder: Path, threads: int, home: Path) -> Engine:
    """Open what lies in a folder: an artifact, or a checkpoint for torch.

    `home` is $BENTOML_HOME. onnx takes the prepacked form, made first where it is missing; where
    it can't be made, the portable one, and the log says so once. ModelUnavailable where the
    engine is not installed or can't run this; cuda never runs it on the CPU instead.
    """
    if name == "onnx":
        return _onnx(folder, threads, home)
    if name == "cuda":
        return CudaEngine(folder)
    return _openvino(folder, threads) if name == "openvino" else _torch(folder, threads)


def claims(name: Name, folder: Path, home: Path) -> int:
    """Return an upper bound of what `open_engine` will hold, in bytes; nothing is opened.

    A form that is still to be made counts as twice the artifact: what it has when both are open.
    On a card weights are held once, as the file has them.
    """
    if name == "onnx" and (form := forms.find(folder, home)):
        return forms.claims(form)
    if name == "torch":
        return sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    return size(folder) * COPIES.get(name, 1)


def _onnx(folder: Path, threads: int, home: Path) -> Engine:
    try:
        form = forms.find(folder, home) or forms.make(folder, home)
        engine = OnnxEngine(form, threads, prepacked=True)
    except StoreFailed as problem:
        _warn(home, str(problem))
        return OnnxEngine(folder, threads)
    memory.trim()  # opening allocates and frees: fp32 leaves 13 MiB of heap, trimmed 1
    return engine


def _openvino(folder: Path, threads: int) -> Engine:
    try:
        from models.engine.openvino import OpenVinoEngine  # noqa: PLC0415  (an extra)
    except ImportError as error:
        raise ModelUnavailable(MISSING.format("openvino", "openvino")) from error
    return OpenVinoEngine(folder, threads)


def _torch(folder: Path, threads: int) -> Engine:
    try:
        from models.engine.torch import TorchEngine  # noqa: PLC0415  (an extra)
    except ImportError as error:
        raise ModelUnavailable(MISSING.format("torch", "registry")) from error
    return TorchEngine(folder, threads)


@cache
def _warn(home: Path, why: str) -> None:
    _LOG.warning(
        "models of %s are opened without their prepacked form, at more memory each: %s", home, why
    )
