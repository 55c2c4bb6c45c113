import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.wire

HERE = Path(__file__).parent
EXAMPLES = os.environ.get("SCHEMA_EXAMPLES", "25")
"""Examples of each operation; more find more."""


def test_service_does_what_its_document_says(tiny_service: httpx.Client, tmp_path: Path) -> None:
    """No answer is undocumented and none a 5xx, whatever is sent to whatever path."""
    tried = subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "schemathesis.cli",
                "--config-file",
                HERE / "schemathesis.toml",
            ),
            *("run", f"{tiny_service.base_url}/openapi.json", "--max-examples", EXAMPLES),
            *("--phases", "examples,coverage,fuzzing", "--seed", "1", "--no-color"),
        ],
        cwd=tmp_path,
        env=os.environ | {"SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(HERE)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert tried.returncode == 0, tried.stdout[-20_000:] + tried.stderr
