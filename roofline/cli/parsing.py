"""What the parser refuses, in the words and on the one line of every other message."""

from __future__ import annotations

from typing import Any, Final

from typer import BadParameter
from typer.core import TyperCommand

#: What the parser raises: errors of usage, and all that it shows to the user.
ParserUsageError: Final[Any] = BadParameter.__mro__[1]
ParserError: Final[Any] = ParserUsageError.__mro__[1]


class Command(TyperCommand):
    """A command whose single options are given once, and not emptily; JSON or CSV, not both."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As the parser does, after refusing what it would silently drop."""
        values, _, order = self.make_parser(ctx).parse_args(args=list(args))
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
            return super().parse_args(ctx, args)
        except BadParameter as error:
            text = _wrong_value(error, values)
            if text is None:
                raise
            raise ParserUsageError(text, ctx) from error


def _is_option(parameter: Any) -> bool:
    return bool(parameter.opts[0].startswith("-"))


def _refuse_empty(name: str, value: Any, ctx: Any) -> None:
    if "" in value if isinstance(value, (list, tuple)) else value == "":
        raise ParserUsageError(f"{name}: an empty name or value", ctx)


def _wrong_value(error: Any, values: dict[str, Any]) -> str | None:
    """What is wrong with a value, or that it is missing; None where the parser's own words say it."""
    parameter, words = error.param, str(error.message)
    if parameter is None:
        return None
    name = parameter.opts[0] if _is_option(parameter) else (parameter.metavar or parameter.name).upper()
    value = values.get(parameter.name)
    if value is None:
        return f"{name} is missing; `{error.ctx.command_path} --help` tells what it takes"
    kind = "a whole number" if "integer" in words else "a number" if "number" in words or "float" in words else None
    return f"{name} must be {kind}, not {str(value)[:40]!r}" if kind else None


def message(error: Any) -> str:
    """One line for an error of the parser."""
    text = " ".join(str(error.format_message()).split())
    return (text[:1].lower() + text[1:] if text[1:2].islower() else text).rstrip(".")
