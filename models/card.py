"""The NVIDIA card: what CUDA's runtime library says of it."""

import ctypes
from typing import Any

from models.errors import ModelUnavailable

PROVIDER = "CUDAExecutionProvider"
ENGINE = "cuda"


def require(engine: str) -> None:
    """Want a card where an engine runs on one; ModelUnavailable says what is missing.

    That may be ONNX Runtime's build for cards, CUDA's libraries, a driver, the card. None of its
    memory is taken.
    """
    if engine == ENGINE:
        _ask("cudaGetDeviceCount", ctypes.c_int())


def memory() -> int:
    """Return the bytes of memory of the card; ModelUnavailable as `require`.

    It is the first one that CUDA_VISIBLE_DEVICES leaves. Some of that memory is this process's
    from then on.
    """
    total = ctypes.c_size_t()
    _ask("cudaMemGetInfo", ctypes.c_size_t(), total)
    return total.value


def _ask(function: str, *answers: Any) -> None:  # noqa: ANN401  (numbers of C's)
    """Let a function fill in its answers."""
    cuda = _runtime()
    if code := getattr(cuda, function)(*map(ctypes.byref, answers)):
        why = cuda.cudaGetErrorString(code).decode()
        message = f"there is no NVIDIA card here, or no driver that fits it: {why}"
        raise ModelUnavailable(message)


def _runtime() -> Any:  # noqa: ANN401  (a library: its functions have no types)
    """Load CUDA's libraries, as wheels brought them or the machine has them."""
    import onnxruntime  # noqa: PLC0415  (heavy)

    if PROVIDER not in onnxruntime.get_available_providers():
        message = "the engine `cuda` needs onnxruntime-gpu instead of onnxruntime: the GPU image"
        raise ModelUnavailable(message)
    onnxruntime.preload_dlls()
    try:
        cuda = ctypes.CDLL(f"libcudart.so.{onnxruntime.cuda_version.partition('.')[0]}")
    except OSError as error:
        message = f"CUDA's libraries are missing: {error}"
        raise ModelUnavailable(message) from error
    cuda.cudaGetErrorString.restype = ctypes.c_char_p
    return cuda
