"""Routed feed-forwards: one grouped product per matrix, its tiles padded expert by expert."""

from __future__ import annotations

from typing import Final, NamedTuple

from roofline.machine.kernels.common import USUAL_CHIP, ChipFacts, by_dots, droop, smooth_maximum
from roofline.num import Num, ceil, maximum, minimum

#: Rows of tokens of one tile; the best one wins. Columns of one tile.
_ROWS: Final = (16.0, 64.0, 128.0)
_COLUMNS: Final = 128.0
#: Half the harmonic mean of the largest tile's sides: elements multiplied per element loaded.
_LARGEST: Final = 64.0
#: Rows at which half the time of sorting is due.
_FEW_ROWS: Final = 16.0
#: Numbers of tokens at which kernels are compared.
_TYPICAL: Final = (8.0, 256.0, 4096.0)


class ExpertsCoefficients(NamedTuple):
    """Efficiency of the grouped products of routed experts.

    ceiling      fraction of the matrix peak
    droop        share of time that the power limit adds to kernels longer than a millisecond
    streaming    fraction of the bandwidth at which the touched experts' weights are read
    fixed_s      seconds of all kernels of a layer that does nothing
    expert_s     seconds that each touched expert adds
    k_offset     columns of K by which a tile's prologue and epilogue lengthen it
    sharpness    of the smooth maximum of compute and memory
    tile_loss    elements: the smaller a tile, the more of the time its loads take
    routing      fraction of the bandwidth at which rows are gathered, activated, scattered and summed
    sort_s       seconds that sorting rows by expert adds, which a few rows do without
    """

    ceiling: Num
    droop: Num
    streaming: Num
    fixed_s: Num
    expert_s: Num
    k_offset: Num
    sharpness: Num
    tile_loss: Num
    routing: Num
    sort_s: Num = 0.0


class ExpertsWork(NamedTuple):
    """Routed feed-forwards: `rows` [width] @ [width, into * hidden], then back to `width`, in `touched` experts."""

    rows: Num
    touched: Num
    width: Num
    hidden: Num
    into: Num
    weight_bytes: Num
    activation_bytes: Num


def grouped_work(rows: Num, touched: Num, k: Num, n: Num, units: Num, c: ExpertsCoefficients) -> Num:
    """Multiply-adds per unit of the slowest unit of `rows` [k] @ [k, n], shared among `touched` experts.

    Each expert's rows are rounded up to whole tiles: half a tile on average, and one tile at least.
    """
    best: Num = float("inf")
    columns = ceil(n / _COLUMNS)
    for tile in _ROWS:
        tiles = touched * maximum(1.0, rows / (touched * tile) + 0.5) * columns
        area = tile * _COLUMNS + c.tile_loss * (tile + _COLUMNS)
        best = minimum(best, maximum(tiles / units, 1.0) * area * (k + c.k_offset))
    return best / (1.0 + c.tile_loss / _LARGEST)


def experts_time(work: ExpertsWork, chip: ChipFacts, c: ExpertsCoefficients) -> Num:
    """Seconds of all kernels of one layer's routed feed-forwards."""
    rows, touched = work.rows, work.touched
    tiled = grouped_work(rows, touched, work.width, work.into * work.hidden, chip.units, c)
    tiled = tiled + grouped_work(rows, touched, work.hidden, work.width, chip.units, c)
    compute = tiled * (2.0 * chip.units) / (chip.peak * c.ceiling)
    compute = by_dots(compute, 2.0 * rows * (work.into + 1.0) * work.width * work.hidden, chip)
    memory = work.weight_bytes / (chip.bandwidth * c.streaming)
    products = smooth_maximum(droop(compute, c.droop), memory, c.sharpness)
    fixed = c.fixed_s + c.sort_s * rows / (rows + _FEW_ROWS) + touched * c.expert_s
    return fixed + products + work.activation_bytes / (chip.bandwidth * c.routing)


def typical_time(c: ExpertsCoefficients) -> float:
    """Geometric mean of the seconds of a few, some and many tokens on a usual chip: how quick a kernel is."""
    width, hidden, number, top_k = 4096.0, 1536.0, 128.0, 8.0
    product = 1.0
    for tokens in _TYPICAL:
        rows, touched = tokens * top_k, number * (1.0 - (1.0 - top_k / number) ** tokens)
        moved = 4.0 * (tokens * width + rows * (3.0 * hidden + width))
        work = ExpertsWork(rows, touched, width, hidden, 2.0, 3.0 * touched * width * hidden, moved)
        product *= float(experts_time(work, USUAL_CHIP, c))
    return float(product ** (1.0 / len(_TYPICAL)))
