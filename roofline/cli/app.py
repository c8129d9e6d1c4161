"""The program: its commands, each of which imports what it needs when it runs, so that starting is cheap."""

from __future__ import annotations

from typing import Annotated

import typer

from roofline import __version__
from roofline.cli import answers, figures, importing, measured, pictures, shelves

app = typer.Typer(
    name="roofline",
    help="FLOPs, memory and roofline-bound time of language and image models, computed from their shapes.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"roofline {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


app.command()(answers.estimate)
app.command()(answers.ops)
app.command()(answers.explain)
app.command()(pictures.levels)
app.command()(figures.plot)
app.command()(measured.validate)
app.command()(measured.calibrate)
app.command("import")(importing.import_)
app.command("list")(shelves.list_)
app.command()(shelves.show)
app.command()(shelves.schema)
