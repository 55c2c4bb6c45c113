"""Which versions MLflow calls champion."""

from collections.abc import Iterator
from typing import Any

from models.errors import ClientError
from models.identity import PREFIX, ModelId
from models.languages import canonical
from registry.mlflow_text import DIGEST, digest_tag
from registry.source import Promoted

PAGE = 1000


def registered_models(client: Any) -> Iterator[Any]:  # noqa: ANN401  (MLflow has no types)
    """Yield every registered model that may be ours; one search for every PAGE of them."""
    token = None
    while True:
        page = client.search_registered_models(
            f"name LIKE '{PREFIX}%'", max_results=PAGE, page_token=token
        )
        yield from page
        if not (token := page.token):
            return


def champion(registered: Any) -> Promoted | None:  # noqa: ANN401  (an MLflow RegisteredModel)
    """Return the champion of a registered model; None without one, or for a name not ours."""
    version = registered.aliases.get("champion")
    language = registered.name.removeprefix(PREFIX)
    try:
        ours = canonical(language) == language
    except ClientError:
        ours = False
    if version is None or not ours:
        return None
    model = ModelId(language, int(version))
    return Promoted(model, registered.tags.get(digest_tag(model.version)))


def with_digest(client: Any, promoted: Promoted) -> Promoted:  # noqa: ANN401
    """Ask the version itself for its digest, where the registered model tells none."""
    from mlflow.exceptions import MlflowException  # noqa: PLC0415  (heavy)

    model = promoted.model
    if promoted.digest is not None:
        return promoted
    try:
        version = client.get_model_version(model.name, str(model.version))
    except MlflowException:  # deleted under its alias, say: its download will tell
        return promoted
    return Promoted(model, version.tags.get(DIGEST))
