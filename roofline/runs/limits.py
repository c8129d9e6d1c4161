"""The largest whole number for which something still fits."""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt
from typing import Final, NamedTuple

from roofline.answer.memory import ENDLESS
from roofline.errors import UsageError
from roofline.num import Num, first_value

#: Beyond this the answer is "as much as you like".
CEILING: Final = ENDLESS
#: How many times the one number another is, so that halving the distance would take long.
_WIDE: Final = 4


class _Point(NamedTuple):
    """A number that was tried, and the amount there."""

    n: int
    amount: float


def one_value(amount: Num) -> float:
    """An amount of single sizes. Raises UsageError for a grid, each point of which has limits of its own."""
    if isinstance(amount, (int, float)) or amount.size == 1:
        return first_value(amount) if not isinstance(amount, int) else float(amount)
    raise UsageError("limits are those of single sizes, and this answer is of a grid; ask for one point of it")


def largest(amount: Callable[[int], float], limit: float, most: int = CEILING) -> int:
    """The largest n up to `most` with amount(n) <= limit, for an `amount` that never falls; 0 where one is too much.

    Guesses follow the line through the last two that fit, then the line between the last that fits and the first that
    does not; every third halves what is left, by its digits where that is wide. What grows in proportion is found in
    four trials, what consists of a few straight pieces in some ten, what grows with the square in some fifteen,
    anything in a hundred.
    """
    before = low = _Point(1, amount(1))
    if low.amount > limit:
        return 0
    high, turn, guess = _Point(most + 1, float("inf")), 0, 2
    while high.n - low.n > 1:
        tried = _Point(guess, amount(guess))
        if tried.amount <= limit:
            before, low = low, tried
        else:
            high = tried
        turn += 1
        guess = min(max(_guess(before, low, high, limit, turn), low.n + 1), high.n - 1)
    return low.n


def _guess(before: _Point, low: _Point, high: _Point, limit: float, turn: int) -> int:
    """Where the limit may be: on the line through two points, or halfway."""
    bracketed = high.amount < float("inf")
    if turn % 3 == 0 and bracketed:
        return _middle(low.n, high.n)
    if turn % 3 == 2 and bracketed:
        before = high
    growth = (low.amount - before.amount) / (low.n - before.n) if low.n != before.n else 0.0
    guess = low.n + int(min((limit - low.amount) / growth, CEILING)) if growth > 0 else CEILING
    stuck = bracketed and high.n > _WIDE * low.n and not low.n + 1 < guess < high.n - 1
    return _middle(low.n, high.n) if stuck else guess


def _middle(low: int, high: int) -> int:
    """Halfway between two numbers, or between their digits where these differ."""
    return isqrt(low * high) if high > _WIDE * low else (low + high) // 2
