"""The largest whole number for which something still fits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from roofline.analysis.question import Question
from roofline.num import Num

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


def max_batch(question: Question, capacity: Num) -> int:
    """The largest batch that fits at the question's lengths."""
    run = question.run
    return largest(lambda n: float(question.memory_bytes(replace(run, batch=float(n)))), float(capacity))


def max_context(question: Question, capacity: Num) -> int:
    """The most tokens per sequence, prompt and generated together, that fit at the question's batch.

    The number of generated tokens stays as asked; the prompt grows.
    """
    run = question.run
    prompt = largest(lambda n: float(question.memory_bytes(replace(run, prompt=float(n)))), float(capacity))
    return prompt + int(float(run.generate)) if prompt else 0
