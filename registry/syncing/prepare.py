"""The prepacked forms of stored models, kept as the store is."""

from models.errors import StoreFailed
from models.identity import Tag
from models.store import Store
from registry.progress import Say
from registry.syncing.store import StoreWriter


def prepare(store: Store, tag: Tag, say: Say) -> None:
    """Make the form that the service opens; without it, the service makes it or does without."""
    from models.engine import prepacked  # noqa: PLC0415  (heavy)

    folder = store.path(tag)
    try:
        if prepacked.find(folder, store.home) is None:
            say(f"prepack {tag.model}")
            prepacked.make(folder, store.home)
    except StoreFailed as problem:
        say(f"{tag.model} will be opened as it is: {problem}")


def forget(store: Store, writer: StoreWriter, say: Say) -> None:
    """Remove the forms of models that are in the store no more."""
    from models.engine import prepacked  # noqa: PLC0415  (heavy)

    digests = {writer.manifest(tag).digest for tag in writer.tags()}
    try:
        prepacked.forget(store.home, digests)
    except OSError as problem:
        say(f"forms of models that are gone were not removed: {problem}")
