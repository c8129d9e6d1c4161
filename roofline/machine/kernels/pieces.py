"""Attention in pieces: products with keys, softmax, products with values, the scores in memory between them."""

from __future__ import annotations

from typing import NamedTuple

from roofline.machine.kernels.common import ChipFacts, smooth_maximum
from roofline.machine.kernels.matmul import MatmulCoefficients
from roofline.num import Num, where

#: Sharpness of the smooth maximum of the two times of a decode.
_SOFT = 4.0


class PiecesWork(NamedTuple):
    """`scores` in all, every query with every key; `width` key plus value elements of a head; `moved` bytes of cache,
    queries and results; `traffic` bytes of memory per score.
    """

    scores: Num
    width: Num
    moved: Num
    traffic: float


def pieces_prefill_time(work: PiecesWork, chip: ChipFacts, c: MatmulCoefficients, ceiling: Num, streaming: Num) -> Num:
    """Seconds of the kernels of many queries one after the other, `ceiling` and `streaming` those that they reach.

    Products of a head are long and thin, and each waits for the scores of the one before: nothing overlaps.
    """
    compute = 2.0 * work.scores * work.width / (chip.peak * ceiling)
    memory = (work.moved + work.scores * work.traffic) / (chip.bandwidth * streaming)
    return c.fixed_s + compute + memory


def pieces_decode_time(work: PiecesWork, chip: ChipFacts, c: MatmulCoefficients, rate: Num, streaming: Num) -> Num:
    """Seconds of the kernels of one query per sequence, which deal keys out one by one: `rate` of them per second."""
    memory = (work.moved + work.scores * work.traffic) / (chip.bandwidth * streaming)
    dealt = work.scores / where(rate > 0.0, rate, 1.0)
    return c.fixed_s + smooth_maximum(where(rate > 0.0, dealt, 0.0), memory, _SOFT)
