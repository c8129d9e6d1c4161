"""Units at the gates: text with a unit to SI floats, SI floats to text.

Inside the package every quantity is an SI float (bytes, FLOP/s, bytes/s, seconds, watts, hertz). Decimal and binary
prefixes are never mixed up: GB is 1e9 bytes, GiB is 2**30.
"""

from __future__ import annotations

import math
import re
from typing import Final

from roofline.visible import shortened

_DECIMAL: Final = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}
_BINARY: Final = {"Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40}
_BYTES: Final = {f"{prefix}B": scale for prefix, scale in (_DECIMAL | _BINARY).items()}

#: Per dimension, the units that a file may use and what one of each is in SI.
UNITS: Final[dict[str, dict[str, float]]] = {
    "bytes": _BYTES,
    "bandwidth": {f"{unit}/s": scale for unit, scale in _BYTES.items()},
    "compute": {f"{p}{unit}/s": s for p, s in _DECIMAL.items() for unit in ("FLOP", "OP")},
    "frequency": {f"{prefix}Hz": scale for prefix, scale in _DECIMAL.items()},
    "power": {"W": 1.0, "kW": 1e3, "mW": 1e-3},
    "time": {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9, "min": 60.0, "h": 3600.0},
    "price": {"USD/h": 1.0},
}

_EXAMPLE: Final = {
    "bytes": "80 GB",
    "bandwidth": "2039 GB/s",
    "compute": "312 TFLOP/s",
    "frequency": "1410 MHz",
    "power": "400 W",
    "time": "8 us",
    "price": "2.50 USD/h",
}
#: In SI, the least and the most that any machine could have: beyond, a file means something else, and what is worked
#: out from it leaves the range of a float.
LIMITS: Final = {
    "bytes": (1e-3, 1e18),
    "bandwidth": (1e3, 1e18),
    "compute": (1e6, 1e21),
    "frequency": (1e3, 1e13),
    "power": (1e-3, 1e9),
    "time": (1e-12, 1e6),
    "price": (1e-6, 1e7),
}
_LONGEST: Final = 60
#: Possessive: digits once taken are not given back, so that a long number is read once.
_NUMBER: Final = re.compile(r"[+-]?(?:\d++\.?+\d*+|\.\d++)(?:[eE][+-]?\d++)?+", re.ASCII)
_QUANTITY: Final = re.compile(rf"({_NUMBER.pattern})\s*+(\S++)", re.ASCII)


def parse_quantity(text: object, dimension: str) -> float:
    """The SI value of a quantity such as ``"80 GB"``.

    Raises ValueError when the number, the unit or the dimension is wrong; the message names the accepted units.
    """
    example = _EXAMPLE[dimension]
    if not isinstance(text, str):
        raise ValueError(f"{shortened(repr(text), _LONGEST)} has no unit; write it as {example!r}")
    if len(text) > _LONGEST:
        raise ValueError(f"{text[:20]!r}... has {len(text):,} characters; write a quantity as {example!r}")
    match = _QUANTITY.fullmatch(text.strip())
    if _NUMBER.fullmatch(text.strip()):
        raise ValueError(f"{text.strip()[:60]!r} has no unit; write it as {example!r}")
    if match is None:
        raise ValueError(f"{text[:60]!r} is not a number with a unit; write it as {example!r}")
    scale = UNITS[dimension].get(match[2])
    if scale is None:
        raise ValueError(f"{match[2][:20]!r} is not a unit of {dimension}; write it as {example!r}")
    value = float(match[1]) * scale
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"{text[:60]!r} must be finite and not negative")
    least, most = LIMITS[dimension]
    if value and not least <= value <= most:
        unit = example.split()[1]
        within = f"{least / UNITS[dimension][unit]:g} to {most / UNITS[dimension][unit]:g} {unit}"
        raise ValueError(f"{text[:60]!r} is no {dimension} of a machine, which is {within}; write it as {example!r}")
    return float(round(value)) if abs(value - round(value)) <= 1e-9 * abs(value) else value


def _engineering(value: float, unit: str, steps: tuple[tuple[float, str], ...], digits: int) -> str:
    size = abs(value)
    for scale, prefix in steps:
        if size >= scale * (1 - 0.5 * 10.0**-digits):
            return f"{_significant(value / scale, digits)} {prefix}{unit}"
    scale, prefix = steps[-1]
    return f"{_significant(value / scale, digits)} {prefix}{unit}"


def _significant(value: float, digits: int) -> str:
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value)) + 1e-12))
    return f"{value:,.{decimals}f}"


_SI: Final = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))
_IEC: Final = ((2.0**40, "Ti"), (2.0**30, "Gi"), (2.0**20, "Mi"), (2.0**10, "Ki"), (1.0, ""))
_TIME: Final = ((1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"))


def format_si(value: float, unit: str = "", digits: int = 3) -> str:
    """A value with a decimal prefix: ``14.5 GB``, ``312 TFLOP/s``."""
    return _engineering(value, unit, _SI, digits).strip()


def format_binary(value: float, digits: int = 3) -> str:
    """Bytes with a binary prefix, as drivers' tools tell memory: ``79.6 GiB``."""
    return _engineering(value, "B", _IEC, digits)


def format_time(seconds: float, digits: int = 3) -> str:
    """A time with the prefix that fits: ``7.10 ms``, ``92.0 s``."""
    if seconds != 0 and abs(seconds) < 1e-9:
        return f"{seconds:.2g} s"
    return _engineering(seconds, "s", _TIME, digits)


def format_host_time(seconds: float) -> str:
    """A time of a host as files and sentences have it: ``34.1 us``, from a thousand of them on ``3.24 ms``."""
    return f"{seconds * 1e6:.3g} us" if seconds < 999.5e-6 else f"{seconds * 1e3:.3g} ms"


def format_count(value: float) -> str:
    """A large count in words that people use: ``7.24 billion``."""
    for scale, word in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if value >= 0.9995 * scale:
            return f"{value / scale:.3g} {word}"
    return f"{value:,.0f}"


def format_ratio(value: float) -> str:
    """A ratio in two digits, three about one: `23`, `1.7`, `1.04`, `0.58`, `0.012`."""
    if value >= 1.095:
        return f"{value:,.0f}" if value >= 9.95 else f"{value:.1f}"
    return f"{value:.2f}" if value >= 0.095 else f"{value:.2g}"


def short_count(value: float) -> str:
    """A whole number as people say lengths: `8k` for 8,192, `640`, `8,000`."""
    whole = int(value)
    return f"{whole // 1024:,}k" if whole >= 1024 and whole % 1024 == 0 else f"{whole:,}"


_LETTERED: Final = re.compile(r"(\d{1,9}(?:\.\d{1,6})?) ?([kKmM])(i?)", re.ASCII)
_DRESSED: Final = re.compile(
    r"(\d{1,3}(?:[_' ]\d{3}){1,4}|\d{1,9}\.0{1,9}|\d{1,3}[eE]\+?\d{1,2}|\d{1,12}) ?(?:px|tokens?)?"
)


def not_a_number(option: str, text: str, wanted: str) -> str:
    """That an option must be a number, with those that a text may mean: of `8k` 8192 and 8000."""
    found = _meant(text.strip())
    return f"{option} must be {wanted}, not {text[:40]!r}" + (f": {' or '.join(map(str, found))}?" if found else "")


def _meant(text: str) -> list[int]:
    """The whole numbers that are meant by `8k`, `1.5M`, `8_192`, `1e3`, `1024px` or `512 tokens`."""
    dressed, lettered = _DRESSED.fullmatch(text), _LETTERED.fullmatch(text)
    if dressed is not None and not text.isdigit():
        values = [float(re.sub(r"[_' ]", "", dressed[1]))]
    elif lettered is not None:
        power = 1 if lettered[2] in "kK" else 2
        values = [float(lettered[1]) * base**power for base in ((1024,) if lettered[3] else (1024, 1000))]
    else:
        values = []
    return [int(value) for value in values if value.is_integer()]
