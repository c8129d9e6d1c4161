"""The options that commands share, as typer reads them: made from their declaration in `roofline.runs.options`.

A command takes one `ModelOptions` value; `with_options` gives typer the flat signature that it reads.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any, Final, get_type_hints

import typer

from roofline.runs.options import PANELS as DECLARED
from roofline.runs.options import SPEC_DIR, Option

if TYPE_CHECKING:
    from rich.console import Console


def console() -> Console:
    """Where tables are printed: into a file or a pipe without the blanks that fill up their lines."""
    from rich.console import Console

    return Console(soft_wrap=False) if sys.stdout.isatty() else Console(soft_wrap=False, file=_Stripped(sys.stdout))  # type: ignore[arg-type]


class _Stripped:
    """A stream whose lines end where their text ends."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        self.stream.write(_BLANKS.sub("", text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def complete(listing: str) -> Callable[[str], list[str]]:
    """What a shell completes to: the names of a listing in `catalogue`."""

    def names(incomplete: str) -> list[str]:
        from roofline.analysis import catalogue

        return [name for name in getattr(catalogue, listing)() if name.startswith(incomplete)]

    return names


_BLANKS: Final = re.compile(r" +(?=\n|\Z)")
_MODEL: Final = "Model: a name, an alias, a YAML file, a config.json or its folder, hf:org/name."
_GPU: Final = "Accelerator: a name, an alias or a YAML file. Required, unless --node names one."
_SEVERAL: Final = {
    "model": "Model: a name, an alias or a file; may be given several times.",
    "gpu": "Accelerator; may be given several times. Required, unless --node names one.",
}
_TYPES: Final = {"int": int, "float": float, "str": str, "bool": bool, "str | float": str}
#: Under which heading `--help` and the command reference show an option.
PANELS: Final[dict[str, tuple[str, ...]]] = {
    "What": ("model", "gpu", *(option.name for option in DECLARED["What"]), SPEC_DIR.name),
    **{title: tuple(option.name for option in options) for title, options in DECLARED.items() if title != "What"},
    "Output": ("json", "csv", "output", "debug"),
}
_PANEL_OF: Final = {name: title for title, names in PANELS.items() for name in names}


@dataclass(frozen=True)
class ModelOptions:
    """What is computed on what, and how: a model, an accelerator, and the options by their names."""

    model: Any
    gpu: Any
    options: dict[str, Any]


JsonOption = Annotated[bool, typer.Option("--json", help="JSON on standard output, unrounded SI values.")]
CsvOption = Annotated[bool, typer.Option("--csv", help="CSV on standard output, unrounded SI values.")]


def with_options(several: bool = False) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Let a command take `ModelOptions` as its first argument, while typer sees one parameter per option.

    `several`: model and GPU may be given several times.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = list(inspect.signature(command).parameters.values())[1:]
        hints = get_type_hints(command, include_extras=True)
        shared = list(_parameters(several))
        extra = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[p.name]) for p in own]

        @wraps(command)
        def run(**values: Any) -> None:
            mine = {parameter.name: values.pop(parameter.name) for parameter in extra}
            values.pop("debug")
            command(ModelOptions(values.pop("model"), values.pop("gpu"), values), **mine)

        for parameter in (*shared, *extra):
            parameter.annotation.__metadata__[0].rich_help_panel = _PANEL_OF.get(parameter.name)
        run.__signature__ = inspect.Signature([*shared, *extra])  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in [*shared, *extra]}
        return run

    return decorate


def _parameters(several: bool) -> Iterator[inspect.Parameter]:
    """Model, accelerator, then the options in the order of their declaration."""
    help_of = _SEVERAL if several else {"model": _MODEL, "gpu": _GPU}
    for name, required in (("model", True), ("gpu", False)):
        kind: Any = list[str] if several else str
        option = typer.Option(
            f"--{name}",
            f"-{name[0]}",
            help=help_of[name],
            metavar="NAME|FILE",
            autocompletion=complete(f"list_{name}s"),
        )
        kind = kind if required else kind | None
        yield _parameter(name, Annotated[kind, option], inspect.Parameter.empty if required else None)
    for declared in (*(option for panel in DECLARED.values() for option in panel), SPEC_DIR):
        yield _declared(declared)
    debug = typer.Option("--debug", help="Show the traceback of an error.")
    yield _parameter("debug", Annotated[bool, debug], False)


def _declared(option: Option) -> inspect.Parameter:
    """An option as typer reads it."""
    names = [option.flag, f"-{option.short}"] if option.short else [option.flag]
    complete_from = complete(option.listing) if option.listing else None
    shown = typer.Option(*names, help=option.help, metavar=option.metavar or None, autocompletion=complete_from)
    kind: Any = _TYPES[option.type]
    return _parameter(
        option.name, Annotated[kind if option.default is not None else kind | None, shown], option.default
    )


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
