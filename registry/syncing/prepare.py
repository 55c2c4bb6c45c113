"""The prepacked forms of stored models, kept as the store is."""

from pathlib import Path

from models.errors import ManifestInvalid, StoreFailed
from models.identity import Tag
from models.settings import read_settings
from models.store import Store
from registry.progress import Say
from registry.syncing.store import StoreWriter


def prepare(store: Store, tag: Tag, say: Say, folder: Path | None = None) -> None:
    """Make the form that the service opens; without it, the service makes it or does without.

    `folder` is where the model lies while it is not in the store yet. Engines other than onnx
    open the portable one.
    """
    if read_settings().engine != "onnx":
        return
    from models.engine import prepacked  # noqa: PLC0415  (heavy)

    place = folder or store.path(tag)
    try:
        if prepacked.find(place, store.home) is None:
            say(f"prepack {tag.model}")
            prepacked.make(place, store.home)
    except (StoreFailed, ManifestInvalid) as problem:
        say(f"{tag.model} will be opened as it is: {problem}")


def forget(store: Store, writer: StoreWriter, say: Say) -> None:
    """Remove the forms of models that are in the store no more."""
    from models.engine import prepacked  # noqa: PLC0415  (heavy)

    digests = {writer.manifest(tag).digest for tag in writer.tags()}
    try:
        prepacked.forget(store.home, digests)
    except OSError as problem:
        say(f"forms of models that are gone were not removed: {problem}")
