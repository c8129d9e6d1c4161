"""Numbers that may be one value or a grid of values.

Every formula of this package takes and returns *Nums*: a float, or a float64 array whose axes broadcast. Whole numbers
stay exact up to 2**53 either way. The helpers below keep scalars in plain Python, where numpy costs ten times as much.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Num: TypeAlias = float | NDArray[np.float64]


def as_num(value: Any) -> Num:
    """A float, or a float64 array: int64 would overflow at 9.2e18."""
    if isinstance(value, (int, float)):
        return float(value)
    return np.asarray(value, dtype=np.float64)


def maximum(a: Num, b: Num) -> Num:
    """The larger of two Nums, element by element."""
    if isinstance(a, float) and isinstance(b, float):
        return a if a >= b else b
    return np.maximum(a, b)


def minimum(a: Num, b: Num) -> Num:
    """The smaller of two Nums, element by element."""
    if isinstance(a, float) and isinstance(b, float):
        return a if a <= b else b
    return np.minimum(a, b)


def ceil(a: Num) -> Num:
    """Round up, element by element."""
    return float(-(-a // 1)) if isinstance(a, float) else np.ceil(a)


def floor(a: Num) -> Num:
    """Round down, element by element."""
    return float(a // 1) if isinstance(a, float) else np.floor(a)


def power(base: Num, exponent: Num) -> Num:
    """`base` to the power `exponent`, element by element."""
    if isinstance(base, float) and isinstance(exponent, float):
        return float(base**exponent)
    return np.power(base, exponent)


def where(condition: Any, a: Num, b: Num) -> Num:
    """`a` where the condition holds, else `b`, element by element."""
    if isinstance(condition, bool):
        return a if condition else b
    return np.where(condition, a, b)
