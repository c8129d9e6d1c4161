"""Matrix products: tiles in whole waves over the units, a cost per tile, split K, a ramp of the bandwidth."""

from __future__ import annotations

from typing import Final, NamedTuple

from roofline.machine.kernels.common import USUAL_CHIP, ChipFacts, by_dots, droop, smooth_maximum
from roofline.num import Num, all_hold, any_holds, ceil, floor, is_nothing, maximum, minimum, where, where_either

#: Half the harmonic mean of the largest tile's sides: elements multiplied per element loaded.
_LARGEST: Final = 128.0 * 256.0 / (128.0 + 256.0)
#: Output tiles that libraries choose from, the best one wins: rows, columns, their product and sum.
_TILES: Final = tuple((m, n, m * n, m + n) for m, n in ((128.0, 256.0), (128.0, 128.0), (64.0, 64.0), (1.0, 64.0)))
#: Rows of the smallest tile that many rows take.
_ROWS: Final = 64.0
#: Where k / splits + split_k · sqrt(splits - 1) is least: at about (2 k / split_k) to this power.
_MOST_SPLIT: Final = 2.0 / 3.0
#: Rows at which kernels are compared.
_TYPICAL: Final = (8.0, 64.0, 1024.0)
#: Least K that is worth a split of its own.
_SPLIT_K: Final = 256.0
#: Multiply-adds of a column of K, per unit, from which on the largest tiles fill many waves.
_MANY: Final = 32.0 * 128.0 * 256.0
#: A little less than 1, so that no tile is dropped for the last bits of an estimate.
_BARELY: Final = 1.0 - 1e-9


class MatmulCoefficients(NamedTuple):
    """Efficiency of the matrix products of one chip, format and engine.

    ceiling      fraction of the matrix peak that an endless product reaches
    droop        share of time that the power limit adds to products longer than a millisecond
    streaming    fraction of the bandwidth that an endless read reaches
    fixed_s      seconds of a kernel that does nothing
    latency_s    seconds by which every memory stream is late: the ramp of the bandwidth
    k_offset     columns of K by which a tile's prologue and epilogue lengthen it
    sharpness    of the smooth maximum of compute and memory
    tile_loss    elements: the smaller a tile, the more of the time its loads take
    split_k      columns of K that a split costs, times the root of the number of splits
    quantise_s   seconds of the kernel that quantises the activations (0 where they are multiplied as they are)
    quantise     fraction of the bandwidth that this kernel reaches
    """

    ceiling: Num
    droop: Num
    streaming: Num
    fixed_s: Num
    latency_s: Num
    k_offset: Num
    sharpness: Num
    tile_loss: Num
    split_k: Num
    quantise_s: Num = 0.0
    quantise: Num = 1.0


def tiled_work(m: Num, k: Num, n: Num, units: Num, c: MatmulCoefficients) -> Num:
    """Multiply-adds per unit of the slowest unit, its losses counted as work: the least over the tiles.

    Where few tiles are dealt out, a row more than fills them would cost a whole one. Libraries have more tiles than the
    four here, and kernels that deal out parts of them: between two whole numbers of tiles the work grows row by row.
    """
    enough, losses = _MANY * units / n, (c.tile_loss, c.split_k, c.k_offset)
    if isinstance(m, (float, int)) and isinstance(enough, (float, int)):
        best = (_least_work if m >= enough else _smooth_work)(m, k, n, units, *losses)
    else:  # points of a grid that have rows enough take the short way
        best = where_either(m >= enough, _least_work, _smooth_work, m, k, n, units, *losses)
    return best / (1.0 + c.tile_loss / _LARGEST)


def _smooth_work(m: Num, k: Num, n: Num, units: Num, tile_loss: Num, split_k: Num, k_offset: Num) -> Num:
    """The work of whole tiles of rows, and between two of them its share by rows; as it is below the first."""
    below = floor(m / _ROWS) * _ROWS
    least = _least_work(where(below > 0.0, below, m), k, n, units, tile_loss, split_k, k_offset)
    between = (below > 0.0) & (m > below)
    if not any_holds(between):
        return least
    above = _least_work(below + _ROWS, k, n, units, tile_loss, split_k, k_offset)
    return least + where(between, (above - least) * ((m - below) / _ROWS), 0.0)


def _least_work(m: Num, k: Num, n: Num, units: Num, tile_loss: Num, split_k: Num, k_offset: Num) -> Num:
    best: Num = float("inf")
    most = (2.0 * k / maximum(split_k, 1e-9)) ** _MOST_SPLIT  # beyond as many splits one more costs more than it saves
    for tile_m, tile_n, area, edge in _TILES:
        tiles, size = ceil(m / tile_m) * ceil(n / tile_n), area + tile_loss * edge
        waves, columns = tiles / units, k
        if any_holds(waves < 1.0):  # units that no tile is left for take a part of K
            split = maximum(floor(minimum(minimum(units / tiles, k / _SPLIT_K), most)), 1.0)
            waves = tiles * split / units
            columns = minimum(k / split + split_k * (split - 1.0) ** 0.5, k)
        elif all_hold(waves * (size * (k + k_offset) * _BARELY) >= best):  # if all units were busy to the end
            continue
        best = minimum(best, ceil(waves) * size * (columns + k_offset))
    return best


def matmul_time(m: Num, k: Num, n: Num, moved: Num, chip: ChipFacts, c: MatmulCoefficients) -> Num:
    """Seconds of [m, k] @ [k, n] that moves `moved` bytes."""
    compute = tiled_work(maximum(m, chip.rows), k, n, chip.units, c) * (2.0 * chip.units) / (chip.peak * c.ceiling)
    compute = by_dots(compute, 2.0 * m * k * n, chip)
    memory = moved / (chip.bandwidth * c.streaming) + c.latency_s
    return c.fixed_s + smooth_maximum(droop(compute, c.droop), memory, c.sharpness)


def quantise_time(moved: Num, chip: ChipFacts, c: MatmulCoefficients) -> Num:
    """Seconds of the kernel that reads activations and writes them quantised: `moved` bytes in all."""
    return c.quantise_s + moved / (chip.bandwidth * c.quantise)


def stream_time(moved: Num, flops: Num, chip: ChipFacts, c: MatmulCoefficients) -> Num:
    """Seconds of a kernel without tiles (a norm, a residual, a look-up): launch, stream, and its FLOPs if it has any.

    Launch and stream are those of a matrix product, whose own work vanishes when it is small or thin.
    """
    memory = moved / (chip.bandwidth * c.streaming) + c.latency_s
    compute = flops if is_nothing(flops) else flops / (chip.peak * c.ceiling)
    return c.fixed_s + smooth_maximum(compute, memory, c.sharpness)


def typical_time(c: MatmulCoefficients) -> float:
    """Geometric mean of the seconds of a few, some and many rows on a usual chip: how quick a kernel is."""
    side, product = 4096.0, 1.0
    for rows in _TYPICAL:
        moved = side * side + rows * 3.0 * side
        time = matmul_time(rows, side, side, moved, USUAL_CHIP, c) + quantise_time(3.0 * rows * side, USUAL_CHIP, c)
        product *= float(time)
    return float(product ** (1.0 / len(_TYPICAL)))
