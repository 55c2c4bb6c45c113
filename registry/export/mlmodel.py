"""The `MLmodel` file, written by hand: MLflow's own writer puts times and random ids into it."""

from pathlib import Path

NAME = "MLmodel"
LOADER = "models.pyfunc"

_TEXT = f"""\
flavors:
  python_function:
    loader_module: {LOADER}
model_uuid: null
signature:
  inputs: '[{{"type": "string", "name": "text", "required": true}}]'
  outputs: '[{{"type": "string", "name": "label"}}, {{"type": "double", "name": "score"}}]'
  params: null
utc_time_created: '1970-01-01 00:00:00.000000'
"""


def write(folder: Path) -> None:
    """Write `MLmodel` into an artifact: the same bytes each time, so the manifest can name it."""
    (folder / NAME).write_text(_TEXT, "utf-8")
