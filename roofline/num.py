"""Numbers that may be one value or a grid of values.

Every formula of this package takes and returns *Nums*: a float, or a float64 array whose axes broadcast. Whole numbers
stay exact up to 2**53 either way. The helpers below keep scalars in plain Python, where numpy costs ten times as much,
and import numpy only when they meet an array: a single estimate never loads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

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


def all_hold(condition: Any) -> bool:
    """Whether a condition holds everywhere."""
    return condition if type(condition) is bool else bool(condition.all())
