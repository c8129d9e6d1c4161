"""What dots are called: short, each once in a picture, each telling what tells it from the others."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple

from roofline.report.plots.roof.dots import Dot, Unit

#: Characters of a line of a label, and of the names in it; how many these are.
_LINE, _LONGEST, _NAMES = 22, 30, 3
#: Where a text may be cut: not within "and 3 more", nor before a number at its end.
_BREAK: Final = re.compile(r"\s+(?!(?:\d+ )?more$|[\d,]+$)")
#: The part of a dot's time that its label need not tell.
_REST: Final = 0.1


class Called(NamedTuple):
    """The name of a dot, and what else could be said of it where another has the same name."""

    text: str
    phase: str
    run: str


@cache
def dot_name(dot: Dot) -> str:
    """The name of a dot in one line: its kernels that take longest, and how many more there are."""
    whole = sum(map(_spent, dot.units)) or 1.0
    shown: list[Unit] = []
    for unit in dot.units:
        enough = _told(shown) >= (1.0 - _REST) * whole or len(shown) == _NAMES
        if shown and (enough or len(_text([*shown, unit])) > _LONGEST):
            break
        shown.append(unit)
    more = len(dot.units) - len(shown)
    return _text(shown) + (f" and {more} more" if more else "")


def _spent(unit: Unit) -> float:
    return unit.spent("expected") + unit.spent("bound")


def _told(units: Sequence[Unit]) -> float:
    return sum(map(_spent, units))


def _text(units: Sequence[Unit]) -> str:
    """Names with what tells them from others of their name, names of one size and sizes of one name said once."""
    by_detail: dict[str, list[str]] = {}
    for unit in units:
        by_detail.setdefault(unit.detail, []).append(unit.name)
    groups: dict[str, list[str]] = {}
    for detail, names in by_detail.items():
        groups.setdefault(joint_name(names), []).append(detail)
    return ", ".join(f"{name} {', '.join(filter(None, details))}".strip() for name, details in groups.items())


def joint_name(names: Sequence[str]) -> str:
    """Several names as one: ``q/k_proj, head``; what they share at the end, or before a point, is said once."""
    return ", ".join(_share_end(_share_start(list(dict.fromkeys(names)))))


def _share_start(names: Sequence[str]) -> list[str]:
    """Names with the same words before the last point joined: ``attn1.to_q/to_k``."""
    groups: dict[str, list[str]] = {}
    for name in names:
        stem, _, last = name.rpartition(".")
        groups.setdefault(stem or name, []).append(last if stem else "")
    return [f"{stem}.{'/'.join(lasts)}" if lasts[0] else stem for stem, lasts in groups.items()]


def _share_end(names: Sequence[str]) -> list[str]:
    """Names with the same last word joined: ``q/k_proj``."""
    groups: dict[str, list[str]] = {}
    for name in names:
        stem, _, last = name.rpartition("_") if not {" ", "/", "."} & set(name) else ("", "", name)
        groups.setdefault(f"_{last}" if stem else name, []).append(stem)
    return ["/".join(stems) + last if stems[0] else last for last, stems in groups.items()]


def told_apart(called: Sequence[Called]) -> list[str]:
    """The names, each once: with the phase where another has the same, then with the run too, then numbered.

    A name that ends in its phase has it once.
    """
    texts = [one.text for one in called]
    for more in ([one.phase for one in called], [one.run for one in called]):
        often = Counter(texts)
        texts = [
            f"{text}, {say}" if often[text] > 1 and say and not text.endswith(f", {say}") else text
            for text, say in zip(texts, more, strict=True)
        ]
    seen: Counter[str] = Counter()
    for index, text in enumerate(texts):
        seen[text] += 1
        if seen[text] > 1:
            texts[index] = f"{text} ({seen[text]})"
    return texts


def in_lines(text: str) -> str:
    """A text in lines of about so many characters, cut at spaces, else after slashes."""
    lines = [""]
    for word in _BREAK.split(text):
        longer = f"{lines[-1]} {word}".strip()
        if len(longer) <= _LINE:
            lines[-1] = longer
        else:
            lines += _cut(word)
    return "\n".join(filter(None, lines))


def _cut(word: str) -> list[str]:
    lines = [""]
    for part in word.replace("/", "/\n").split("\n"):
        if lines[-1] and len(lines[-1] + part) > _LINE:
            lines.append("")
        lines[-1] += part
    return lines
