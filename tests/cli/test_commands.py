import socket
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from cli import up
from cli.main import app

RUN = CliRunner()


@pytest.mark.parametrize("command", [["up"], ["models", "list"], ["registry", "sync"], ["eval"]])
def test_every_command_explains_itself(command: list[str]) -> None:
    """--help works for each, and costs no heavy import."""
    answer = RUN.invoke(app, [*command, "--help"])

    assert answer.exit_code == 0
    assert "Usage" in answer.stdout


def test_no_command_waits_for_what_another_needs() -> None:
    """Runtimes and training libraries take seconds to import; `--help` needs none of them."""
    listed = "import sys, cli.main; print(*sys.modules)"
    argv = [sys.executable, "-c", listed]
    modules = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()

    assert not {"onnxruntime", "tokenizers", "torch", "transformers", "mlflow"}.intersection(
        modules
    )
    assert not {"bentoml", "numpy", "onnx", "pandas"}.intersection(modules)


@pytest.mark.parametrize("setting", ["POLYSENT_PORT", "POLYSENT_ADMIN_PORT"])
def test_port_that_is_taken_is_said(monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    """Nothing is started; exit code 2; the setting to change is named."""
    monkeypatch.setattr(up, "PORT_SECONDS", 0.1)
    with socket.socket() as taken, socket.socket() as free:
        for each in (taken, free):
            each.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setenv("POLYSENT_PORT", str(free.getsockname()[1]))
        monkeypatch.setenv(setting, str(taken.getsockname()[1]))
        monkeypatch.setenv("POLYSENT_MLFLOW_URI", "http://mlflow.invalid:1")
        free.close()

        answer = RUN.invoke(app, ["up", "--no-build"])

    assert answer.exit_code == 2
    assert "is taken" in answer.stderr
    assert setting in answer.stderr


@pytest.mark.parametrize(("name", "value"), [("POLYSENT_PROT", "3001"), ("POLYSENT_PORT", "many")])
def test_wrong_setting_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """A misspelt name and a bad value are both named, with exit code 2."""
    monkeypatch.setenv(name, value)

    answer = RUN.invoke(app, ["models", "list"])

    assert answer.exit_code == 2
    assert name in answer.stderr


def test_service_that_does_not_answer_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """No traceback, exit code 1."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("POLYSENT_PORT", str(free.getsockname()[1]))

    answer = RUN.invoke(app, ["models", "list"])

    assert answer.exit_code == 1
    assert "No service answers" in answer.stderr
