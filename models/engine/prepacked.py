"""The prepacked form of an artifact: made once a machine, then mapped into memory.

ONNX Runtime lays weights out anew for the CPU it runs on, on the heap, at every opening. Saved
with that layout, the file holds both forms, and what runs is the page cache. The originals have to
stay: with holes in their place, logits were zero and the heap as large as without the form.
"""

import os
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime

from models import memory
from models.disk import flush, locked, locked_if_free
from models.engine.form import Form, Made, is_whole
from models.engine.instructions import isa
from models.engine.onnx import SESSION, OnnxEngine, logits, session_options, size
from models.errors import ManifestInvalid, StoreFailed
from models.manifest import MODEL, WEIGHTS, Manifest
from models.tokens import Batch

STAGING = ".staging-"
DIGITS = 12
LOADED = 256
"""Bytes; smaller tensors stay in model.onnx. Shapes, which are tiny, must; scales must not, or
MatMulNBits answers NaN (onnxruntime 1.31.1; seen with 1024 and a model of width 64)."""
RECENT_SECONDS = 600.0
"""A form is younger than its artifact's place in the store: it is made first."""
SHAPES = ((1, 1), (1, 8), (4, 8))
"""Rows and tokens of the batches that both forms must answer alike."""
TOLERANCE = 1e-4


def derived(home: Path, digest: str) -> Path:
    """Return where the form of an artifact lies on machines like this one.

    `home` is $BENTOML_HOME, `digest` the manifest's.
    """
    return root(home) / f"{digest[:DIGITS]}-{isa()}-{onnxruntime.__version__}"


def root(home: Path) -> Path:
    """Return the folder of all forms."""
    return home / "polysent" / "derived"


def find(folder: Path, home: Path) -> Path | None:
    """Return the form of an artifact; None where it is missing, foreign or damaged.

    Sizes and times are compared, not contents. What is no artifact has no form.
    """
    try:
        digest = Manifest.read(folder).digest
    except ManifestInvalid:
        return None
    place = derived(home, digest)
    return place if is_whole(place, digest) else None


def make(folder: Path, home: Path) -> Path:
    """Return the form of an artifact, making it where `find` finds none.

    Whoever comes second waits and finds it. StoreFailed where it can't be written or does not give
    the artifact's logits; then there is none, and the artifact itself is untouched either way.
    """
    digest = Manifest.read(folder).digest
    place = derived(home, digest)
    try:
        with locked(root(home) / ".lock"):
            if not is_whole(place, digest):
                _clean(root(home))
                _make(folder, digest, place)
    except StoreFailed:
        raise
    except Exception as error:  # the runtime has its own, and the disk's
        message = f"{place} could not be made: {type(error).__name__}: {error}"
        raise StoreFailed(message) from error
    return place


def claims(form: Path) -> int:
    """Return an upper bound of the bytes that a form takes once it is open."""
    return Form.read(form).nbytes


def free(folder: Path) -> int:
    """Return the bytes that its disk has left."""
    return shutil.disk_usage(folder).free


def _make(folder: Path, digest: str, place: Path) -> None:
    needed = 3 * size(folder)
    if (left := free(place.parent)) < needed:
        message = f"{place} needs up to {needed} bytes while it is made; the disk has {left} left"
        raise StoreFailed(message)
    staging = Path(tempfile.mkdtemp(prefix=STAGING, dir=place.parent))
    try:
        portable = _save(folder, staging)
        form = Form(
            source=digest,
            nbytes=_verified(portable, folder, staging),
            files={name: Made.of(staging / name) for name in (MODEL, WEIGHTS)},
        )
        form.write(staging)
        staging.chmod(0o755)  # a service under another user maps it
        for path in (*staging.iterdir(), staging):
            path.chmod(path.stat().st_mode | 0o444)
            flush(path)
        shutil.rmtree(place, ignore_errors=True)
        os.rename(staging, place)  # noqa: PTH104  (the one that promises to be atomic)
        flush(place.parent)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _save(folder: Path, staging: Path) -> onnxruntime.InferenceSession:
    """Open an artifact, which saves its form; return the session over the artifact."""
    options = session_options(threads=1)
    options.optimized_model_filepath = str(staging / MODEL)
    for name, value in {
        "session.optimized_model_external_initializers_file_name": WEIGHTS,
        "session.optimized_model_external_initializers_min_size_in_bytes": str(LOADED),
        "session.save_external_prepacked_constant_initializers": "1",
    }.items():
        options.add_session_config_entry(name, value)
    session = onnxruntime.InferenceSession(
        folder / MODEL, options, providers=["CPUExecutionProvider"]
    )
    (staging / WEIGHTS).touch()  # a model may be too small to have any outside
    return session


def _verified(portable: onnxruntime.InferenceSession, folder: Path, staging: Path) -> int:
    """Compare the logits of both forms; return an upper bound of what the new one takes."""
    batches = [_batch(*shape) for shape in SHAPES]
    expected = [logits(portable, batch) for batch in batches]
    form = OnnxEngine(staging, threads=1, prepacked=True)
    for batch, wanted in zip(batches, expected, strict=True):
        if not np.allclose(form.run(batch), wanted, rtol=0, atol=TOLERANCE):
            message = f"the prepacked form of {folder} gives other logits"
            raise StoreFailed(message)
    return (memory.spanned(staging) or size(staging)) + SESSION


def _batch(rows: int, tokens: int) -> Batch:
    ids = np.arange(rows * tokens, dtype=np.int64).reshape(rows, tokens) % 7 + 2
    mask = np.ones_like(ids)
    mask[0, tokens // 2 + 1 :] = 0
    return Batch(ids, mask)


def _clean(folder: Path) -> None:
    """Remove what a killed `make` left; only the holder of the lock may."""
    for leftover in folder.glob(f"{STAGING}*"):
        shutil.rmtree(leftover, ignore_errors=True)


def forget(home: Path, digests: set[str]) -> list[Path]:
    """Remove the forms of all artifacts but these, and of all machines; return which.

    Those made just now stay, and all of them while one is being made.

    One that a service has open stays mapped there until it is closed.
    """
    if not root(home).is_dir():
        return []
    kept = {digest[:DIGITS] for digest in digests}
    recent = time.time() - RECENT_SECONDS
    with locked_if_free(root(home) / ".lock") as free:
        if not free:  # one is being made: there will be another time
            return []
        _clean(root(home))
        stale = [
            path
            for path in root(home).iterdir()
            if path.is_dir() and path.name.partition("-")[0] not in kept
            if path.stat().st_mtime < recent
        ]
        for path in stale:
            shutil.rmtree(path, ignore_errors=True)
    return stale
