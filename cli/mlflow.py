"""The registry that the settings name, and the sync that follows it."""

from typing import TYPE_CHECKING

from rich.markup import escape

from cli import console
from models.errors import RegistryError
from models.settings import Settings
from models.store import Store

if TYPE_CHECKING:
    from registry.source import Registry


def registry(settings: Settings) -> "Registry":
    """Return the MLflow server that the settings name."""
    from registry.mlflow.source import MLflowRegistry  # noqa: PLC0415  (each command what it needs)

    return MLflowRegistry(settings.mlflow_uri)


def nudge(settings: Settings) -> bool:
    """Let the sync look now, and say whether one does; without one, the promotion still holds."""
    from cli.syncing import secret  # noqa: PLC0415
    from registry.syncing.nudge import nudge as call  # noqa: PLC0415

    try:
        call(settings.sync_url, secret(settings, Store.default()))
    except RegistryError as problem:
        console.err.print(
            f"{escape(str(problem))}; the next `polysent registry sync` brings it",
            highlight=False,
        )
        return False
    return True
