"""A real PostgreSQL and an S3 that is moto's, on loopback, as MLflow runs over in earnest."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.processes import Child
from tests.wire.conftest import free_port, wait_until_ready

BINARIES = ("/usr/lib/postgresql/*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/bin")
OWNER = "postgres"
"""Who runs it where the tests run as root, which PostgreSQL refuses to."""
BUCKET = "models"
KEYS = {
    "AWS_ACCESS_KEY_ID": "loopback",
    "AWS_SECRET_ACCESS_KEY": "loopback",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@contextmanager
def postgresql() -> Iterator[str]:
    """Run a new PostgreSQL; yields the address for SQLAlchemy."""
    folder = Path(tempfile.mkdtemp(prefix="polysent-postgres-"))
    port = free_port()
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, OWNER)
        _run("initdb", "-D", str(folder / "data"), "-U", OWNER, "-A", "trust", "--no-sync")
        options = (
            f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder}"
        )
        _run(
            "pg_ctl",
            "-D",
            str(folder / "data"),
            "-w",
            "-l",
            str(folder / "log"),
            "-o",
            options,
            "start",
        )
        try:
            yield f"postgresql+psycopg2://{OWNER}@127.0.0.1:{port}/postgres"
        finally:
            _run("pg_ctl", "-D", str(folder / "data"), "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(program: str, *arguments: str) -> None:
    found = sorted(place for each in BINARIES for place in Path("/").glob(f"{each[1:]}/{program}"))
    assert found, f"{program} is not installed; `apt-get install postgresql` brings it"
    root = os.geteuid() == 0
    done = subprocess.run(
        [str(found[-1]), *arguments],
        user=pwd.getpwnam(OWNER).pw_uid if root else None,
        group=pwd.getpwnam(OWNER).pw_gid if root else None,
        extra_groups=[] if root else None,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # the server that pg_ctl leaves behind would hold a pipe open
        stderr=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == 0, f"{program} ended with {done.returncode}"


@contextmanager
def s3(folder: Path) -> Iterator[str]:
    """Run an S3 with one empty bucket; yields its address."""
    import boto3  # noqa: PLC0415

    port = free_port()
    child = Child(
        name="s3",
        argv=[sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        log=folder / "s3.log",
        environment=KEYS,
    )
    child.start()
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(child, f"{url}/moto-api/")
        boto3.client(
            "s3",
            endpoint_url=url,
            aws_access_key_id="loopback",
            aws_secret_access_key="loopback",  # noqa: S106
            region_name="us-east-1",
        ).create_bucket(Bucket=BUCKET)
        yield url
    finally:
        child.stop()
