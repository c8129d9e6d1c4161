"""Numbers that may be one value or a grid of values.

Every formula of this package takes and returns *Nums*: a float, or a float64 array whose axes broadcast. Whole numbers
stay exact up to 2**53 either way. The helpers below keep scalars in plain Python, where numpy costs ten times as much,
and import numpy only when they meet an array: a single estimate never loads it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: The share of a grid up to which picking points out of it is quicker than working out all of them.
_MOST_PICKED: Final = 0.3
Num: TypeAlias = "float | NDArray[np.float64]"


def as_num(value: Any) -> Num:
    """A float, or a float64 array: int64 would overflow at 9.2e18."""
    if isinstance(value, (int, float)):
        return float(value)
    import numpy as np

    return np.asarray(value, dtype=np.float64)


def stack(values: Sequence[float], shape: tuple[int, ...] | None = None) -> Num:
    """Several values along the first axis, or in `shape`; a single one without a shape stays a float."""
    if len(values) == 1 and shape is None:
        return values[0]
    import numpy as np

    return np.asarray(values, dtype=np.float64).reshape(shape or (-1,))


def maximum(a: Num, b: Num) -> Num:
    """The larger of two Nums, element by element."""
    if type(a) is float and type(b) is float:
        return a if a >= b else b
    import numpy as np

    return np.maximum(a, b)


def minimum(a: Num, b: Num) -> Num:
    """The smaller of two Nums, element by element."""
    if type(a) is float and type(b) is float:
        return a if a <= b else b
    import numpy as np

    return np.minimum(a, b)


def ceil(a: Num) -> Num:
    """Round up, element by element."""
    if type(a) is float:
        return -(-a // 1.0)
    import numpy as np

    return np.ceil(a)


def floor(a: Num) -> Num:
    """Round down, element by element."""
    if type(a) is float:
        return a // 1.0
    import numpy as np

    return np.floor(a)


def power(base: Num, exponent: Num) -> Num:
    """`base` to the power `exponent`, element by element."""
    if isinstance(base, float) and isinstance(exponent, float):
        return float(base**exponent)
    import numpy as np

    return np.power(base, exponent)


def where(condition: Any, a: Num, b: Num) -> Num:
    """`a` where the condition holds, else `b`, element by element."""
    if type(condition) is bool:
        return a if condition else b
    import numpy as np

    return np.where(condition, a, b)


def where_holds(condition: Any, values: Num) -> Num:
    """`values` where the condition holds, else 0; the array itself where it holds everywhere."""
    if type(condition) is bool:
        return values if condition else 0.0
    if condition.all():
        return values
    return values * condition if condition.any() else 0.0


def all_hold(condition: Any) -> bool:
    """Whether a condition holds everywhere."""
    return condition if type(condition) is bool else bool(condition.all())


def any_holds(condition: Any) -> bool:
    """Whether a condition holds anywhere."""
    return condition if type(condition) is bool else bool(condition.any())


def is_nothing(value: Num) -> bool:
    """Whether a value is a plain 0, so that a sum or a maximum with it needs no pass over a grid."""
    return type(value) is float and value == 0.0


def add_up(terms: Sequence[Num]) -> Num:
    """The sum: of floats in their order, of arrays first of those that span the same axes, the fewest axes first."""
    total: Num = 0.0
    grids: list[Any] = []
    for term in terms:
        if isinstance(term, (float, int)):
            total += term
        else:
            grids.append(term)
    if not grids:
        return total
    alike: dict[tuple[int, ...], list[Any]] = {}
    for grid in grids:
        alike.setdefault(grid.shape, []).append(grid)
    for shape in sorted(alike, key=math.prod):
        total = _accumulated(alike[shape]) + total
    return total


def _accumulated(arrays: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """The sum of arrays of one shape, in place after the first two."""
    total = arrays[0]
    for place, array in enumerate(arrays[1:]):
        if place:
            total += array
        else:
            total = total + array
    return total


def where_needed(wrong: Any, values: Num, right: Callable[..., Num], *arguments: Num) -> Num:
    """`values`, and `right(*arguments)` where they are `wrong`: worked out there alone."""
    import numpy as np

    count = np.count_nonzero(wrong)
    if not count:
        return values
    if count > _MOST_PICKED * np.size(wrong):
        return np.where(wrong, right(*arguments), values)
    shape = np.broadcast_shapes(np.shape(values), *map(np.shape, arguments))
    wrong = np.broadcast_to(wrong, shape)
    found = np.array(np.broadcast_to(values, shape))
    found[wrong] = right(*(a if type(a) is float else np.broadcast_to(a, shape)[wrong] for a in arguments))
    return found
