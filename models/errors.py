"""Every way Polysent says no.

PolysentError
├── ClientError                 400  the request is wrong
│   ├── MalformedJSON           400
│   ├── MalformedLanguage       400
│   ├── InvalidHeader           400
│   ├── LanguageConflict        400
│   ├── Unauthorized            401
│   ├── Forbidden               403
│   ├── NoKeys                  403
│   ├── RouteNotFound           404
│   ├── ModelNotFound           404
│   ├── MethodNotAllowed        405
│   ├── UploadTooSlow           408
│   ├── ModelPinned             409
│   ├── BodyTooLarge            413
│   ├── TextTooLong             413
│   ├── BatchTooLarge           413
│   ├── UnsupportedMediaType    415
│   ├── InvalidRequest          422
│   ├── EmptyText               422
│   ├── LanguageUnknown         422
│   ├── LanguageUnsupported     422
│   └── LanguageUndetermined    422
├── Overloaded                  429  come back later
├── RateLimited                 429  this key has asked too often
├── ModelUnavailable            503  the model can't answer now
│   ├── ModelTooLarge           503  it can never fit into the memory budget
│   ├── NotYetFetched           503  it is on its way from the registry
│   └── NothingServed           503
├── EngineFailed                500  the model broke on this text
├── DeadlineExceeded            504  there was no answer in time
└── RegistryError               a model can't go on along its path (never leaves by HTTP)
    ├── CheckpointRefused
    ├── ExportFailed
    ├── GateRefused
    ├── ManifestInvalid
    ├── ArtifactCorrupt
    ├── StoreFailed
    └── RegistryUnavailable

`status` is the HTTP status, `code` the stable name (problem+json `type` is made of it),
`title` the sentence that is the same each time; the exception's message is the `detail`.
"""

from collections.abc import Sequence
from typing import ClassVar


class PolysentError(Exception):
    """The root: something of ours went wrong, and this is its one outcome."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Something went wrong on our side"
    retry_after: float | None = None
    """Seconds after which the same request may succeed, where that is known."""

    def __init__(self, detail: str = "", *, retry_after: float | None = None) -> None:
        """Say what happened, and when to come back if that could be computed."""
        super().__init__(detail)
        if retry_after is not None:
            self.retry_after = retry_after


class ClientError(PolysentError):
    """The request is wrong; sending it again will not help."""

    status = 400
    code = "bad_request"
    title = "The request is wrong"


class MalformedJSON(ClientError):
    """The body is not JSON."""

    code = "malformed_json"
    title = "The body is not JSON"


class MalformedLanguage(ClientError):
    """The language is not a BCP-47 tag."""

    code = "malformed_language"
    title = "The language is not a BCP-47 tag"


class InvalidHeader(ClientError):
    """A header says what it must not say."""

    code = "invalid_header"
    title = "A header is wrong"


class LanguageConflict(ClientError):
    """Path, header and body name different languages."""

    code = "language_conflict"
    title = "Path, header and body name different languages"


class Unauthorized(ClientError):
    """Nobody knows who asks."""

    status = 401
    code = "unauthorized"
    title = "The key is missing or wrong"


class Forbidden(ClientError):
    """The key is good, but not for this."""

    status = 403
    code = "forbidden"
    title = "The key is not for this"


class NoKeys(ClientError):
    """Beyond loopback nobody is answered without a key, and there are none."""

    status = 403
    code = "no_keys"
    title = "The service has no keys, so it is closed here"


class RouteNotFound(ClientError):
    """No such path."""

    status = 404
    code = "not_found"
    title = "There is nothing at this path"


class ModelNotFound(ClientError):
    """No model of this name, or not in this version, is served."""

    status = 404
    code = "model_not_found"
    title = "No such model is served"


class MethodNotAllowed(ClientError):
    """The path is there, the method is not."""

    status = 405
    code = "method_not_allowed"
    title = "This path does not take this method"


class UploadTooSlow(ClientError):
    """The body did not arrive in its time."""

    status = 408
    code = "upload_too_slow"
    title = "The body did not arrive in time"


class ModelPinned(ClientError):
    """The model is pinned, so it is not closed."""

    status = 409
    code = "model_pinned"
    title = "The model is pinned"


class BodyTooLarge(ClientError):
    """The body has more bytes than the service reads."""

    status = 413
    code = "body_too_large"
    title = "The body is too large"


class TextTooLong(ClientError):
    """A text has more characters than the service takes."""

    status = 413
    code = "text_too_long"
    title = "The text is too long"


class BatchTooLarge(ClientError):
    """A batch has more items than the service takes."""

    status = 413
    code = "batch_too_large"
    title = "The batch has too many items"


class UnsupportedMediaType(ClientError):
    """The body is declared to be something that this path does not read."""

    status = 415
    code = "unsupported_media_type"
    title = "This path does not read a body of this kind"


class InvalidRequest(ClientError):
    """The JSON does not have the documented shape."""

    status = 422
    code = "invalid_request"
    title = "The request does not have the documented shape"


class EmptyText(ClientError):
    """The text is empty or blank."""

    status = 422
    code = "empty_text"
    title = "The text is empty"


class LanguageUnknown(ClientError):
    """The tag is well formed, but no such language is registered."""

    status = 422
    code = "language_unknown"
    title = "No such language is registered"


class LanguageUnsupported(ClientError):
    """No model answers this language and there is no multilingual one."""

    status = 422
    code = "language_unsupported"
    title = "No model answers this language"


class LanguageUndetermined(ClientError):
    """The language could not be told, and there is no multilingual model."""

    status = 422
    code = "language_undetermined"
    title = "The language of the text could not be told"


class Overloaded(PolysentError):
    """The queue of this model is full."""

    status = 429
    code = "overloaded"
    title = "Too many requests are waiting for this model"
    retry_after = 1


class RateLimited(PolysentError):
    """The key has asked for more texts than it may in this time."""

    status = 429
    code = "rate_limited"
    title = "This key has asked too often"
    retry_after = 1


class ModelUnavailable(PolysentError):
    """The model that should answer can't be opened now."""

    status = 503
    code = "model_unavailable"
    title = "The model can't answer now"
    retry_after = 5


class ModelTooLarge(ModelUnavailable):
    """The model can never fit into the memory budget."""

    code = "model_too_large"
    title = "The model does not fit into the memory budget"
    retry_after = 60


class NotYetFetched(ModelUnavailable):
    """The registry has a champion of this language, the store not yet."""

    code = "not_yet_fetched"
    title = "The model is on its way from the registry"
    retry_after = 10


class NothingServed(ModelUnavailable):
    """The store has no model yet."""

    code = "nothing_served"
    title = "No model is served yet"


class EngineFailed(PolysentError):
    """The model broke on this text."""

    code = "engine_failed"
    title = "The model failed on this text"


class DeadlineExceeded(PolysentError):
    """There was no answer within the time that a request has."""

    status = 504
    code = "deadline_exceeded"
    title = "There was no answer in time"


class RegistryError(PolysentError):
    """A model can't go on along its path."""

    code = "registry"
    title = "The model can't go on"


class Refused(RegistryError):
    """A model is refused, with every reason that was found."""

    def __init__(self, what: str, reasons: Sequence[str]) -> None:
        """Keep the reasons; the message is all of them."""
        self.reasons = tuple(reasons)
        super().__init__(f"{what} is refused: " + "; ".join(self.reasons))


class CheckpointRefused(Refused):
    """The checkpoint can't become a Polysent model."""

    code = "checkpoint_refused"
    title = "The checkpoint is refused"


class ExportFailed(RegistryError):
    """The checkpoint could not be turned into ONNX."""

    code = "export_failed"
    title = "The export failed"


class GateRefused(Refused):
    """The exported model is not good enough."""

    code = "gate_refused"
    title = "The gate refuses the model"


class ManifestInvalid(RegistryError):
    """The manifest is missing or can't be read."""

    code = "manifest_invalid"
    title = "The manifest is invalid"


class ArtifactCorrupt(Refused):
    """The files are not those that the manifest names."""

    code = "artifact_corrupt"
    title = "The artifact is corrupt"


class StoreFailed(RegistryError):
    """The BentoML store could not be written."""

    code = "store_failed"
    title = "The model store could not be written"


class RegistryUnavailable(RegistryError):
    """MLflow does not answer, or not as expected."""

    code = "registry_unavailable"
    title = "The model registry is unavailable"
