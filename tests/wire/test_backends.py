import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cli import servers
from models.manifest import WEIGHTS, File, Manifest
from models.routes import Routes
from models.settings import Settings
from models.store import Store
from registry.mlflow.source import MLflowRegistry
from registry.promote import promote
from registry.syncing.sync import sync
from tests.tiny import write_tiny
from tests.wire.backends import BUCKET, KEYS, postgresql, s3
from tests.wire.conftest import free_port, running
from tests.wire.cut import cutting

pytestmark = [
    pytest.mark.wire,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # MLflow leaves sockets to the collector
    # boto3's and moto's own
    pytest.mark.filterwarnings("ignore::DeprecationWarning:(boto|moto)"),
]
LARGE = 4 * 2**20


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return an MLflow server over PostgreSQL and S3."""
    folder = tmp_path_factory.mktemp("backends")
    settings = Settings(home=folder, mlflow_uri=f"http://127.0.0.1:{free_port()}")
    with postgresql() as database, s3(folder) as endpoint:
        child = servers.mlflow(settings)
        argv = list(child.argv)
        argv[argv.index("--backend-store-uri") + 1] = database
        argv[argv.index("--artifacts-destination") + 1] = f"s3://{BUCKET}/artifacts"
        child.argv = argv
        child.environment = {**child.environment, **KEYS, "MLFLOW_S3_ENDPOINT_URL": endpoint}
        with running(child, f"{settings.mlflow_uri}/health"):
            yield settings.mlflow_uri


def test_models_come_from_postgresql_and_s3(uri: str, store: Store, tmp_path: Path) -> None:
    """Registered, promoted, fetched, moved: as over SQLite and a folder."""
    registry = MLflowRegistry(uri)
    for sure in (2.0, 3.0):
        folder = tmp_path / f"de-{sure}"
        registry.register(folder, write_tiny(folder, "de", sure=sure))
        promote(registry, "de")
        (tag,) = sync(registry, store).synced
        assert Routes.read(store.routes).languages["de"].champion == tag

    promote(registry, "de", 1)

    assert sync(registry, store).nbytes == 0
    assert Routes.read(store.routes).languages["de"].champion.model.version == 1


def test_a_line_to_s3_that_is_cut_begins_again(uri: str, store: Store, tmp_path: Path) -> None:
    """Through MLflow's proxy S3 takes no Range: the file comes whole, and right."""
    registry = MLflowRegistry(uri)
    folder = tmp_path / "nl"
    manifest = write_tiny(folder, "nl")
    with (folder / WEIGHTS).open("ab") as weights:
        weights.write(os.urandom(LARGE))
    manifest = manifest.model_copy(
        update={"files": manifest.files | {WEIGHTS: File.of(folder / WEIGHTS)}}
    )
    manifest.write(folder)
    registry.register(folder, manifest)
    promote(registry, "nl")
    with cutting("127.0.0.1", urlsplit(uri).port or 80, after=LARGE // 3) as (url, _):
        behind = MLflowRegistry(url)
        first = sync(behind, store)
        second = sync(behind, store)

    assert [failure.model.language for failure in first.failed] == ["nl"]
    tag = next(tag for tag in second.synced if tag.model.language == "nl")
    Manifest.read(store.path(tag)).verify(store.path(tag))
