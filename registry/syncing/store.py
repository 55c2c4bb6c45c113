"""The BentoML store, written: stage, verify, rename."""

import shutil
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from models.disk import flush, locked, locked_if_free
from models.errors import ArtifactCorrupt, ManifestInvalid
from models.identity import PREFIX, Tag
from models.leases import Leases
from models.manifest import NAME, Manifest
from models.routes import Routes
from models.store import Store
from registry.disk import replace, writing
from registry.source import Promoted
from registry.syncing.bento_info import MODEL_YAML, write_info
from registry.syncing.plan import DIGITS

LOCK = ".lock"


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

    def clean(self, wanted: Collection[Promoted]) -> None:
        """Remove what killed syncs left in staging, but what is still wanted and under way."""
        keep = {_staging_name(promoted) for promoted in wanted}
        with writing(self._staging):
            for leftover in self._staging.glob(f"{PREFIX}*"):
                if leftover.is_dir() and leftover.name not in keep:
                    with locked_if_free(leftover.with_suffix(LOCK)) as free:
                        if free:
                            shutil.rmtree(leftover)

    @contextmanager
    def staged(self, promoted: Promoted) -> Iterator[Path | None]:
        """Lend the folder of a download, on the store's file system; None where it is lent already.

        What an earlier attempt brought is still in it.
        """
        folder = self._staging / _staging_name(promoted)
        with ExitStack() as held:
            with writing(self._staging):
                free = held.enter_context(locked_if_free(folder.with_suffix(LOCK)))
                if free:
                    folder.mkdir(exist_ok=True)
            yield folder if free else None

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
            with self.alone():
                if (place / MODEL_YAML).is_file() and _tag(place):  # another sync was first
                    shutil.rmtree(folder)
                    return
                if place.exists():  # broken from outside
                    self._discard(place)
                place.parent.mkdir(parents=True, exist_ok=True)
                folder.rename(place)
                flush(place.parent)
                self.name_latest(tag)

    def remove(self, tag: Tag) -> bool:
        """Remove a model that no process uses; False where one does. BentoML never sees half."""
        place = self._store.path(tag)
        with writing(place), Leases(self._store).removing(tag) as free:
            if free and place.exists():
                self._discard(place)
                latest = place.parent / "latest"
                if latest.is_file() and latest.read_bytes() == tag.version.encode():
                    latest.unlink()
                if not any(place.parent.iterdir()):
                    place.parent.rmdir()
            return free

    def _discard(self, place: Path) -> None:
        """Take a folder out of BentoML's sight first; what a kill leaves of it, `clean` removes."""
        gone = self._staging / f"{place.parent.name}-{place.name}.removed"
        shutil.rmtree(gone, ignore_errors=True)
        gone.parent.mkdir(parents=True, exist_ok=True)
        place.rename(gone)
        shutil.rmtree(gone)

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
    if ours := {NAME, MODEL_YAML} & set(manifest.files):
        wrong.append(f"it names {sorted(ours)} as its own, which the store writes")
    wrong += ["it has passed no gate"] if manifest.gate is None else manifest.gate.reasons
    if wrong:
        raise ArtifactCorrupt(str(promoted.model), wrong)
    _drop_strays(folder, manifest)
    return Tag(promoted.model, manifest.digest[:DIGITS])


def _staging_name(promoted: Promoted) -> str:
    digest = (promoted.digest or "unknown")[:DIGITS]
    return f"{promoted.model.name.lower()}-v{promoted.model.version:06d}-{digest}"


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
