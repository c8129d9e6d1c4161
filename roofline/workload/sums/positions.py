"""Closed forms of sums over positions of a sequence: under a causal mask, in windows, chunks and pieces."""

from __future__ import annotations

from roofline.num import Num, floor, maximum, minimum, where


def in_chunks(count: Num, chunk: float) -> Num:
    """Sum of (p mod chunk) + 1 for p = 0 .. count - 1."""
    whole = floor(count / chunk)
    rest = count - whole * chunk
    return whole * (chunk * (chunk + 1.0) / 2.0) + rest * (rest + 1.0) / 2.0


def triangle(past: Num, queries: Num, window: float | None) -> Num:
    """Sum of min(past + i, window) for i = 1 .. queries."""
    full = queries * past + queries * (queries + 1.0) / 2.0
    if window is None:
        return full
    growing = minimum(maximum(window - past, 0.0), queries)
    return growing * past + growing * (growing + 1.0) / 2.0 + (queries - growing) * window


def mean_minimum(past: Num, steps: Num, new: Num, limit: Num) -> Num:
    """Mean over steps s = 0 .. steps - 1 of min(past + s * new, limit)."""
    count = maximum(steps, 1.0)
    room = maximum(limit - past, 0.0)
    growing = minimum(floor(room / maximum(new, 1.0)) + where(limit >= past, 1.0, 0.0), count)
    rising = growing * past + new * growing * (growing - 1.0) / 2.0
    return (rising + (count - growing) * limit) / count


def piece_keys(past: Num, tokens: Num, piece: Num, limit: float | None) -> Num:
    """Keys that a token sees in the mean where `tokens` behind `past` are read `piece` by piece, the last one shorter,
    and every query of a piece sees all of it and the cached keys before it, at most `limit` of these.
    """
    piece = minimum(piece, tokens)
    whole = floor(tokens / piece)
    rest, last = tokens - whole * piece, past + whole * piece
    before = past + piece * (whole - 1.0) / 2.0
    if limit is not None:
        before, last = mean_minimum(past, whole, piece, limit), minimum(last, limit)
    return (whole * piece * (before + piece) + rest * (last + rest)) / tokens
