"""Every knob, read once."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ByteSize, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from models import card, memory
from models.languages import MULTILINGUAL, canonical
from models.log import Form

ENV_PREFIX = "POLYSENT_"
Fetch = Literal["all", "asked"]
"""Every champion, or those of languages that somebody asked for."""
LARGEST_BATCH = 4096
"""Texts of one request that are looked at before anything is counted."""


class Settings(BaseSettings):
    """Each field is an environment variable: `threads` is `POLYSENT_THREADS`."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True)

    home: Path = Path(".polysent")
    """Folder of what `polysent up` makes: downloads, checkpoints, exports, the MLflow database."""
    mlflow_uri: Annotated[str, Field(pattern=r"^https?://[^/]+")] = "http://127.0.0.1:5000"
    """Address of the MLflow server; `polysent up` starts one there when it is on this machine."""
    sync_seconds: Annotated[float, Field(gt=0)] = 5.0
    """Seconds between two looks of `polysent registry sync --watch` at MLflow."""
    sync_url: Annotated[str, Field(pattern=r"^https?://[^/]+$")] = "http://127.0.0.1:3100"
    """Where that command listens for webhooks, and others nudge it."""
    sync: Literal["none", "embedded"] = "none"
    """Whether the service runs that command itself, as its child: where there is no sidecar."""
    sync_fetch: Fetch = "all"
    """What it fetches: all champions, or those of languages that were asked for or are pinned."""
    sync_wait: Annotated[float, Field(ge=0)] = 180.0
    """Seconds until a service with an embedded sync is ready with the models that have come."""
    webhook_secret: SecretStr = SecretStr("")
    """What webhooks and nudges are signed with; a random one, in a file, when empty."""
    host: str = "127.0.0.1"
    """Address that `polysent up` lets the service listen on."""
    port: Annotated[int, Field(ge=1, le=65535)] = 3000
    """Port that `polysent up` gives the service."""
    threads: Annotated[int, Field(ge=1)] = memory.cores()
    """Cores that an engine run may use that is alone."""
    engine: Literal["onnx", "openvino", "cuda"] = "onnx"
    """What runs the models."""
    lanes: Annotated[int, Field(ge=1)] = memory.cores()
    """Engine runs at a time, each on one core, where there is work for several."""
    batch_tokens: Annotated[int, Field(ge=128)] = 256
    """Most tokens, padding included, in one engine run."""
    batch_padding: Annotated[float, Field(ge=0, le=1)] = 0.05
    """Largest share of padding in one engine run."""
    queue_limit: Annotated[int, Field(ge=1)] = 512
    """Most texts of one urgency that may wait for one model; one more is answered 429."""
    memory: ByteSize = ByteSize(0)
    """Bytes that open models and tokenizers may hold (`6GiB`); 0: 3/4 of what the process has."""
    pin: Annotated[tuple[str, ...], NoDecode] = ()
    """Languages, separated by commas, whose models are opened before the service is ready."""
    cache: ByteSize = ByteSize(64 * 2**20)
    """Bytes of answers that are kept; 0 switches the cache off."""
    cache_url: Annotated[str, Field(pattern=r"^(rediss?://.+)?$", repr=False)] = ""
    """Redis in which replicas share their answers, `redis://host:6379/0`; none when empty."""
    max_text_chars: Annotated[int, Field(ge=1)] = 20_000
    """Longest text, in characters; what the model does not take of it is cut."""
    max_body_bytes: Annotated[int, Field(ge=1024)] = 4 * 2**20
    """Largest request body, in bytes."""
    log: Form = "text"
    """Form of the log: lines for people, or JSON."""
    request_seconds: Annotated[float, Field(gt=0)] = 60.0
    """Longest time from a request's first byte to its answer; 504 then."""
    upload_seconds: Annotated[float, Field(gt=0)] = 20.0
    """Longest time in which a request's head, and then its body, must arrive; 408 then."""
    max_batch_items: Annotated[int, Field(ge=1, le=LARGEST_BATCH)] = 256
    """Most items of one `POST /predict_batch`."""
    min_confidence: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Least confidence with which a detected language counts as known."""
    admin_port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Port of `pin`, `unpin` and `evict`, which the public port then lacks; 0: none but that."""
    admin_host: str = "127.0.0.1"
    """Address of that port."""
    admin_token: SecretStr = SecretStr("")
    """A key of scope `admin` besides those of the file; a random one, in a file, when empty."""
    keys_file: str = ""
    """File of the API keys; `keys.json` in the store when empty."""
    insecure: bool = False
    """Whether everyone is answered who reaches the service while it has no keys."""
    open_metrics: bool = False
    """Whether `/metrics` is answered without a key."""

    @field_validator("pin", mode="before")
    @classmethod
    def _languages(cls, value: str | tuple[str, ...]) -> tuple[str, ...]:
        spelled = value.split(",") if isinstance(value, str) else value
        return tuple(canonical(tag.strip()) for tag in spelled if tag.strip())

    @field_validator("admin_port")
    @classmethod
    def _apart(cls, port: int, before: ValidationInfo) -> int:
        if port == before.data.get("port"):
            message = f"must not be {ENV_PREFIX}PORT"
            raise ValueError(message)
        return port

    @field_validator("admin_token")
    @classmethod
    def _sendable(cls, token: SecretStr) -> SecretStr:
        if not all("!" <= character <= "~" for character in token.get_secret_value()):
            message = "must be printable ASCII without spaces"
            raise ValueError(message)
        return token

    @property
    def unasked(self) -> frozenset[str] | None:
        """Languages that the sync fetches before anyone asks for them; None is all."""
        return None if self.sync_fetch == "all" else frozenset({*self.pin, MULTILINGUAL})

    @property
    def memory_limit(self) -> int:
        """Bytes that open models and tokenizers may hold.

        Of a card where the engine is `cuda`; ModelUnavailable, whatever is set, without one.
        """
        total = card.memory() if self.engine == card.ENGINE else memory.limit()
        return self.memory or total * 3 // 4


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """Return the POLYSENT_ variables that are no setting (pydantic-settings lets them pass)."""
    known = {ENV_PREFIX + name.upper() for name in Settings.model_fields}
    return sorted(
        name for name in environment if name.upper().startswith(ENV_PREFIX) and name not in known
    )


def read_settings() -> Settings:
    """Read the settings from the environment; ValueError names a bad value or a misspelt name."""
    if unknown := unknown_variables(os.environ):
        message = f"unknown settings: {', '.join(unknown)} (docs/settings.md lists them all)"
        raise ValueError(message)
    return Settings()
