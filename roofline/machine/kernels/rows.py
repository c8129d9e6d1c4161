"""Row-wise and element-wise kernels: norms, residuals, activations, look-ups, quantisation."""

from __future__ import annotations

from typing import NamedTuple

from roofline.machine.kernels.common import ChipFacts, smooth_maximum
from roofline.num import Num


class RowsCoefficients(NamedTuple):
    """Efficiency of kernels that read rows, do little, and write rows.

    streaming    fraction of the bandwidth
    fixed_s      seconds of a kernel that does nothing
    latency_s    seconds by which the memory streams are late
    sharpness    of the smooth maximum of the two
    """

    streaming: Num
    fixed_s: Num
    latency_s: Num
    sharpness: Num


def rows_time(moved: Num, chip: ChipFacts, c: RowsCoefficients) -> Num:
    """Seconds of a kernel that moves `moved` bytes."""
    return c.fixed_s + smooth_maximum(moved / (chip.bandwidth * c.streaming), c.latency_s, c.sharpness)
