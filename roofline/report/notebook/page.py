"""A console of which comes HTML: what is printed on it as lines and grids becomes paragraphs and tables.

It stands in pages that are light or dark and that take away what they do not know, as GitHub does with styles: colours
are the page's own but for marks that show on both, alignment is an attribute too, and words say what colours say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from io import StringIO
from typing import Final

from roofline.report.notebook.bars import bars_html
from roofline.report.tables.console import Block, Console, Styled
from roofline.report.tables.grid import Column, Grid
from roofline.report.tables.lines import shown
from roofline.report.tables.room import Room

#: So wide that no table leaves a column out: a page scrolls.
_WIDE: Final = 100_000
_RED, _AMBER = "#d63b30", "#b5730b"
_CSS: Final = {
    "bold": "font-weight:600",
    "dim": "opacity:.7",
    "red": f"color:{_RED}",
    "yellow": f"color:{_AMBER}",
}
_LINE: Final = "1px solid rgba(128,128,128,.35)"
_CELL: Final = f"padding:2px 9px;border:0;border-bottom:{_LINE};vertical-align:top;white-space:"
_WARNING: Final = (
    f"border-left:3px solid {_AMBER};background:rgba(230,159,0,.13);padding:4px 10px;margin:6px 0;max-width:60em"
)
#: Rows beyond which a table scrolls.
_TALL: Final = 60
#: Letters from which on a cell of text may be broken into lines.
_LONG: Final = 44


class Page(Console):
    """A console whose lines, tables and bars are HTML. Nothing in a text is a command: all of it is escaped."""

    def __init__(self) -> None:
        super().__init__(StringIO(), _WIDE)
        self.parts: list[str] = []
        self.waiting: list[str] = []

    def print(self, content: str | list[Styled] | Block = "", *, style: str = "", crop: bool = True) -> None:
        """A line of text as one of a paragraph, which a blank line ends; a grid as a table, bars as bars."""
        if isinstance(content, Grid):
            self._put(_table(content))
        elif isinstance(content, Room):
            self._put(bars_html(content))
        elif isinstance(content, (str, list)):
            self._print_text([Styled(content)] if isinstance(content, str) else content, style)

    def notes(self, heading: str, notes: Sequence[str]) -> None:
        """A list that is folded away until somebody opens it."""
        if notes:
            items = "".join(f"<li>{escape(shown(note))}</li>" for note in notes)
            self._put(_folded(f"{heading} ({len(notes)})", f'<ul style="margin:4px 0 4px 1.5em">{items}</ul>'))

    def warning(self, code: str, text: str) -> None:
        """A warning, in a colour."""
        mark = f'<b style="color:{_AMBER}">warning</b> <code>{escape(shown(code))}</code>'
        self._put(f'<div style="{_WARNING}">{mark}: {escape(shown(text))}</div>')

    def html(self) -> str:
        """All that was printed, as one element."""
        self._end()
        return f'<div style="line-height:1.45;max-width:100%">{"".join(self.parts)}</div>'

    def _print_text(self, pieces: Sequence[Styled], style: str) -> None:
        verdict = not self.parts and not self.waiting and "bold" in style
        texts = [(shown_lines(text), f"{style} {own}".strip()) for text, own in pieces]
        lines = [""]
        for text, names in texts:
            first, *more = text.split("\n")
            lines[-1] += _span(first, names, starts=not lines[-1])
            lines += [_span(each, names, starts=True) for each in more]
        for line in lines:
            if line:
                self.waiting.append(line)
            else:
                self._end("font-size:115%;" if verdict else "")
        if verdict:
            self._end("font-size:115%;")

    def _end(self, look: str = "") -> None:
        """A paragraph of the lines that wait."""
        if self.waiting:
            self.parts.append(f'<p style="{look}margin:6px 0;max-width:60em">{"<br>".join(self.waiting)}</p>')
            self.waiting = []

    def _put(self, html: str) -> None:
        self._end()
        self.parts.append(html)


def page_of(show: Callable[[Page], None]) -> str:
    """What is printed on a page."""
    page = Page()
    show(page)
    return page.html()


def shown_lines(text: str) -> str:
    """A text as `shown` has it, line by line."""
    return "\n".join(map(shown, text.split("\n")))


def _span(text: str, style: str, *, starts: bool) -> str:
    """Text in styles; blanks at the start of a line stay."""
    inner = _escaped(text) if starts else escape(text)
    css = ";".join(_CSS[name] for name in dict.fromkeys(style.split()))
    if not css or not text:
        return inner
    return f"<b>{inner}</b>" if css == _CSS["bold"] else f'<span style="{css}">{inner}</span>'


def _escaped(text: str) -> str:
    """A text whose first blanks stay."""
    rest = text.lstrip(" ")
    return "&nbsp;" * (len(text) - len(rest)) + escape(rest)


def _folded(heading: str, html: str) -> str:
    return f'<details style="margin:6px 0"><summary>{escape(shown(heading))}</summary>{html}</details>'


def _table(grid: Grid) -> str:
    """A grid with its title; one that is too wide scrolls."""
    title = "<br>".join(map(escape, grid.title.split("\n")))
    above = f'<p style="margin:10px 0 2px;max-width:60em"><b>{title}</b></p>' if title else ""
    columns = list(map(_cells, grid.columns))
    head, *rows = (f"<tr>{''.join(row)}</tr>" for row in zip(*columns, strict=True))
    table = (
        f'<table style="border-collapse:collapse;margin:0"><thead>{head}</thead><tbody>{"".join(rows)}</tbody></table>'
    )
    tall = ";max-height:40em" if len(rows) > _TALL else ""
    below = f'<p style="margin:2px 0 10px;font-size:90%;max-width:66em">{_span(grid.legend, "dim", starts=True)}</p>'
    return f'{above}<div style="overflow:auto;margin:0 0 10px{tall}">{table}</div>{below if grid.legend else ""}'


def _cells(column: Column) -> list[str]:
    """The cells of a column, its heading first."""
    side = "right" if column.side.startswith("right") else "left"
    heading, *texts = column.texts
    look = f'align="{side}" style="text-align:{side};{_CELL}'
    found = [f'<th scope="col" {look}nowrap;border-bottom-width:2px">{_cell(heading)}</th>']
    for text in texts:
        long = column.wraps and len(text) > _LONG
        found.append(f'<td {look}{"normal;min-width:18em" if long else "nowrap"}">{_cell(text)}</td>')
    return found


def _cell(text: str) -> str:
    return "<br>".join(map(_escaped, text.split("\n")))
