"""Bars of memory as HTML: how much of the room each part takes, whether all fits, and the same in words."""

from __future__ import annotations

from html import escape
from itertools import cycle
from typing import Final

from roofline.report.tables.lines import shown
from roofline.report.tables.room import Held, Room
from roofline.units import format_si

_GREY: Final = "#8c8c8c"
#: Parts that every run has keep their colours: of Okabe and Ito 2008, Color Universal Design, those that show on light
#: and dark pages alike; so are the first of the others.
_KNOWN: Final = {"weights": "#0072B2", "KV-cache": "#D55E00", "activations": "#009E73"} | dict.fromkeys(
    ("runtime", "the rest"), _GREY
)
_OTHERS: Final = ("#E69F00", "#CC79A7", "#56B4E9", "#999933", "#a6559d", "#b5651d", "#5f9ea0")
_RED, _GREEN = "#d63b30", "#1a9850"
_CELL: Final = "text-align:left;white-space:nowrap;border:0;padding:1px 8px 1px 0;vertical-align:middle"
#: Parts below this share of the bar are not seen.
_THIN: Final = 0.002


def bars_html(room: Room) -> str:
    """A line for each bar, and what the colours are."""
    if not room.bars:
        return ""
    names = list(dict.fromkeys(name for bar in room.bars for name, _ in bar.parts))
    others = (name for name in names if name not in _KNOWN)
    colours = _KNOWN | dict(zip(others, cycle(_OTHERS), strict=False))
    whole = max(max(bar.capacity, sum(size for _, size in bar.parts)) for bar in room.bars)
    lines = "".join(_line(bar, colours, whole) for bar in room.bars)
    more = f'<p style="margin:2px 0">{room.left_out:,} more in the table</p>' if room.left_out else ""
    table = f'<table style="border-collapse:collapse;margin:0"><tbody>{lines}</tbody></table>'
    key = _key(room, {name: colours[name] for name in names})
    return f'<div style="margin:8px 0;overflow-x:auto">{table}{more}{key}</div>'


def _line(bar: Held, colours: dict[str, str], whole: float) -> str:
    """A bar behind its label, and the verdict in words."""
    label = f'<td align="left" style="{_CELL}">{_text(bar.label)}</td>' if bar.label else ""
    mark = "✓" if bar.fits else "✗"
    words = f'<b style="color:{_GREEN if bar.fits else _RED}">{mark}</b> {_text(bar.words)}'
    cells = (f'<td align="left" style="{_CELL}">{each}</td>' for each in (_bar(bar, colours, whole), words))
    return f'<tr style="background:none">{label}{"".join(cells)}</tr>'


def _bar(bar: Held, colours: dict[str, str], whole: float) -> str:
    """The parts beside each other, what is left, and a red end where they are more than there is room for.

    `whole` are the bytes of the widest line, so that bars of several machines are on one scale.
    """
    held = sum(size for _, size in bar.parts)
    cells = [_part(name, size, size / whole, colours[name]) for name, size in bar.parts]
    cells.append(_part("free", bar.usable - held, (bar.usable - held) / whole, "rgba(128,128,128,.18)"))
    kept = bar.capacity - max(bar.usable, min(held, bar.capacity))
    cells.append(_part("kept free by the engine, or by the system", kept, kept / whole, "rgba(128,128,128,.45)"))
    edge = "" if held <= bar.usable else _edge(bar.usable / whole)
    look = "display:inline-block;position:relative;width:22em;height:.95em;vertical-align:middle;font-size:100%"
    return (
        f'<span style="{look}"><span style="display:flex;width:100%;height:100%">{"".join(cells)}</span>{edge}</span>'
    )


def _part(name: str, size: float, share: float, colour: str) -> str:
    if share < _THIN:
        return ""
    told = f"{_text(name)} {format_si(size, 'B')}"
    return f'<span title="{told}" style="width:{100 * share:.1f}%;background:{colour}"></span>'


def _edge(place: float) -> str:
    """Where the room ends, on a bar that goes beyond it."""
    look = f"position:absolute;left:{100 * place:.1f}%;top:-.2em;height:1.35em;border-left:3px solid {_RED}"
    return f'<span title="all that there is room for" style="{look}"></span>'


def _key(room: Room, colours: dict[str, str]) -> str:
    """What each colour is; of a single bar with its bytes. The red line is explained where there is one."""
    sizes = dict(room.bars[0].parts) if len(room.bars) == 1 else {}
    told = [
        f'<span style="white-space:nowrap"><span style="color:{colour}">■</span> {_text(name)}'
        + (f" {format_si(sizes[name], 'B')}" if name in sizes else "")
        + "</span>"
        for name, colour in colours.items()
    ]
    if any(sum(size for _, size in bar.parts) > bar.usable for bar in room.bars):
        told.append(f'<span style="color:{_RED}">┃</span> all that there is room for')
    return f'<div style="font-size:90%;margin:2px 0">memory of one device: &nbsp; {" &nbsp; ".join(told)}</div>'


def _text(text: str) -> str:
    return escape(shown(text))
