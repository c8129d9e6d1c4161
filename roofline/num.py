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

#: Bytes of the largest block that glibc learns from: a little under 32 MiB.
_LARGEST_BLOCK: Final = 32_000_000
#: Points of a grid from which on a pass over it takes longer than the call.
_MANY: Final = 4096
Num: TypeAlias = "float | NDArray[np.float64]"


def as_num(value: Any) -> Num:
    """A float, or a float64 array: int64 would overflow at 9.2e18."""
    if isinstance(value, (int, float)):
        return float(value)
    import numpy as np

    return np.asarray(value, dtype=np.float64)


def stacked(values: Sequence[Num], axes: int) -> Num:
    """Single numbers along a first axis that `axes` more follow, each of length 1."""
    import numpy as np

    return np.asarray(values, dtype=np.float64).reshape((-1, *(1,) * axes))


def keep_freed_memory() -> None:
    """Let the C library keep the memory of arrays that are freed, for whoever works out many grids one after the other.

    glibc gives freed memory back to the system until it has once freed a large block, up to 32 MB, and then pages fault
    in anew for every array: that takes twice as long as the arithmetic. The block here is never touched.
    """
    import numpy as np

    np.empty(_LARGEST_BLOCK, dtype=np.uint8)


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


def least(value: Num) -> float:
    """A value, or the least of a grid."""
    return value if isinstance(value, float) else float(value.min())


def first_value(value: Num) -> float:
    """A value, or the first of a grid."""
    return value if isinstance(value, float) else float(value.flat[0])


def is_nothing(value: Num) -> bool:
    """Whether a value is a plain 0, so that a sum or a maximum with it needs no pass over a grid."""
    return type(value) is float and value == 0.0


def points(value: Num) -> int:
    """The number of points of a value."""
    return 1 if isinstance(value, (float, int)) else value.size


def span_many(*values: Num) -> bool:
    """Whether values span so many points that a pass over them costs more than deciding whether it is needed."""
    shapes = [value.shape for value in values if not isinstance(value, (float, int))]
    if not shapes:
        return False
    import numpy as np

    return math.prod(np.broadcast_shapes(*shapes)) >= _MANY


def where_either(first: Any, one: Callable[..., Num], other: Callable[..., Num], *arguments: Num) -> Num:
    """`one(*arguments)` at the `first` points and `other(*arguments)` at the rest: each worked out there alone."""
    import numpy as np

    count = np.count_nonzero(first)
    if not count or count == np.size(first):
        return (one if count else other)(*arguments)
    shape = np.broadcast_shapes(np.shape(first), *map(np.shape, arguments))
    first = np.broadcast_to(first, shape)
    found = np.empty(shape)
    for where_true, function in ((first, one), (~first, other)):
        picked = (a if type(a) is float else np.broadcast_to(a, shape)[where_true] for a in arguments)
        found[where_true] = function(*picked)
    return found
