"""Closed forms over a span for compressed caches: one entry for every `rate` tokens, closed when they are full.

Token t, counted from 1, sees floor(t / rate) entries, or the best `limit` of them. Sums of floors have closed forms, so
that a prefill of n tokens is the sum of its n decode steps and a mean over steps costs as little as one step.
"""

from __future__ import annotations

from roofline.num import Num, floor, maximum, minimum, where
from roofline.workload.shapes import Span


def sum_of_floors(last: Num, rate: float, limit: float | None = None) -> Num:
    """Sum of min(floor(t / rate), limit) for t = 0 .. last; nothing for last = -1."""
    if limit is not None:
        full = rate * limit
        return sum_of_floors(minimum(last, full), rate) + limit * maximum(last - full, 0.0)
    whole = floor(last / rate)
    return rate * whole * (whole - 1.0) / 2.0 + whole * (last - whole * rate + 1.0)


def compressed_pairs(span: Span, rate: float, limit: float | None = None) -> Num:
    """Pairs of a query and a closed entry before it, per sequence and step."""
    queries = span.new * span.steps
    total = sum_of_floors(span.past + queries, rate, limit) - sum_of_floors(span.past, rate, limit)
    return total / maximum(span.steps, 1.0)


def compressed_rectangle(span: Span, rate: float) -> Num:
    """Pairs of every query of a step with every entry closed when the step is done, as unfused code computes them."""
    return span.new * compressed_entries(span, rate)


def compressed_entries(span: Span, rate: float) -> Num:
    """Entries closed when a step is done, mean over the steps; several steps are of one token each."""
    stepwise = (sum_of_floors(span.past + span.steps, rate) - sum_of_floors(span.past, rate)) / maximum(span.steps, 1.0)
    return where(span.new == 1.0, stepwise, floor((span.past + span.new) / rate))


def compressed_cached(span: Span, rate: float, limit: float | None = None) -> Num:
    """Entries per sequence that a step reads from the cache, mean over the steps."""
    before = span.past - 1.0
    stepwise = sum_of_floors(before + span.steps, rate, limit) - sum_of_floors(before, rate, limit)
    once = floor(span.past / rate) if limit is None else minimum(floor(span.past / rate), limit)
    return where(span.new == 1.0, stepwise / maximum(span.steps, 1.0), once)


def compressed_held(span: Span, rate: float) -> Num:
    """Entries per sequence held when the phase ends."""
    return floor(span.end / rate)


def leftover(span: Span, rate: float) -> Num:
    """Tokens per sequence that wait for their entry to close when the phase ends."""
    return span.end - rate * floor(span.end / rate)


def fuller_before(span: Span, rate: float, entry: float, waiting: float) -> Num:
    """By how many elements per sequence more was held than when the phase ends: just before an entry closed.

    An entry takes `entry` elements, a token that waits for its own to close `waiting`. Between two steps of one token
    each every moment is one at which memory must do; a prompt that is read at once has but its end.
    """
    last = rate * floor((span.end + 1.0) / rate) - 1.0
    fullest = floor(last / rate) * entry + (rate - 1.0) * waiting
    more = maximum(fullest - compressed_held(span, rate) * entry - leftover(span, rate) * waiting, 0.0)
    return where((span.new == 1.0) & (last >= maximum(span.past, 1.0)), more, 0.0)
