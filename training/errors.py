"""What can go wrong while the demo fleet is fetched, built or measured."""

from models.errors import PolysentError


class TrainingError(PolysentError):
    """Root of this package's errors; the message says which file or language, and what to do."""

    status = 500
    code = "training_failed"
    title = "The demo fleet could not be built"


class FetchFailed(TrainingError):
    """A pinned package could not be brought: nobody answered, or no such file is offered."""

    status = 502
    code = "fetch_failed"
    title = "A package could not be downloaded"


class HashMismatch(FetchFailed):
    """What came is not the pinned file; nothing was kept."""

    code = "hash_mismatch"
    title = "A downloaded package is not the pinned one"


class AssetBroken(TrainingError):
    """A pinned file holds something else than its reader expects."""

    code = "asset_broken"
    title = "A package could not be read"


class UnknownLanguage(TrainingError):
    """The catalogue has no such row."""

    status = 422
    code = "unknown_language"
    title = "The demo fleet does not have this language"
