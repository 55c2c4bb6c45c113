"""The two servers on this machine: MLflow and the service."""

import sys
from pathlib import Path
from urllib.parse import urlsplit

from cli.processes import Child
from models.secret import kept
from models.settings import Settings

PROJECT = Path(__file__).resolve().parent.parent
"""The folder of service.py and bentofile.yaml."""

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

QUIET = {
    "BENTOML_DO_NOT_TRACK": "True",
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "ORT_DISABLE_TELEMETRY": "1",
}


def service(settings: Settings) -> Child:
    """Return `bentoml serve` of this project."""
    return Child(
        name="service",
        argv=[
            *(sys.executable, "-m", "bentoml", "serve", str(PROJECT)),
            *("--host", settings.host, "--port", str(settings.port)),
        ],
        log=settings.home / "logs" / "service.log",
        environment=QUIET | {"POLYSENT_SYNC": "none"},  # `up` runs it beside the service
        folder=PROJECT,
    )


def service_url(settings: Settings) -> str:
    """Return the address at which this machine reaches the service."""
    return _url(settings.host, settings.port)


def admin_url(settings: Settings) -> str:
    """Return the address at which this machine reaches what changes the service."""
    own = settings.admin_port
    return _url(settings.admin_host, own) if own else service_url(settings)


def _url(host: str, port: int) -> str:
    host = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104  (compared)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_local(url: str) -> bool:
    """Say whether an address is this machine's own."""
    return urlsplit(url).hostname in LOOPBACK


def syncer(settings: Settings) -> Child:
    """Return what brings promoted versions into the store of this machine."""
    return Child(
        name="sync",
        argv=[sys.executable, "-m", "cli", "registry", "sync", "--watch"],
        log=settings.home / "logs" / "sync.log",
        environment=QUIET,
    )


def mlflow(settings: Settings) -> Child:
    """Return an MLflow server with SQLite and its artifacts below the home folder.

    One worker and no job executor: 0.4 GB instead of 2.4 GB. Its webhooks may call this machine,
    and a new one within 5 s (else within a minute); their secrets outlive a restart.
    """
    address = urlsplit(settings.mlflow_uri)
    folder = (settings.home / "mlflow").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return Child(
        name="mlflow",
        argv=[
            *(sys.executable, "-m", "mlflow", "server", "--workers", "1"),
            *("--host", address.hostname or "127.0.0.1", "--port", str(address.port or 80)),
            *("--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"),
            *("--artifacts-destination", str(folder / "artifacts")),
        ],
        log=settings.home / "logs" / "mlflow.log",
        environment=QUIET
        | {
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https",
            "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
            "MLFLOW_WEBHOOK_CACHE_TTL": "5",
            "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": f"{kept(folder / 'webhooks.key')}=",
        },
        folder=folder,
    )
