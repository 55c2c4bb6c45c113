"""`python -m deploy.compose.prove MLFLOW SERVICE PROMETHEUS KEY`: promotions reach the service."""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from registry.mlflow.source import MLflowRegistry
from tests.tiny import write_tiny

PATIENCE = 180.0
TICK_SECONDS = 0.1
BODY = {"text": "good", "language": "en"}


def wait(what: str, so: Callable[[], bool]) -> None:
    """Wait until it is so and say how long it took; exit code 1 after PATIENCE."""
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE:
        try:
            if so():
                print(f"ok   {what}: {time.monotonic() - began:.1f} s", flush=True)  # noqa: T201
                return
        except (httpx.HTTPError, KeyError, ValueError):
            pass
        time.sleep(TICK_SECONDS)
    sys.exit(f"BAD  {what}: not within {PATIENCE:g} s")


def main() -> None:
    """Promote one version, then another, and ask after each."""
    mlflow, service, prometheus, key = sys.argv[1:]
    client = httpx.Client(headers={"Authorization": f"Bearer {key}"}, trust_env=False, timeout=10)

    def answers_from(version: int) -> bool:
        said = client.post(f"{service}/predict", json=BODY).json()
        return bool(said["model"]["version"] == version)

    def promote(version: int, sure: float) -> None:
        with tempfile.TemporaryDirectory() as folder:
            manifest = write_tiny(Path(folder) / "en", "en", sure=sure)
            done = registry.register(Path(folder) / "en", manifest)
        registry.promote(done.model, "champion")
        wait(f"version {version} answers", lambda: answers_from(version))

    def both_scraped() -> bool:
        up = client.get(f"{prometheus}/api/v1/query", params={"query": "up"}).json()
        return [each["value"][1] for each in up["data"]["result"]] == ["1", "1"]

    wait("MLflow answers", lambda: client.get(f"{mlflow}/health").is_success)
    registry = MLflowRegistry(mlflow)
    promote(1, 2.0)
    promote(2, 5.0)
    wait("Prometheus sees service and sync", both_scraped)


if __name__ == "__main__":
    main()
