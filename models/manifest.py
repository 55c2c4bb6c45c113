"""The manifest: what an artifact is, which files it has, and why it may be served."""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from models.certificate import Circumstances, Interval, Part, Slice
from models.errors import ArtifactCorrupt, ManifestInvalid
from models.labels import Label

NAME = "manifest.json"
MODEL = "model.onnx"
WEIGHTS = "model.bin"
TOKENIZER = "tokenizer.json"
NEEDED = (MODEL, WEIGHTS, TOKENIZER)
"""Files that a manifest has to vouch for: they are what is opened."""

FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def sha256(path: Path) -> str:
    """Return the sha256 of a file, in hex, read in bounded memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class File(Part):
    """One file of the artifact; size in bytes."""

    sha256: Sha256
    size: Annotated[int, Field(ge=0)]

    @classmethod
    def of(cls, path: Path) -> Self:
        """Describe a file as it is on disk."""
        return cls(sha256=sha256(path), size=path.stat().st_size)


class Gate(Part):
    """What the gate measured of the exported model against its fp32 checkpoint, on the CPU."""

    texts: int
    """How many texts were compared, whether or not their label is known."""
    texts_source: str
    """Where they come from."""
    agreement: float
    """Share of texts on which both choose the same label."""
    mean_score_change: float
    """Mean absolute change of the positive label's probability."""
    labelled: int = 0
    """How many labelled rows were compared; 0 where there are none."""
    accuracy_fp32: float | None = None
    accuracy: float | None = None
    data_digest: str
    """sha256 over the compared texts and labels."""
    reasons: tuple[str, ...] = ()
    """Why the model must not be served; empty lets it through."""
    p95_score_change: float | None = None
    """95 % of the texts change by less."""
    accuracy_interval: Interval | None = None
    macro_f1_fp32: float | None = None
    macro_f1: float | None = None
    macro_f1_interval: Interval | None = None
    calibration_error_fp32: float | None = None
    calibration_error: float | None = None
    """Expected difference between the score of the chosen label and how often it is right."""
    slices: tuple[Slice, ...] = ()
    circumstances: Circumstances | None = None

    def lasting(self) -> dict[str, Any]:
        """Return the JSON that a digest covers: what the same files and texts give anywhere.

        A figure of _LATER that nobody took is left out, so that older digests hold.
        """
        untaken = {name for name in _LATER if getattr(self, name) in {None, ()}}
        return self.model_dump(mode="json", exclude={"circumstances"} | untaken)


_LATER = frozenset(
    {"accuracy_interval", "calibration_error", "calibration_error_fp32", "macro_f1"}
    | {"macro_f1_fp32", "macro_f1_interval", "p95_score_change", "slices"}
)
"""Fields that the first manifests did not have."""


class Manifest(Part):
    """Everything the service needs to know of an artifact before it opens it.

    `labels[i]` is the model's own name of logit i and `unified[i]` ours.
    """

    schema_version: Literal[1] = 1
    language: str
    covers: tuple[str, ...] = ()
    """Languages that the model is meant for; empty where nobody said."""
    labels: Annotated[tuple[str, ...], Field(min_length=2)]
    unified: Annotated[tuple[Label, ...], Field(min_length=2)]
    max_tokens: Annotated[int, Field(ge=8)]
    pad_token_id: Annotated[int, Field(ge=0)]
    base_model: str
    precision: str
    training_data_digest: str
    licence: str
    files: dict[FileName, File]
    gate: Gate | None = None

    @model_validator(mode="after")
    def _one_name_per_label(self) -> Self:
        if len(self.labels) != len(self.unified):
            message = "labels and unified differ in length"
            raise ValueError(message)
        return self

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read `manifest.json` of an artifact; ManifestInvalid says what is wrong with it."""
        try:
            return cls.model_validate_json((folder / NAME).read_bytes())
        except FileNotFoundError:
            message = f"{folder} has no {NAME}"
            raise ManifestInvalid(message) from None
        except (OSError, ValidationError) as error:
            message = f"{folder / NAME}: {error}"
            raise ManifestInvalid(message) from error

    def write(self, folder: Path) -> None:
        """Write `manifest.json` into an artifact."""
        (folder / NAME).write_bytes(self.to_bytes())

    def to_bytes(self) -> bytes:
        """Return the canonical JSON: the same manifest has the same bytes."""
        return _canonical(self.model_dump(mode="json"))

    @property
    def digest(self) -> str:
        """The sha256 of the canonical JSON without circumstances, and so of every file it names.

        The same artifact, gated on the same texts, has the same one on every machine and day.
        """
        plain = self.model_dump(mode="json", exclude={"gate"})
        plain["gate"] = self.gate and self.gate.lasting()
        return hashlib.sha256(_canonical(plain)).hexdigest()

    @property
    def nbytes(self) -> int:
        """The size of all files, in bytes."""
        return sum(file.size for file in self.files.values())

    def verify(self, folder: Path) -> None:
        """Read every file and compare; ArtifactCorrupt names each one that is not as promised.

        A file of NEEDED that has no hash is as bad as a wrong one.
        """
        wrong = [f"{name}: not in {NAME}" for name in NEEDED if name not in self.files]
        wrong += [
            f"{name}: {problem}"
            for name, file in sorted(self.files.items())
            if (problem := _difference(folder / name, file))
        ]
        if wrong:
            raise ArtifactCorrupt(str(folder), wrong)


def _canonical(plain: dict[str, Any]) -> bytes:
    return (json.dumps(plain, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _difference(path: Path, file: File) -> str | None:
    if path.is_symlink() or not path.is_file():
        return "missing"
    if (size := path.stat().st_size) != file.size:
        return f"{size} bytes, not {file.size}"
    if (found := sha256(path)) != file.sha256:
        return f"sha256 {found[:12]}, not {file.sha256[:12]}"
    return None
