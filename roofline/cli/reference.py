"""The command reference, generated from the program: `python -m roofline.cli.reference [FILE [--check]]`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from typer.main import get_command

from roofline.cli.app import app
from roofline.cli.examples import example
from roofline.cli.spoken import flag as spelled
from roofline.cli.writing import made
from roofline.runs.names import SAME

_HEAD = """# Command reference

Generated from the program by `python -m roofline.cli.reference docs/commands.md`; checked by the tests.

`roofline COMMAND --help` shows the options that matter most, `--help-all` all of them. Names of options that other
programs have are taken as well, where they mean the same.

Exit codes: 0 yes or done; 1 a negative answer; 2 wrong usage or an invalid spec, with one message and no traceback.
"""


def reference() -> str:
    """The reference of all commands as Markdown."""
    group: Any = get_command(app)
    parts = [_HEAD]
    for name, command in sorted(group.commands.items()):
        parts.append(f"## `roofline {name}`\n\n    {example(name)}\n\n{(command.help or '').strip()}\n")
        groups: dict[str, list[str]] = {}
        for parameter in command.params:
            if not getattr(parameter, "hidden", False):
                groups.setdefault(getattr(parameter, "rich_help_panel", None) or "", []).append(_row(parameter))
        if len(groups) <= 2:
            groups = {"": [row for rows in groups.values() for row in rows]}
        for heading, rows in sorted(groups.items(), key=lambda group: group[0] != ""):
            title = f"**{heading}**\n\n" if heading else ""
            parts.append(f"{title}| option | meaning | default |\n|---|---|---|\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


def _row(parameter: Any) -> str:
    options = [*parameter.opts, *parameter.secondary_opts]
    is_option = any(option.startswith("-") for option in options)
    flag = getattr(parameter, "is_flag", False)
    value = "" if flag or not is_option else f" {parameter.metavar or 'N'}"
    name = ", ".join(f"`{option}`" for option in options) if is_option else f"`{parameter.metavar or parameter.name}`"
    name, meaning = ((text or "").replace("|", "\\|") for text in (name + value, parameter.help))
    if also := [f"`{spelled(other)}`" for other, own in SAME.items() if own == parameter.name and is_option]:
        meaning += f" Also: {', '.join(also)}."
    default = parameter.default
    shown = "required" if parameter.required else "" if default in (None, False) else f"`{default}`"
    return f"| {name} | {meaning} | {shown} |"


def main(arguments: list[str]) -> int:
    """Print the reference, write it to a file, or check that a file equals it."""
    text = reference()
    if not arguments:
        sys.stdout.write(text)
        return 0
    return made(Path(arguments[0]), text, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
