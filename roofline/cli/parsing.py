"""What the parser refuses, in the words and on the one line of every other message."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from copy import copy
from typing import Any, Final, TypeVar

import typer
from typer import BadParameter
from typer.core import TyperCommand, TyperGroup

from roofline.runs.options import WORDS
from roofline.units import not_a_number

#: What the parser raises: errors of usage, and all that it shows to the user.
ParserUsageError: Final[Any] = BadParameter.__mro__[1]
ParserError: Final[Any] = ParserUsageError.__mro__[1]


C = TypeVar("C", TyperCommand, TyperGroup)


class Group(TyperGroup):
    """A program of commands."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As the parser does, in less time."""
        return TyperGroup.parse_args(_spared(self, ctx), ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Commands by the question that they answer."""
        from roofline.cli.helping import program_help

        formatter.write(program_help(self, ctx))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command of that name. Raises the parser's error with those that may be meant."""
        if args and self.get_command(ctx, args[0]) is None and not ctx.resilient_parsing:
            from roofline.cli.spoken import no_command

            raise ParserUsageError(no_command(args[0], self.commands), ctx)
        return TyperGroup.resolve_command(self, ctx, args)


class Command(TyperCommand):
    """A command whose single options are given once, and not emptily; JSON or CSV, not both."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """An example, and the options that matter most."""
        from roofline.cli.helping import command_help

        formatter.write(command_help(self, every=False))

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """What a shell completes to: options, that which shows all of them as well."""
        found = TyperCommand.shell_complete(self, ctx, incomplete)
        shown = next((item for item in found if item.value == "--help"), None)
        return found if shown is None else [*found, type(shown)(_HELP_ALL, help="Show all options and exit.")]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As the parser does, after refusing what it would silently drop."""
        if _HELP_ALL in args and not ctx.resilient_parsing:
            from roofline.cli.helping import command_help

            typer.echo(command_help(self, every=True))
            ctx.exit()
        args = list(_without_words(list(_written_out(args, ctx)), ctx))
        values, words, order = self.make_parser(ctx).parse_args(args=list(args))
        seen = set()
        for parameter in order:
            if _is_option(parameter) and not getattr(parameter, "is_flag", False):
                if parameter.name in seen and not parameter.multiple:
                    raise ParserUsageError(f"{parameter.opts[0]} is given twice", ctx)
                seen.add(parameter.name)
                _refuse_empty(parameter.opts[0], values.get(parameter.name), ctx)
        if values.get("json") and values.get("csv"):
            raise ParserUsageError("--json and --csv: standard output holds one of the two", ctx)
        try:
            return TyperCommand.parse_args(_spared(self, ctx), ctx, args)
        except BadParameter as error:
            text = _wrong_value(error, values, words)
            if text is None:
                raise
            raise ParserUsageError(text, ctx) from error


def _written_out(args: list[str], ctx: Any) -> Iterable[str]:
    """The arguments, where one of them is not an option of the command, as this program writes them."""
    known = ctx.command.params
    flags = {flag for parameter in known for flag in (*parameter.opts, *parameter.secondary_opts)}
    if all(arg.partition("=")[0] in flags for arg in args if arg.startswith("-")):
        return args
    from roofline.cli.spoken import written_out

    def refuse(text: str) -> None:
        raise ParserUsageError(text, ctx)

    return written_out(args, [parameter.name for parameter in known], refuse)


def _without_words(args: list[str], ctx: Any) -> Iterator[str]:
    """The arguments, a flag alone where a word that it may be followed by says no more: `--tiling vae`."""
    flag = ""
    for arg in args:
        name, equals, value = arg.partition("=")
        if equals and name in WORDS:
            if value not in WORDS[name]:
                raise ParserUsageError(f"{name}: {value[:40]!r} is none of {', '.join(WORDS[name])}", ctx)
            yield name
        elif arg not in WORDS.get(flag, ()):
            yield arg
        flag = arg


class _Spared:
    """A parameter whose value is taken as it stands where typer would load pydantic to convert it into the same."""

    def __init__(self, parameter: Any) -> None:
        self._parameter = parameter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._parameter, name)

    def handle_parse_result(self, ctx: Any, options: Any, rest: list[str]) -> tuple[Any, list[str]]:
        """What the parser calls for each parameter."""
        parameter = self._parameter
        options = _in_lower_case(parameter, options)
        value = _counted(parameter.name, options.get(self.name))
        options = {**options, self.name: value} if self.name in _SPOKEN and self.name in options else options
        if _is_whole(parameter) and isinstance(value, str) and not _WHOLE.fullmatch(value):
            raise ParserUsageError(not_a_number(parameter.opts[0], value, "a whole number"), ctx)
        if value is None and self._has_default(ctx.resilient_parsing):
            value = parameter.default
        elif self._is_plain(value, ctx.resilient_parsing):
            value = _annotation(parameter)(value)
        else:
            result: tuple[Any, list[str]] = parameter.handle_parse_result(ctx, options, rest)
            return result
        if parameter.expose_value:
            ctx.params[parameter.name] = value
        return value, rest

    def _has_default(self, completes: bool) -> bool:
        parameter = self._parameter
        return (completes or not parameter.required) and isinstance(parameter.default, _CONSTANTS)

    def _is_plain(self, value: Any, completes: bool) -> bool:
        """Whether it is text, or digits of a number. A shell that completes asks typer whether arguments were given."""
        if not isinstance(value, str) or self._parameter.multiple or (completes and not _is_option(self._parameter)):
            return False
        kind = _annotation(self._parameter)
        return value.isprintable() if kind is str else kind is int and _DIGITS.fullmatch(value) is not None


#: An option of words, as its help lists them.
_WORDED: Final = re.compile(r"[a-z0-9-]+(?:\|[a-z0-9-]+)+", re.ASCII)
#: Shows all options of a command.
_HELP_ALL: Final = "--help-all"
_CONSTANTS: Final = (bool, int, float, str, type(None))
#: A whole number as it is printed: int() takes blanks, underscores and the digits of other scripts as well.
_WHOLE: Final = re.compile(r"-?[0-9]{1,40}", re.ASCII)
_DIGITS: Final = re.compile(r"0|[1-9][0-9]{0,14}")
#: Options of large counts, which may be written as people say them: 2T tokens, 7B parameters.
_COUNTS: Final = frozenset({"tokens", "params"})
_COUNT: Final = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)([KkMBT])", re.ASCII)
#: Options whose values may be written so, percentages among them.
_SPOKEN: Final = _COUNTS | {"mfu"}
_PERCENT: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,6})? ?%", re.ASCII)
_LETTERS: Final = {"K": "e3", "M": "e6", "B": "e9", "T": "e12"}


def _in_lower_case(parameter: Any, options: Any) -> Any:
    """The options, that one of `eager|flash|compiled` in lower case: nobody means another word by `Flash`."""
    value = options.get(parameter.name)
    if value is None or not _WORDED.fullmatch(parameter.metavar or ""):
        return options
    lower = value.lower() if isinstance(value, str) else [each.lower() for each in value]
    return {**options, parameter.name: lower}


def _counted(name: str, value: Any) -> Any:
    """A value with its letter written out, `2T` as `2e12`, where the option is of large counts; `40%` as a share."""
    if name == "mfu" and isinstance(value, str) and _PERCENT.fullmatch(value):
        return f"{float(value.rstrip(' %')) / 100.0:g}"
    found = _COUNT.fullmatch(value) if name in _COUNTS and isinstance(value, str) else None
    return value if found is None else found[1] + _LETTERS[found[2].upper()]


def _is_whole(parameter: Any) -> bool:
    """Whether a parameter takes a whole number, as this or an older parser describes it."""
    kind = getattr(parameter, "type_descriptor", None)
    annotation = getattr(kind, "annotation", None)
    return annotation is int or getattr(getattr(parameter, "type", None), "name", "").startswith("integer")


def _annotation(parameter: Any) -> Any:
    """The type of a parameter's values, where typer converts them itself and bounds are none of its business."""
    descriptor = getattr(parameter, "type_descriptor", None)
    return None if descriptor is None or descriptor.is_ranged else descriptor.annotation


def _spared(command: C, ctx: Any) -> C:
    """The command as it parses, with parameters that convert only what must be converted."""
    spared = copy(command)
    spared.params = [_Spared(parameter) for parameter in command.get_params(ctx)]  # type: ignore[misc]
    spared.add_help_option = False  # it is among the parameters
    return spared


def _is_option(parameter: Any) -> bool:
    return bool(parameter.opts[0].startswith("-"))


def _refuse_empty(name: str, value: Any, ctx: Any) -> None:
    if "" in value if isinstance(value, (list, tuple)) else value == "":
        raise ParserUsageError(f"{name}: an empty name or value", ctx)


def _wrong_value(error: Any, values: dict[str, Any], alone: list[str]) -> str | None:
    """What is wrong with a value, or that it is missing; None where the parser's own words say it."""
    parameter, words = error.param, str(error.message)
    if parameter is None:
        return None
    name = parameter.opts[0] if _is_option(parameter) else (parameter.metavar or parameter.name).upper()
    value = values.get(parameter.name)
    if value is None and name == "--model":
        from roofline.cli.spoken import no_model

        return no_model(error.ctx.command_path, values.get("gpu"), alone)
    if value is None:
        return f"{name} is missing; `{error.ctx.command_path} --help` tells what it takes"
    kind = "a whole number" if "integer" in words else "a number" if "number" in words or "float" in words else None
    return not_a_number(name, value, kind) if kind else None


def message(error: Any) -> str:
    """One line for an error of the parser."""
    kind, context = type(error).__name__, getattr(error, "ctx", None)
    if context is not None and kind == "NoSuchOption" and context.parent is not None:
        from roofline.cli.spoken import no_option

        return no_option(error.option_name, context.command_path, [each.name for each in context.command.params])
    text = " ".join(str(error.format_message()).split())
    return (text[:1].lower() + text[1:] if text[1:2].islower() else text).rstrip(".")
