"""What MLflow's aliases and tags say of a language."""

import math
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from models.errors import ClientError
from models.identity import PREFIX, ModelId
from models.languages import canonical
from registry.mlflow.text import DIGEST, SHADOW, SHARE, digest_tag
from registry.source import ALIASES, Aliases, Promoted

PAGE = 1000
LIKE = 0.8
"""How like ours an alias must be to be taken for a slip: `Champion`, `chalenger`."""


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


def language(registered: Any) -> str | None:  # noqa: ANN401  (an MLflow RegisteredModel)
    """Return whose model it is; None where the name is not ours."""
    spelled = str(registered.name).removeprefix(PREFIX)
    try:
        return spelled if canonical(spelled) == spelled else None
    except ClientError:
        return None


def read(client: Any, language: str, registered: Any) -> Aliases:  # noqa: ANN401
    """Return what a registered model says; asks for versions whose digest it does not tell."""
    tags = registered.tags
    named = {
        alias: _with_digest(client, ModelId(language, int(version)), tags)
        for alias, version in registered.aliases.items()
        if alias in ALIASES
    }
    newest = max(_noted(tags), default=0)
    return Aliases(
        champion=named.get("champion"),
        challenger=named.get("challenger"),
        share=_share(tags.get(SHARE, "")),
        shadow=tags.get(SHADOW) == "true",
        newest=_noted_as(language, newest, tags) if newest else None,
        strange={
            alias: int(version)
            for alias, version in sorted(registered.aliases.items())
            if _misspelt(alias)
        },
    )


def _with_digest(client: Any, model: ModelId, tags: Mapping[str, str]) -> Promoted:  # noqa: ANN401
    """Ask the version itself for its digest, where the registered model tells none."""
    from mlflow.exceptions import MlflowException  # noqa: PLC0415  (heavy)

    if (digest := tags.get(digest_tag(model.version))) is not None:
        return Promoted(model, digest)
    try:
        version = client.get_model_version(model.name, str(model.version))
    except MlflowException:  # deleted under its alias, say: its download will tell
        return Promoted(model)
    return Promoted(model, version.tags.get(DIGEST))


def _noted_as(language: str, version: int, tags: Mapping[str, str]) -> Promoted:
    return Promoted(ModelId(language, version), tags[digest_tag(version)])


def _noted(tags: Mapping[str, str]) -> Iterator[int]:
    for tag in tags:
        number = tag.removeprefix(f"{DIGEST}.")
        if number != tag and number.isdecimal():
            yield int(number)


def _misspelt(alias: str) -> bool:
    return alias not in ALIASES and bool(get_close_matches(alias.lower(), ALIASES, 1, LIKE))


def _share(told: str) -> float:
    """Return a share between 0 and 1; what people write into a tag may be anything."""
    try:
        share = float(told)
    except ValueError:
        return 0.0
    return min(max(share, 0.0), 1.0) if math.isfinite(share) else 0.0
