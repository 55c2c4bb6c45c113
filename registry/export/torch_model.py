"""A checkpoint in torch: the original that an export is made of and compared with."""

from typing import Any

from models.errors import CheckpointRefused
from registry.checkpoints.checkpoint import Checkpoint


def load(checkpoint: Checkpoint) -> Any:  # noqa: ANN401  (a PreTrainedModel, which has no types)
    """Load the weights in fp32, from safetensors only; CheckpointRefused where some are missing."""
    from models.engine import torch as engine  # noqa: PLC0415  (heavy; the serving image has none)

    try:
        model, missing = engine.load(checkpoint.path)
    except (OSError, ValueError, RuntimeError) as error:
        raise CheckpointRefused(str(checkpoint.path), [f"it does not load: {error}"]) from error
    if missing:
        reason = f"weights are missing: {', '.join(missing[:3])} ({len(missing)} in all)"
        raise CheckpointRefused(str(checkpoint.path), [reason])
    return model
