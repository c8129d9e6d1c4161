"""What `--help` and `--help-all` show: an example first, then the options that matter, by headings where it is all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from typing import Any, Final

from roofline.cli.examples import QUESTIONS, SHOWN, example
from roofline.cli.terminal import page
from roofline.report.tables.console import Console, Styled
from roofline.report.tables.lines import wrap

#: The most cells of an option's name beside its help; a longer one stands on a line of its own.
_NAME: Final = 27
_COMMAND: Final = max(map(len, SHOWN))
_ALL: Final = "--help-all"


def command_help(command: Any, *, every: bool) -> str:
    """The help of a command: with all of its options, or with those that matter most."""
    out, parameters = StringIO(), [each for each in command.params if not each.hidden]
    console, first = page(out), SHOWN[command.name].options
    console.print([Styled("Example: ", "bold"), Styled(example(command.name))])
    console.print()
    for paragraph in _paragraphs(command.help):
        console.print(paragraph)
        console.print()
    if every or not first:
        _print_all(parameters, console)
        return out.getvalue().rstrip()
    shown = sorted((each for each in parameters if _key(each) in first), key=lambda each: first.index(_key(each)))
    _print_options(shown, console)
    console.print()
    console.print(_rest([each for each in parameters if each not in shown]))
    return out.getvalue().rstrip()


def program_help(program: Any, context: Any) -> str:
    """The help of the program: its commands by question, each with an example."""
    out = StringIO()
    console = page(out)
    console.print(program.help)
    for question, names in QUESTIONS.items():
        console.print()
        console.print(question, style="bold")
        for name in names:
            _print_item(name, SHOWN[name].use, _COMMAND, console)
            console.print(f"{'':{_COMMAND + 4}}{example(name)}", style="dim")
    console.print()
    console.print("`roofline COMMAND --help` shows what matters of a command, `--help-all` all of its options.")
    console.print()
    _print_options([each for each in program.get_params(context) if not each.hidden], console)
    return out.getvalue().rstrip()


def _paragraphs(text: str | None) -> Iterator[str]:
    for paragraph in (text or "").strip().split("\n\n"):
        yield " ".join(paragraph.split())


def _key(parameter: Any) -> str:
    """An option as it is written without dashes; an argument by its name."""
    return str(max(parameter.opts, key=len).lstrip("-"))


def _heading(parameter: Any) -> str:
    return getattr(parameter, "rich_help_panel", None) or ("Options" if parameter.opts[0].startswith("-") else "")


def _headed(parameters: Iterable[Any]) -> dict[str, list[Any]]:
    """Parameters by their headings, arguments and those of the command itself first."""
    groups: dict[str, list[Any]] = {}
    for parameter in parameters:
        groups.setdefault(_heading(parameter), []).append(parameter)
    return dict(sorted(groups.items(), key=lambda group: group[0] not in ("", "What")))


def _print_all(parameters: Iterable[Any], console: Console) -> None:
    for place, (heading, members) in enumerate(_headed(parameters).items()):
        if place:
            console.print()
        if heading:
            console.print(heading, style="bold")
        _print_options(members, console)


def _rest(others: Sequence[Any]) -> str:
    """How many further options there are, by their headings."""
    told = "; ".join(f"{heading} {len(members)}" for heading, members in _headed(others).items())
    return f"{_ALL} shows the rest, {len(others)} more: {told}"


def _print_options(parameters: Iterable[Any], console: Console) -> None:
    parameters = list(parameters)
    names = [_name(parameter) for parameter in parameters]
    width = max((len(name) for name in names if len(name) <= _NAME), default=_NAME)
    for name, parameter in zip(names, parameters, strict=True):
        _print_item(name, _told(parameter), width, console)


def _print_item(name: str, text: str, width: int, console: Console) -> None:
    """A name, and beside it its text in lines of what room is left."""
    lines = [line.rstrip() for line in wrap(text, max(20, console.width - width - 4))]
    if len(name) > width:
        console.print([Styled(f"  {name}", "bold")])
        name = ""
    for line in lines or [""]:
        console.print([Styled(f"  {name:<{width}}", "bold"), Styled(f"  {line}")])
        name = ""


def _name(parameter: Any) -> str:
    """An option with its letter first, and what stands for its value."""
    if not parameter.opts[0].startswith("-"):
        return str(parameter.metavar or parameter.name.upper())
    flags = sorted([*parameter.opts, *parameter.secondary_opts], key=len)
    value = "" if getattr(parameter, "is_flag", False) else f" {parameter.metavar or 'N'}"
    return ", ".join(flags) + value


def _told(parameter: Any) -> str:
    """What an option is, with its default where the words have none."""
    text = str(getattr(parameter, "help", "") or "")
    default = parameter.default
    plain = isinstance(default, (str, int, float)) and not isinstance(default, bool)
    if plain and "efault" not in text:
        text += f" Default: {default}."
    return text + (" Required." if parameter.required and "equired" not in text else "")
