"""A stand-in for BentoCloud's API that keeps what it is sent."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import urlsplit

Json = dict[str, Any]
AT = "2026-11-22 10:00:00.000000"
WHO = {"name": "ops", "email": "ops@example.org", "first_name": "O", "last_name": "P"}
DEPLOYMENTS = "/api/v2/deployments"


@dataclass(frozen=True, slots=True)
class Sent:
    """One request that changes something."""

    method: str
    path: str
    query: str
    token: str
    body: Json


@dataclass(slots=True)
class BentoCloud:
    """Knows every Bento that it is asked for, and the deployments that were made."""

    requests: list[str] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    deployments: set[str] = field(default_factory=set)
    cluster: str = ""

    def answer(self, method: str, path: str) -> tuple[int, Json]:
        """Return status and body."""
        name = path.rpartition("/")[2]
        if path.startswith("/api/v1/bento_repositories/"):
            return 200, _bento(name)
        if path == DEPLOYMENTS and method == "POST":
            self.deployments.add(self.sent[-1].body["name"])
            self.cluster = self.sent[-1].query.removeprefix("cluster=")
            return 200, _deployment(self.sent[-1].body["name"], self.cluster)
        if name in self.deployments:
            return 200, _deployment(name, self.cluster)
        return 404, {"error": "record not found"}


@contextmanager
def bentocloud() -> Iterator[tuple[str, BentoCloud]]:
    """Run it; yields its address and its memory."""
    cloud = BentoCloud()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    cast("Any", server).cloud = cloud
    thread = threading.Thread(target=server.serve_forever, args=[0.05])
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", cloud
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer()

    do_POST = do_PUT = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Be silent."""

    def _answer(self) -> None:
        cloud: BentoCloud = cast("Any", self.server).cloud
        place = urlsplit(self.path)
        cloud.requests.append(f"{self.command} {place.path}")
        if self.command != "GET":
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            token = self.headers["X-YATAI-API-TOKEN"]
            cloud.sent.append(Sent(self.command, place.path, place.query, token, body))
        status, said = cloud.answer(self.command, place.path)
        content = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _resource(name: str, kind: str) -> Json:
    return {
        "uid": name,
        "created_at": AT,
        "updated_at": AT,
        "deleted_at": None,
        "name": name,
        "resource_type": kind,
        "labels": [],
    }


def _bento(version: str) -> Json:
    manifest = {
        "service": "service:Polysent",
        "name": "polysent",
        "bentoml_version": "1.4.39",
        "size_bytes": 1,
        "entry_service": "polysent",
    }
    return _resource(version, "bento") | {
        "description": "",
        "version": version,
        "image_build_status": "success",
        "upload_status": "success",
        "upload_finished_reason": "",
        "presigned_upload_url": "",
        "presigned_download_url": "",
        "manifest": manifest,
    }


def _deployment(name: str, cluster: str) -> Json:
    where = {"description": "", "organization_name": "org", "creator": WHO, "is_first": True}
    return _resource(name, "deployment") | {
        "status": "deploying",
        "kube_namespace": "yatai",
        "creator": WHO,
        "cluster": _resource(cluster, "cluster") | where,
        "latest_revision": None,
        "manifest": None,
        "urls": [],
    }
