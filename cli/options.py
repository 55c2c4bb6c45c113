"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

from registry.export.trim import MOST

Tagged = Annotated[str, typer.Argument(help="BCP-47 tag, such as de or pt-BR, or `mul`.")]
Language = Annotated[str, typer.Option("--language", "-l", help="BCP-47 tag, or `mul`.")]
Labels = Annotated[
    list[str] | None,
    typer.Option("--label", help="Our name of a label: LABEL_0=negative; once per label."),
]
Texts = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        help="UTF-8 file, a text a line (200 different ones at least), to compare with fp32 on.",
    ),
]
Rungs = Annotated[
    list[str] | None,
    typer.Option(
        "--rung", help="Form of the export, repeatable; default: the fastest that passes."
    ),
]
Trim = Annotated[
    Path | None,
    typer.Option(
        "--trim",
        exists=True,
        dir_okay=False,
        help="UTF-8 file, a text a line, like those that will be asked: the embeddings of their"
        " word pieces stay in 8 bits, all others go down to 3.",
    ),
]
Keep = Annotated[
    int | None,
    typer.Option("--keep", min=0, help=f"How many pieces of --trim at most; default {MOST}."),
]
ByScores = Annotated[
    bool, typer.Option("--by-scores", help="Judge by the scores' change: 64 texts are enough.")
]
Version = Annotated[int | None, typer.Option(min=1, help="Version; the newest one if left out.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
