"""Where a checkpoint comes from: a directory, or the Hugging Face hub where there is one."""

import re
from pathlib import Path

from models.errors import CheckpointRefused

_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w.-]+")
WANTED = ("*.json", "*.safetensors", "*.txt", "*.model", "README.md")
"""Files that are fetched; pickles never are."""


def locate(source: str) -> Path:
    """Return the local directory of a path or a hub id; CheckpointRefused where there is none."""
    path = Path(source).expanduser()
    if path.exists():
        return path
    if not _HUB_ID.fullmatch(source):
        raise CheckpointRefused(source, ["no such directory, and no hub id such as owner/name"])
    from huggingface_hub import snapshot_download  # noqa: PLC0415  (heavy, and only here)
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError  # noqa: PLC0415

    try:
        return Path(snapshot_download(source, allow_patterns=list(WANTED)))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        reason = f"no such directory, and the hub does not give it: {error}"
        raise CheckpointRefused(source, [reason]) from error
