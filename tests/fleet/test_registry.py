import mlflow
import pytest

from models.manifest import Manifest
from models.routes import Routes
from tests.fleet.conftest import Fleet
from training import fleet

pytestmark = pytest.mark.fleet


@pytest.mark.parametrize("language", fleet.languages())
def test_every_export_agrees_with_fp32(demo: Fleet, language: str) -> None:
    """At least 99 % of 200 unlabelled texts of its language; one disagreement is always allowed."""
    champion = Routes.read(demo.store.routes).languages[language].champion
    gate = Manifest.read(demo.store.path(champion)).gate

    assert gate is not None
    assert gate.reasons == ()
    assert gate.texts >= 200
    assert (1 - gate.agreement) * gate.texts <= max(1.01, 0.01 * gate.texts)


@pytest.mark.parametrize("language", fleet.languages())
def test_files_in_the_store_are_those_of_the_manifest(demo: Fleet, language: str) -> None:
    """What is served is what was registered, byte by byte."""
    folder = demo.store.path(Routes.read(demo.store.routes).languages[language].champion)

    Manifest.read(folder).verify(folder)


def test_mlflow_shows_versions_aliases_gate_figures_and_data_digest(demo: Fleet) -> None:
    """What the promoter sees in the UI, by the API that the UI calls."""
    client = mlflow.MlflowClient(demo.mlflow)
    for language in fleet.languages():
        model = client.get_registered_model(f"sentiment-{language}")
        version = client.get_model_version(model.name, model.aliases["champion"])
        logged = client.get_logged_model(str(version.source).removeprefix("models:/"))

        figures = {metric.key: metric.value for metric in logged.metrics or ()}
        assert figures["gate.agreement"] >= 0.98
        assert version.tags["serving.state"] == "served"
        assert fleet.data_digest(language) in {*version.tags.values(), *logged.params.values()}
