"""The terminal that a command prints on: its width, and whether it shows styles."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Final, TextIO

from roofline.visible import visible

if TYPE_CHECKING:
    from roofline.report.tables.console import Console, Paint


#: Cells that the names and numbers of a table need; a narrower terminal breaks their lines itself.
_NARROWEST: Final = 40


def tell(line: str) -> None:
    """A line beside the answer, on standard error."""
    sys.stderr.write(f"{visible(line)}\n")


def console() -> Console:
    """Where tables are printed: standard output, as wide as the terminal, else 80 columns; COLUMNS comes first."""
    from roofline.report.tables.console import Console

    return Console(sys.stdout, _width(), _paint(sys.stdout))


def page(stream: TextIO) -> Console:
    """Text that is to be shown on standard output, in its width and styles."""
    from roofline.report.tables.console import Console

    return Console(stream, _width(), _paint(sys.stdout))


def _width() -> int:
    columns = os.environ.get("COLUMNS", "")
    if re.fullmatch(r"0*[1-9][0-9]{0,5}", columns, re.ASCII):
        return max(_NARROWEST, int(columns))
    for descriptor in range(3):  # one of which is the terminal even where another is a file
        try:
            width = os.get_terminal_size(descriptor).columns
        except OSError:
            continue
        if width:
            return max(_NARROWEST, width)
    return 80


def _paint(stream: TextIO) -> Paint:
    """How styles are shown. FORCE_COLOR stands for a terminal; NO_COLOR leaves bold and dim (no-color.org)."""
    from roofline.report.tables.console import ansi, colourless, plain

    forced = os.environ.get("FORCE_COLOR")
    terminal = stream.isatty() if forced is None else bool(forced)
    if not terminal or os.environ.get("TERM", "").lower() in ("dumb", "unknown"):
        return plain
    return colourless if os.environ.get("NO_COLOR") else ansi
