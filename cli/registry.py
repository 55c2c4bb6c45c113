"""`polysent registry`: the path of a model, step by step."""

import typer

from cli import canary, exporting, history, lineage, promoting, registering, syncing

app = typer.Typer(no_args_is_help=True)
app.command()(registering.register)
app.command()(exporting.export)
app.command()(exporting.gate)
app.command()(promoting.promote)
app.command()(promoting.rollback)
app.command()(canary.canary)
app.command()(syncing.sync)
app.command()(history.history)
app.command()(lineage.lineage)
