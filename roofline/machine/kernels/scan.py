"""Recurrent layers: gated delta nets, Kimi delta attention, Mamba-2, and the short convolutions before them."""

from __future__ import annotations

from typing import Final, NamedTuple

from roofline.machine.kernels.common import ChipFacts, smooth_maximum
from roofline.num import Num, maximum

#: Tokens of one chunk of a chunked scan.
_CHUNK: Final = 64.0


class ScanCoefficients(NamedTuple):
    """Efficiency of a scan over the tokens of a sequence.

    streaming    fraction of the bandwidth
    ceiling      fraction of the matrix peak at which the products inside chunks run
    fixed_s      seconds of a kernel that does nothing
    chunk_s      seconds that a chunk of 64 tokens waits for the one before it
    sharpness    of the smooth maximum of its three times
    """

    streaming: Num
    ceiling: Num
    fixed_s: Num
    chunk_s: Num
    sharpness: Num


def scan_time(chains: Num, new: Num, flops: Num, moved: Num, chip: ChipFacts, c: ScanCoefficients) -> Num:
    """Seconds of `chains` (batch times heads) recurrences over `new` tokens each, that cost `flops` and `moved` bytes.

    Chunks of one chain follow each other; chains beyond the number of units wait for a unit.
    """
    waiting = maximum(new / _CHUNK, 1.0) * c.chunk_s * maximum(chains / chip.units, 1.0)
    work = smooth_maximum(flops / (chip.peak * c.ceiling), waiting, c.sharpness)
    return c.fixed_s + smooth_maximum(moved / (chip.bandwidth * c.streaming), work, c.sharpness)
