"""The program: its commands, each of which imports what it needs when it runs, so that starting is cheap."""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from roofline import __version__
from roofline.cli.parsing import Command, Group

#: Each command's module in `commands` and the function there.
COMMANDS: Final = {
    "estimate": ("answers", "estimate"),
    "ops": ("answers", "ops"),
    "explain": ("answers", "explain"),
    "fit": ("fit", "fit"),
    "compare": ("compare", "compare"),
    "sweep": ("sweep", "sweep"),
    "cost": ("costs", "cost"),
    "levels": ("levels", "levels"),
    "flops": ("flops", "flops"),
    "recommend": ("recommend", "recommend"),
    "train": ("train", "train"),
    "plot": ("figures", "plot"),
    "validate": ("measured", "validate"),
    "calibrate": ("measured", "calibrate"),
    "import": ("importing", "import_"),
    "list": ("shelves", "list_"),
    "show": ("shelves", "show"),
    "schema": ("shelves", "schema"),
}

if TYPE_CHECKING:
    app: typer.Typer


def _version(value: bool) -> None:
    if value:
        typer.echo(f"roofline {__version__}")
        raise typer.Exit


def _main(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


def build(names: Iterable[str] = COMMANDS) -> typer.Typer:
    """The program with these commands. Describing a command to the parser costs more than running it."""
    program = typer.Typer(
        name="roofline",
        cls=Group,
        help="FLOPs, memory and roofline-bound time of language and image models, computed from their shapes.",
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
        pretty_exceptions_enable=False,
    )
    program.callback()(_main)
    for name in names:
        module, function = COMMANDS[name]
        program.command(name, cls=Command)(getattr(import_module(f"roofline.cli.commands.{module}"), function))
    return program


def build_for(arguments: list[str]) -> typer.Typer:
    """The program for one command line: with the command that it names, or with all where it names none."""
    first = [*arguments, *_completed()][:1]
    return build(first) if first and first[0] in COMMANDS else build()


def _completed() -> list[str]:
    """The command line that a shell completes, without the program; it stands in a variable of the shell's own."""
    if "_ROOFLINE_COMPLETE" not in os.environ:
        return []
    return (os.environ.get("_TYPER_COMPLETE_ARGS") or os.environ.get("COMP_WORDS", "")).split()[1:]


def __getattr__(name: str) -> Any:
    if name == "app":
        globals()["app"] = build()
        return globals()["app"]
    raise AttributeError(name)
