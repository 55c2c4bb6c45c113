import json
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.wire

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")


def blocks(kind: str, service: httpx.Client) -> list[str]:
    """Return the page's code blocks of a kind, for this service."""
    found = re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)
    return [
        each.replace("http://127.0.0.1:3000", str(service.base_url).rstrip("/")) for each in found
    ]


def test_commands_of_the_page_are_answered(tiny_service: httpx.Client) -> None:
    """Each in its own form, with a label."""
    commands = blocks("sh", tiny_service)
    answers = [
        subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True).stdout
        for command in commands
    ]

    one, stream, columns = answers
    assert json.loads(one)["label"] == "positive"
    first, second = map(json.loads, stream.splitlines())
    assert (first["id"], first["label"], second["line"]) == (1, "positive", 2)
    assert json.loads(columns)["outputs"][0]["data"] == ["positive", "negative"]


def test_program_of_the_page_runs(tiny_service: httpx.Client) -> None:
    """With the client of Hugging Face as it is."""
    (program,) = blocks("python", tiny_service)

    subprocess.run([sys.executable, "-c", program], check=True)
