"""The largest whole number for which something still fits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from roofline.analysis.question import Question
from roofline.num import Num

#: Beyond this the answer is "as much as you like".
CEILING: Final = 2**40


def largest(fits: Callable[[int], bool], least: int = 1) -> int:
    """The largest n >= `least` with fits(n), for a `fits` that never turns true again; `least` - 1 where none does."""
    if not fits(least):
        return least - 1
    low, step = least, 1
    while low + step <= CEILING and fits(low + step):
        low += step
        step *= 2
    high = min(low + step, CEILING + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def max_batch(question: Question, capacity: Num) -> int:
    """The largest batch that fits at the question's lengths."""
    run = question.run
    return largest(lambda n: bool(question.memory_bytes(replace(run, batch=float(n))) <= capacity))


def max_context(question: Question, capacity: Num) -> int:
    """The most tokens per sequence, prompt and generated together, that fit at the question's batch.

    The number of generated tokens stays as asked; the prompt grows.
    """
    run = question.run
    prompt = largest(lambda n: bool(question.memory_bytes(replace(run, prompt=float(n))) <= capacity))
    return prompt + int(float(run.generate)) if prompt else 0
