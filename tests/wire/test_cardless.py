import time
from pathlib import Path

import pytest

from cli import servers
from models.settings import Settings
from models.store import Store
from tests.tiny import serve_tiny
from tests.wire.conftest import START_SECONDS, free_port

pytestmark = pytest.mark.wire


def test_a_service_for_a_card_ends_where_it_can_have_none(tmp_path: Path) -> None:
    """The whole program, at once, with the reason last; the CPU answers nothing in its place."""
    store = Store(tmp_path / "bentoml")
    serve_tiny(store, "en")
    child = servers.service(Settings(home=tmp_path, port=free_port()))
    wanted = {"BENTOML_HOME": str(store.home), "POLYSENT_ENGINE": "cuda"}
    child.environment = {**child.environment, **wanted}

    child.start()
    deadline = time.monotonic() + START_SECONDS
    while child.exit_code is None and time.monotonic() < deadline:
        time.sleep(0.1)
    code, last = child.exit_code, child.last_words(3)
    child.stop()

    assert code == 1
    assert "the engine `cuda` needs onnxruntime-gpu instead of onnxruntime" in last
