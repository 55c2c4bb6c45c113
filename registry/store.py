"""The BentoML store, written: stage, verify, rename."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from models.disk import flush, locked
from models.errors import ArtifactCorrupt, ManifestInvalid
from models.identity import PREFIX, Tag
from models.manifest import NAME, Manifest
from models.routes import Routes
from models.store import Store
from registry.bento_info import MODEL_YAML, write_info
from registry.disk import replace, writing
from registry.plan import DIGITS
from registry.source import Promoted


class StoreWriter:
    """The one that writes a store; whoever calls is `alone`.

    A model is in the store whole or not at all: BentoML lists every folder below `models/`, and
    one without model.yaml breaks `bentoml.models.list()` for all.
    """

    def __init__(self, store: Store) -> None:
        """Take a store; its folders are made when they are needed."""
        self._store = store
        self._staging = store.home / "staging"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only writer of the store; waits for who is. StoreFailed where it can't lock."""
        place = self._store.home / "polysent" / "sync.lock"
        with ExitStack() as held:
            with writing(place):
                held.enter_context(locked(place))
            yield

    def clean(self) -> None:
        """Remove what a killed sync left in staging."""
        with writing(self._staging):
            if self._staging.exists():
                for leftover in self._staging.glob(f"{PREFIX}*"):
                    shutil.rmtree(leftover)

    @contextmanager
    def staged(self, name: str) -> Iterator[Path]:
        """Lend an empty folder on the store's file system; gone afterwards, unless published."""
        with writing(self._staging):
            folder = self._staging / name
            folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def tags(self) -> list[Tag]:
        """Return every model of ours in the store, sorted."""
        found = (self._store.home / "models").glob(f"{PREFIX}*/v*/{MODEL_YAML}")
        return sorted(tag for path in found if (tag := _tag(path.parent)) is not None)

    def manifest(self, tag: Tag) -> Manifest:
        """Read the manifest of a stored model; ManifestInvalid where it has none."""
        return Manifest.read(self._store.path(tag))

    def publish(self, folder: Path, tag: Tag) -> None:
        """Move a verified artifact from staging into the store; StoreFailed leaves it as it was."""
        place = self._store.path(tag)
        with writing(place):
            write_info(folder, tag, Manifest.read(folder))
            for file in folder.iterdir():
                flush(file)
            flush(folder)
            if place.exists():  # not one of `tags`: broken from outside
                place.rename(folder.with_name(f"{folder.name}.broken"))
            place.parent.mkdir(parents=True, exist_ok=True)
            folder.rename(place)
            flush(place.parent)
        self.name_latest(tag)

    def name_latest(self, tag: Tag) -> None:
        """Let `<name>:latest` be this model for BentoML; a kill may come before `publish` does."""
        latest = self._store.path(tag).parent / "latest"
        with writing(latest):
            if not latest.is_file() or latest.read_bytes() != tag.version.encode():
                replace(latest, tag.version.encode())

    def routes(self) -> Routes:
        """Read the routes as they are; a broken file counts as none, for a sync remakes it."""
        try:
            return Routes.read(self._store.routes)
        except ManifestInvalid:
            return Routes()

    def write_routes(self, routes: Routes) -> None:
        """Hand the routes over to the service, if they changed; StoreFailed leaves the old ones."""
        with writing(self._store.routes):
            if self.routes() != routes or not self._store.routes.exists():
                replace(self._store.routes, routes.to_bytes())


def verified(folder: Path, promoted: Promoted) -> Tag:
    """Return the tag of a downloaded artifact, in which only what was verified is left.

    ManifestInvalid, ArtifactCorrupt say what is wrong. The registry is not trusted: its versions
    can be overwritten, made without the gate, and one whose files are gone downloads as an empty
    folder.
    """
    manifest = Manifest.read(folder)
    manifest.verify(folder)
    wrong = []
    if manifest.language != promoted.model.language:
        wrong.append(f"it is for {manifest.language!r}, not for {promoted.model.language!r}")
    if promoted.digest is not None and manifest.digest != promoted.digest:
        wrong.append(f"manifest {manifest.digest[:DIGITS]}, not {promoted.digest[:DIGITS]}")
    wrong += ["it has passed no gate"] if manifest.gate is None else manifest.gate.reasons
    if wrong:
        raise ArtifactCorrupt(str(promoted.model), wrong)
    _drop_strays(folder, manifest)
    return Tag(promoted.model, manifest.digest[:DIGITS])


def _drop_strays(folder: Path, manifest: Manifest) -> None:
    """Remove what the manifest does not vouch for, such as the notes that MLflow adds."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name not in {NAME, *manifest.files}:
            path.unlink()


def _tag(folder: Path) -> Tag | None:
    """Return the tag of a stored model; None where files are missing or have another size."""
    try:
        files = Manifest.read(folder).files
        if any((folder / name).stat().st_size != file.size for name, file in files.items()):
            return None
        return Tag.parse(f"{folder.parent.name}:{folder.name}")
    except (ManifestInvalid, OSError, ValueError):
        return None
