"""Changes of data and of text that files and command lines may have suffered, drawn from a generator of random numbers.

Data is a tree of mappings, lists and values as YAML and JSON have it. A change is one step; an input suffers a few.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, Final

#: Numbers at which things go wrong: nothing, one, less, halves, too large, beyond a float and beyond a machine's word.
NUMBERS: Final = (
    0,
    1,
    2,
    3,
    7,
    -1,
    -1e9,
    0.5,
    1e-9,
    5e-324,
    1.0,
    1e3,
    999_999,
    10**7,
    10**7 + 1,
    10**9,
    2**31,
    2**53 + 1,
    2**63,
    10**12,
    10**30,
    10**40,
    1e80,
    1e308,
    float("inf"),
    float("-inf"),
    float("nan"),
)
#: Texts that mean something to a parser, a terminal, a file system or a reader of markup.
TEXTS: Final = (
    "",
    " ",
    "null",
    "true",
    "0",
    "-1",
    "1e999",
    "nan",
    "0x10",
    "1_000",
    "٣",
    "x",
    "[/]",
    "[bold]x[/bold]",
    "{}",
    "%s",
    "\x1b[2J\x1b[31m",
    "\u202etxt.exe",
    "\x00",
    "\x85\u2028",
    "a\nb",
    "../../etc/passwd",
    "/",
    ".",
    "..",
    "~",
    "~nobody-here/x",
    "a" * 300,
    "9" * 60,
    "1" * 400 + " x y",
    "é漢😀",
    "\ud800",
    "80 GB",
    "80 GiB/s",
    "1e30 GB",
    "1e-30 GB/s",
    "-5 W",
    "0 s",
    "inf s",
    "312 TFLOP/s",
    "1e30 TFLOP/s",
    "1e-30 FLOP/s",
    "fp8",
    "fp4",
    "int4-g128",
    "q4_k_m",
    "stored:1*q4_k",
    "int4-g0",
    "int3-g999999999",
    "fp8@0.001",
    "none",
    "Gen4 x16",
    "mistral-7b",
    "clip-l",
    "a100",
    "self",
    "rotary",
)
#: What YAML and JSON could be made to do.
SNIPPETS: Final = (
    "&a [*a]",
    "*a",
    "!!python/object/apply:os.system ['true']",
    "<<: *a",
    "- - - - -",
    "? [x]",
    "---\n",
    "...\n",
    "\t",
    "\r",
    "\ufeff",
    "{",
    "[",
    "}",
    "]",
    ":",
    "#",
    "'",
    '"',
    "|",
    ">",
    "%YAML 1.2\n",
    "\x7f",
    "\x1b[0m",
    "[" * 40,
    "{a: " * 40,
    '"\\ud800"',
    "//",
    ",",
    ",,",
    "1e9999",
    "0" * 50,
    "@",
    "`",
)
_QUANTITY: Final = re.compile(r"^[-+0-9.eE]+ ?(\S+)$")

Path = tuple[Any, ...]


def changed(data: Any, random: Random, steps: int) -> Any:
    """The data after so many changes."""
    data = copy.deepcopy(data)
    for _ in range(steps):
        data = random.choice(_CHANGES)(data, random)
    return data


def garbled(text: str, random: Random) -> str:
    """The text after one change of letters or lines."""
    place = random.randrange(len(text) + 1)
    end = min(len(text), place + random.choice((1, 1, 2, 10, 100)))
    kind = random.randrange(6)
    if kind == 0:
        return text[:place] + text[end:]
    if kind == 1:
        return text[:place] + random.choice(SNIPPETS) + text[place:]
    if kind == 2:
        return text[:place] + random.choice(TEXTS) + text[end:]
    if kind == 3:
        return text[:place] + text[place:end] * random.choice((2, 3, 100)) + text[end:]
    if kind == 4:
        return text[:place]
    lines = text.split("\n")
    first, second = random.randrange(len(lines)), random.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[random.choice((first, second))]
    return "\n".join(lines)


def places(data: Any, path: Path = ()) -> Iterator[Path]:
    """The paths of all values but the whole."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from places(value, (*path, key))


def _at(data: Any, path: Path) -> Any:
    for key in path:
        data = data[key]
    return data


def _drawn(data: Any, random: Random, kind: type | tuple[type, ...] = object) -> Path | None:
    found = [path for path in places(data) if isinstance(_at(data, path), kind)]
    return random.choice(found) if found else None


def _put(data: Any, path: Path | None, make: Callable[[Any], Any]) -> Any:
    if path is not None:
        holder = _at(data, path[:-1])
        holder[path[-1]] = make(holder[path[-1]])
    return data


def _number(data: Any, random: Random) -> Any:
    return _put(data, _drawn(data, random, (int, float)), lambda _: random.choice(NUMBERS))


_NEAR: Final[tuple[Callable[[Any], Any], ...]] = (
    lambda value: value + 1,
    lambda value: value - 1,
    lambda value: value * 2,
    lambda value: value * 3,
    lambda value: value * 1000,
    lambda value: value / 2,
    lambda value: int(value / 2) if abs(value) < 1e300 else value,
    lambda value: -value,
)


def _near(data: Any, random: Random) -> Any:
    def near(value: Any) -> Any:
        return random.choice(
            (value + 1, value - 1, value * 2, value * 3, value // 2, -value, value * 1000, float(value))
        )

    return _put(data, _drawn(data, random, (int, float)), near)


def _quantity(data: Any, random: Random) -> Any:
    def scaled(value: str) -> str:
        match = _QUANTITY.match(value)
        number = random.choice(
            ("0", "1", "1e-12", "1e-3", "1e3", "1e6", "1e9", "1e18", "1e30", "1e300", "nan", "-1", "007")
        )
        return f"{number} {match[1]}" if match else random.choice(TEXTS)

    return _put(data, _drawn(data, random, str), scaled)


def _text(data: Any, random: Random) -> Any:
    return _put(
        data,
        _drawn(data, random, str),
        lambda value: random.choice((random.choice(TEXTS), value + random.choice(TEXTS))),
    )


def _other_kind(data: Any, random: Random) -> Any:
    values = (None, True, False, 1, 0.5, "x", [], {}, [[]], [1, 2], {"kind": "dense"}, [None])
    return _put(data, _drawn(data, random), lambda _: copy.deepcopy(random.choice(values)))


def _left_out(data: Any, random: Random) -> Any:
    path = _drawn(data, random)
    if path is not None:
        del _at(data, path[:-1])[path[-1]]
    return data


def _copied(data: Any, random: Random) -> Any:
    """A value of one place at another."""
    source = _drawn(data, random)
    if source is None:
        return data
    value = copy.deepcopy(_at(data, source))
    return _put(data, _drawn(data, random), lambda _: value)


def _repeated(data: Any, random: Random) -> Any:
    times = random.choice((0, 2, 2, 5, 200))
    return _put(data, _drawn(data, random, list), lambda items: copy.deepcopy(items) * times)


def _renamed(data: Any, random: Random) -> Any:
    path = _drawn(data, random, dict)
    holder = _at(data, path) if path is not None else data
    if isinstance(holder, dict) and holder:
        key = random.choice(list(holder))
        holder[random.choice((str(key)[:-1], f"{key}s", "x", "", "\x1b[31m", "[/]", "name"))] = holder.pop(key)
    return data


_CHANGES: Final = (
    _number,
    _number,
    _number,
    _near,
    _near,
    _near,
    _quantity,
    _quantity,
    _text,
    _other_kind,
    _left_out,
    _copied,
    _repeated,
    _renamed,
)
