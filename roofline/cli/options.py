"""The options that commands share, as typer reads them: made from their declaration in `roofline.runs.options`.

A command takes one `ModelOptions` value; `with_options` gives typer the flat signature that it reads.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from functools import cache, wraps
from typing import Annotated, Any, Final, Literal, NamedTuple, TypeAlias, get_type_hints

import typer

from roofline.cli.completion import complete
from roofline.runs.option import Option
from roofline.runs.options import PANELS as DECLARED
from roofline.runs.options import SPEC_DIR

_MODEL: Final = "Model: a name, an alias, a YAML file, a config.json or its folder, a .gguf, hf:org/name."
_GPU: Final = "Accelerator: a name, an alias or a YAML file. Required, unless --node names one."
_LEFT_OUT: Final = " Left out: which models run on the GPU."
_SEVERAL: Final = {
    "model": "Model: a name, an alias or a file; may be given several times.",
    "gpu": "Accelerator; may be given several times. Required, unless --node names one.",
}
_PLACES: Final = "Accelerators to look at, one or several. Left out, or any: every one whose price is known."
#: How several values of an option are read: one each, several of every option, or of every one but the model.
Several: TypeAlias = Literal["none", "all", "places"]
_TYPES: Final[dict[str, Any]] = {
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "str | float": str,
    "str | int": str,
    "bool | str": bool,
    "list": list[str],
}
#: Under which heading `--help` and the command reference show an option.
PANELS: Final[dict[str, tuple[str, ...]]] = {
    "What": ("model", "gpu", *(option.name for option in DECLARED["What"]), SPEC_DIR.name),
    **{title: tuple(option.name for option in options) for title, options in DECLARED.items() if title != "What"},
    "Output": (
        *("must_fit", "json", "csv", "output", "where", "sort", "top", "pareto", "columns"),
        *("resume", "force", "strict", "yes", "debug"),
    ),
}
PANELS["Money and power"] += ("per_day",)
_PANEL_OF: Final = {name: title for title, names in PANELS.items() for name in names}


class ModelOptions(NamedTuple):
    """What is computed on what, and how: a model, an accelerator, and the options by their names; `more` of a command's
    own, where it has a class of them.
    """

    model: Any
    gpu: Any
    options: dict[str, Any]
    more: Any = None


_JSON: Final = "JSON on standard output, unrounded SI values."
_CSV: Final = "CSV on standard output, unrounded SI values."
JsonOption = Annotated[bool, typer.Option("--json", help=_JSON, rich_help_panel="Output")]
CsvOption = Annotated[bool, typer.Option("--csv", help=_CSV, rich_help_panel="Output")]


def with_options(
    several: Several = "none", more: type[Any] | None = None, modelless: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Let a command take `ModelOptions` as its first argument, while typer sees one parameter per option.

    `several`: whether every option that is no flag may be given several times, or all but the model; those that were
    given then come as `values_of` reads them: a list, a range, or a single value. `more`: a dataclass of the command's
    own parameters. `modelless`: the model may be left out.
    """
    beside = _fields_of(more) if more is not None else []

    def made(values: dict[str, Any]) -> ModelOptions:
        own = {each.name: values.pop(each.name) for each in beside}
        given = {name: value for name, value in values.items() if name != "debug"}
        if several != "none":
            given = _read(given)
        return ModelOptions(given.pop("model", None), given.pop("gpu", None), given, more(**own) if more else None)

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        run = _flat(command, (*_all_parameters(several, modelless), *beside), made)
        for name, annotation in run.__annotations__.items():
            if (panel := _PANEL_OF.get(name)) is not None:
                annotation.__metadata__[0].rich_help_panel = panel
        return run

    return decorate


def _read(given: dict[str, Any]) -> dict[str, Any]:
    """Options that were given, each with its value or its values."""
    from roofline.cli.several import values_of

    lists = {name: values_of(name, value) for name, value in given.items() if isinstance(value, list)}
    found = {name: values[0] if len(values) == 1 else values for name, values in lists.items()}
    return found | {name: value for name, value in given.items() if value is not None and name not in lists}


def with_training(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command take `ModelOptions` of a training run as its first argument."""
    from roofline.runs.training.options import PANELS as TRAINING

    shared = [*_named("none", False), *(_declared(option) for options in TRAINING.values() for option in options)]

    def made(values: dict[str, Any]) -> ModelOptions:
        given = {name: value for name, value in values.items() if name != "debug" and value is not None}
        return ModelOptions(given.pop("model"), given.pop("gpu", None), given)

    run = _flat(command, [*shared, _debug()], made)
    own = {option.name: title for title, options in TRAINING.items() for option in options}
    for name, annotation in run.__annotations__.items():
        if (panel := own.get(name, _PANEL_OF.get(name))) is not None:
            annotation.__metadata__[0].rich_help_panel = panel
    return run


def with_run(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command take the options of a run as a mapping by their names, its first argument; no model, no GPU."""
    shared = [parameter for parameter in _all_parameters("none", False) if parameter.name not in ("model", "gpu")]

    def made(values: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in values.items() if name != "debug"}

    run = _flat(command, shared, made)
    for name, annotation in run.__annotations__.items():
        if (panel := _PANEL_OF.get(name)) is not None:
            annotation.__metadata__[0].rich_help_panel = panel
    return run


def with_fields(options: type[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Let a command take a dataclass as its first argument, while typer sees one parameter per field."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        return _flat(command, _fields_of(options), lambda values: options(**values))

    return decorate


def _fields_of(options: type[Any]) -> list[inspect.Parameter]:
    """One parameter per field of a dataclass."""
    hints = get_type_hints(options, include_extras=True)
    return [_parameter(field.name, hints[field.name], field.default) for field in fields(options)]


def _flat(
    command: Callable[..., None], shared: Sequence[inspect.Parameter], made: Callable[[dict[str, Any]], Any]
) -> Callable[..., None]:
    """A command whose first argument is made of the values of the shared parameters."""
    own = list(inspect.signature(command).parameters.values())[1:]
    hints = get_type_hints(command, include_extras=True)
    extra = [_parameter(parameter.name, hints[parameter.name], parameter.default) for parameter in own]

    @wraps(command)
    def run(**values: Any) -> None:
        mine = {parameter.name: values.pop(parameter.name) for parameter in extra}
        command(made(values), **mine)

    run.__signature__ = inspect.Signature([*shared, *extra])  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*shared, *extra)}
    return run


@cache
def _all_parameters(several: Several, modelless: bool) -> tuple[inspect.Parameter, ...]:
    return tuple(_parameters(several, modelless))


def _parameters(several: Several, modelless: bool) -> Iterator[inspect.Parameter]:
    """Model, accelerator, then the options in the order of their declaration."""
    yield from _named(several, modelless)
    for declared in (*(option for panel in DECLARED.values() for option in panel), SPEC_DIR):
        yield _declared(declared) if several == "none" or declared is SPEC_DIR else _listed(declared)
    yield _debug()


def _debug() -> inspect.Parameter:
    shown = typer.Option("--debug", help="Show the traceback of an error.")
    return _parameter("debug", Annotated[bool, shown], False)


def _named(several: Several, modelless: bool) -> Iterator[inspect.Parameter]:
    """Model and accelerator."""
    alone = {"model": _MODEL + (_LEFT_OUT if modelless else ""), "gpu": _GPU}
    help_of = {"none": alone, "all": _SEVERAL, "places": {"model": _MODEL, "gpu": _PLACES}}[several]
    for name, required in (("model", not modelless), ("gpu", False)):
        single = several == "none" or (several == "places" and name == "model")
        kind: Any = str if single else list[str]
        option = typer.Option(
            f"--{name}",
            f"-{name[0]}",
            help=help_of[name],
            metavar="NAME|FILE",
            autocompletion=complete(f"list_{name}s"),
        )
        kind = kind if required else kind | None
        yield _parameter(name, Annotated[kind, option], inspect.Parameter.empty if required else None)


def _listed(option: Option) -> inspect.Parameter:
    """An option that may be given several times; a flag is one or is not."""
    if option.type.startswith("bool"):
        return _declared(option)
    return _declared(option._replace(type="list", default=None))  # type: ignore[arg-type]


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
