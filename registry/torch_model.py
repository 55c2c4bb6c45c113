"""A checkpoint in torch: the original that an export is made of and compared with."""

from typing import Any

from models.errors import CheckpointRefused
from registry.checkpoint import Checkpoint


def load(checkpoint: Checkpoint) -> Any:  # noqa: ANN401  (a PreTrainedModel, which has no types)
    """Load the weights in fp32, from safetensors only; CheckpointRefused where some are missing."""
    import torch  # noqa: PLC0415  (heavy; the serving image has none)
    from transformers import AutoModelForSequenceClassification  # noqa: PLC0415

    try:
        model, info = AutoModelForSequenceClassification.from_pretrained(
            checkpoint.path,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            dtype=torch.float32,
            attn_implementation="eager",
            output_loading_info=True,
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise CheckpointRefused(str(checkpoint.path), [f"it does not load: {error}"]) from error
    if missing := sorted(info["missing_keys"]):
        reason = f"weights are missing: {', '.join(missing[:3])} ({len(missing)} in all)"
        raise CheckpointRefused(str(checkpoint.path), [reason])
    return model.eval()
