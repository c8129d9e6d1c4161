"""Numbers as text, whole arrays at a time: the shortest digits that read as the same number, as Python writes them.

A value times a power of ten is taken to twice the digits of a float (Dekker, "A floating-point technique for extending
the available precision", 1971), so that 17 digits and what is left of them are known; of 15, 16 and 17 digits the
first is taken that lies within half a unit of the last place of the value. Whole numbers have no point, as in JSON.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from roofline.answer.plain import plain

if TYPE_CHECKING:
    import numpy as np

#: Magnitudes between which the tables reach; others are written one by one.
_LEAST, _MOST = 1e-200, 2.0**53
_LOWEST: Final = -200
_SPLIT: Final = 134_217_729.0
_DIGITS: Final = 17
#: Bytes of a cell that holds any number: sign, `0.000` and 17 digits, or 17 digits, a point and `e-200`.
WIDTH: Final = 24
#: Powers of ten from which on numbers are written without an exponent, as Python does.
_FIXED: Final = -4


class _Tables(NamedTuple):
    """10^(16 - e) for each e, as a sum of two floats, the first split as well; 10^e; four digits as text."""

    high: np.ndarray
    low: np.ndarray
    upper: np.ndarray
    lower: np.ndarray
    power: np.ndarray
    four: np.ndarray


@cache
def _tables() -> _Tables:
    import numpy as np

    exact = [10 ** (16 - e) for e in range(_LOWEST, 17)]
    high = np.array([float(value) for value in exact])
    low = np.array([float(value - int(float(value))) for value in exact])
    big = _SPLIT * high
    upper = big - (big - high)
    power = np.array([float(f"1e{e}") for e in range(_LOWEST, 18)])
    four = np.frombuffer("".join(f"{value:04d}" for value in range(10_000)).encode(), dtype=np.uint32)
    return _Tables(high, low, upper, high - upper, power, four)


def cells(values: np.ndarray, missing: bytes) -> np.ndarray:
    """Each number as bytes along one more axis, among them zeros that mean nothing; `missing` where it is no number."""
    import numpy as np

    flat = np.ascontiguousarray(values, dtype=np.float64).reshape(-1)
    size = np.abs(flat)
    with np.errstate(invalid="ignore"):
        whole = (flat == np.rint(flat)) & (size < _MOST)
    near = ~whole & (size > _LEAST) & (size < _MOST)
    near &= np.frexp(size)[0] != 0.5  # below a power of two, floats are closer to each other
    found = _whole(flat) if whole.all() else _broken(flat, size) if near.all() else None
    if found is None:
        found = _mixed(flat, (whole, near), missing)
    return found.reshape(*values.shape, found.shape[1])


def _mixed(flat: np.ndarray, kinds: tuple[np.ndarray, np.ndarray], missing: bytes) -> np.ndarray:
    """Numbers of several kinds: whole ones, others within the tables, what is no number, and the rest one by one."""
    import numpy as np

    whole, near = kinds
    out = np.zeros((len(flat), max(WIDTH, len(missing))), dtype=np.uint8)
    nothing = ~np.isfinite(flat)
    out[nothing, : len(missing)] = np.frombuffer(missing, dtype=np.uint8)
    for some in filter(np.any, (whole, near)):
        found = _whole(flat[some]) if some is whole else _broken(flat[some], np.abs(flat[some]))
        out[some, : found.shape[1]] = found
    for place in np.flatnonzero(~(near | whole | nothing)).tolist():
        text = number(float(flat[place]), missing)
        out[place, : len(text)] = np.frombuffer(text, dtype=np.uint8)
    return out


def number(value: float, missing: bytes) -> bytes:
    """One number as text: whole ones without a point; `missing` where it is not finite."""
    found = plain(value)
    return missing if found is None else repr(found).encode()


def _whole(flat: np.ndarray) -> np.ndarray:
    """Whole numbers below 2^53."""
    import numpy as np

    left = np.abs(flat).astype(np.int64)
    negative = flat < 0
    count = len(str(int(left.max(initial=0))))
    fours = -(-count // 4)
    out = np.empty((len(flat), 4 * fours + 1), dtype=np.uint8)
    four = _tables().four
    for index in reversed(range(fours)):
        rest = left // 10_000
        out[:, 1 + 4 * index : 5 + 4 * index] = four[left - 10_000 * rest].view(np.uint8).reshape(-1, 4)
        left = rest
    powers = 10 ** np.arange(1, count, dtype=np.int64)
    size = np.searchsorted(powers, np.abs(flat).astype(np.int64), side="right") + 1
    out[:, 1:][np.arange(4 * fours) < (4 * fours - size)[:, None]] = 0
    out[:, 0] = np.where(negative, ord("-"), 0)
    return out


def _broken(flat: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Numbers that are not whole, in rows as wide as the widest of them."""
    import numpy as np

    power, digits = _shortest(size)
    signs, table = flat < 0, _spelled(digits)
    sign = int(signs.any())
    levels = (np.flatnonzero(np.bincount(power - _LOWEST)) + _LOWEST).tolist()
    out = np.zeros((len(flat), sign + max(map(_width, levels))), dtype=np.uint8)
    if sign:
        out[signs, 0] = ord("-")
    if len(levels) == 1:
        _laid_out(table, levels[0], out[:, sign:])
        return out
    for level in levels:
        rows = np.flatnonzero(power == level)
        body = np.zeros((len(rows), _width(level)), dtype=np.uint8)
        _laid_out(table[rows], level, body)
        out[rows, sign : sign + body.shape[1]] = body
    return out


def _width(power: int) -> int:
    """Bytes of 17 digits with their point, and zeros before them or an exponent behind."""
    if power >= _FIXED:
        return _DIGITS + max(1, 1 - power)
    return _DIGITS + 1 + len(f"e{power:+03d}")


def _shortest(size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The power of ten of the first digit, and 17 digits, as a whole number, of which as many are zero as can be."""
    import numpy as np

    tables = _tables()
    power = np.floor(np.log10(size)).astype(np.int64)
    power += size >= tables.power[power + 1 - _LOWEST]
    power -= size < tables.power[power - _LOWEST]
    place = power - _LOWEST
    scale, upper, lower = tables.high[place], tables.upper[place], tables.lower[place]
    product = size * scale
    big = _SPLIT * size
    first = big - (big - size)
    second = size - first
    rest = ((first * upper - product) + first * lower + second * upper) + second * lower + size * tables.low[place]
    down = np.floor(rest)
    digits = product.astype(np.int64) + down.astype(np.int64)
    rest -= down
    half = np.spacing(size) * scale * 0.5
    found = digits + (rest > 0.5) + ((rest == 0.5) & (digits & 1 == 1))
    for step in (10, 100):
        kept = digits // step
        over = (digits - kept * step) + rest
        up = (over > step / 2) | ((over == step / 2) & (kept & 1 == 1))
        near = np.where(up, step - over, over) < half
        found = np.where(near, (kept + up) * step, found)
    above = found >= 10**_DIGITS
    return power + above, np.where(above, found // 10, found)


def _spelled(digits: np.ndarray) -> np.ndarray:
    """17 digits as text, with zeros that mean nothing in the place of those at the end."""
    import numpy as np

    four = _tables().four
    table = np.empty((len(digits), _DIGITS), dtype=np.uint8)
    head = digits // 100_000_000
    tail = (digits - head * 100_000_000).astype(np.uint32)
    lead = head // 100_000_000
    head = (head - lead * 100_000_000).astype(np.uint32)
    table[:, 0] = lead + ord("0")
    for at, part in ((1, head), (9, tail)):
        rest = part // np.uint32(10_000)
        table[:, at : at + 4] = four[rest].view(np.uint8).reshape(-1, 4)
        table[:, at + 4 : at + 8] = four[part - rest * np.uint32(10_000)].view(np.uint8).reshape(-1, 4)
    left = np.flatnonzero(digits - digits // 10 * 10 == 0)
    for place in range(_DIGITS - 1, 0, -1):
        left = left[table[left, place] == ord("0")]
        if not len(left):
            break
        table[left, place] = 0
    return table


def _laid_out(table: np.ndarray, power: int, body: np.ndarray) -> None:
    """Digits, the first of which counts 10^power, with their point and exponent."""
    import numpy as np

    if power >= 0:
        head = table[:, : power + 1]
        body[:, : power + 1] = np.where(head == 0, ord("0"), head)
        body[:, power + 1] = ord(".")
        body[:, power + 2 : _DIGITS + 1] = table[:, power + 1 :]
    elif power >= _FIXED:
        body[:, : 1 - power] = np.frombuffer(b"0." + b"0" * (-power - 1), dtype=np.uint8)
        body[:, 1 - power : 1 - power + _DIGITS] = table
    else:
        body[:, 0] = table[:, 0]
        body[:, 1] = np.where(table[:, 1] == 0, 0, ord("."))
        body[:, 2 : _DIGITS + 1] = table[:, 1:]
        end = f"e{power:+03d}".encode()
        body[:, _DIGITS + 1 : _DIGITS + 1 + len(end)] = np.frombuffer(end, dtype=np.uint8)
