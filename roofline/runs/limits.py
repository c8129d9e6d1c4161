"""The largest whole number for which something still fits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

#: Beyond this the answer is "as much as you like".
CEILING: Final = 2**40


def largest(amount: Callable[[int], float], limit: float) -> int:
    """The largest n >= 1 with amount(n) <= limit, for an `amount` that never falls; 0 where even one is too much.

    An amount that grows in proportion is found in four trials: the first guess follows the line through the first two.
    """
    first = amount(1)
    if first > limit:
        return 0
    growth = amount(2) - first
    low, high = 1, CEILING + 1
    guess = min(CEILING, 1 + int((limit - first) / growth)) if growth > 0 else CEILING
    step = 1
    while high - low > 1:
        guess = min(max(guess, low + 1), high - 1)
        if amount(guess) <= limit:
            low, guess = guess, guess + step
        else:
            high, guess = guess, guess - step
        step *= 2
        if not low < guess < high:
            guess = (low + high) // 2
    return low
