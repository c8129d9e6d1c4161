"""Attention: tiles of queries for a prefill, a split cache for a decode."""

from __future__ import annotations

from typing import Final, NamedTuple

from roofline.machine.kernels_common import ChipFacts, droop, smooth_maximum
from roofline.num import Num, ceil, floor, maximum, minimum

#: Queries, and keys, of one tile.
_TILE: Final = 128.0


class PrefillCoefficients(NamedTuple):
    """Efficiency of the attention of a prefill.

    ceiling      fraction of the matrix peak
    droop        share of time that the power limit adds to kernels longer than a millisecond
    streaming    fraction of the bandwidth
    fixed_s      seconds of a kernel that does nothing
    latency_s    seconds by which the memory streams are late
    sharpness    of the smooth maximum of compute and memory
    softmax      FLOPs of matrix work in whose time one score is exponentiated
    tail         share of the longest row of tiles that runs alone at the end
    skipping     share of the keys outside a window that the kernel really skips
    tile_s       seconds that a tile of queries costs a unit before its first key
    """

    ceiling: Num
    droop: Num
    streaming: Num
    fixed_s: Num
    latency_s: Num
    sharpness: Num
    softmax: Num
    tail: Num
    skipping: Num
    tile_s: Num


class DecodeCoefficients(NamedTuple):
    """Efficiency of the attention of a decode step.

    streaming    fraction of the bandwidth that a long read of the cache reaches
    fixed_s      seconds of a kernel that does nothing
    sharpness    of the smooth maximum of its four times
    occupancy    streams per unit at which half the bandwidth is reached
    stream_s     seconds that a stream costs its unit before its first key
    tile_s       seconds that one unit needs for a tile of 128 keys of 128 elements, however few it has
    ceiling      fraction of the matrix peak, for the padded group of query heads
    merge_s      seconds for the merge of a split cache
    skipping     share of the keys outside a window that the kernel really skips
    reread       share of the cache that is read again for each further group of query heads
    """

    streaming: Num
    fixed_s: Num
    sharpness: Num
    occupancy: Num
    stream_s: Num
    tile_s: Num
    ceiling: Num
    merge_s: Num
    skipping: Num
    reread: Num


def prefill_tiles(new: Num, past: Num, window: Num, causal: Num) -> tuple[Num, Num, Num]:
    """Rows of tiles, tiles of all rows, and tiles of the longest row, of one head; `window` may be infinite."""
    rows = ceil(new / _TILE)
    width = ceil((past + new) / _TILE)
    first = ceil(past / _TILE)
    longest = minimum(width, ceil(window / _TILE) + 1.0)
    growing = minimum(maximum(longest - first, 0.0), rows)
    triangle = growing * first + growing * (growing + 1.0) / 2.0 + (rows - growing) * longest
    return rows, causal * triangle + (1.0 - causal) * rows * longest, longest


def prefill_time(
    heads: Num, new: Num, past: Num, window: Num, causal: Num, width: Num, moved: Num, chip: ChipFacts,
    c: PrefillCoefficients,
) -> Num:  # fmt: skip
    """Seconds of fused attention of `heads` (batch times query heads) over `new` queries each.

    `width` is key plus value elements of a head, so that a score costs 2 width FLOPs.
    """
    rows, tiles, longest = prefill_tiles(new, past, window, causal)
    _, full, full_longest = prefill_tiles(new, past, float("inf"), causal)
    tiles = c.skipping * tiles + (1.0 - c.skipping) * full
    longest = c.skipping * longest + (1.0 - c.skipping) * full_longest
    each = _TILE * _TILE * (2.0 * width + c.softmax) / (chip.peak * c.ceiling)
    compute = heads * tiles * each + c.tail * longest * each * chip.units
    compute = droop(compute, c.droop) + ceil(heads * rows / chip.units) * c.tile_s
    memory = moved / (chip.bandwidth * c.streaming) + c.latency_s
    return c.fixed_s + smooth_maximum(compute, memory, c.sharpness)


def decode_time(
    batch: Num, heads: Num, groups: Num, keys: Num, window: Num, width: Num, key_bytes: Num, other: Num,
    chip: ChipFacts, c: DecodeCoefficients,
) -> Num:  # fmt: skip
    """Seconds of one query per sequence against `keys` cached ones.

    `heads` query heads in `groups` that share keys and values; `width` is key plus value elements of a head, as
    multiplied; `key_bytes` what one key and value of one group take in memory; `other` bytes of queries and results.
    The cache of a sequence is split over units until all are busy.
    """
    inside = minimum(keys, window)
    read = c.skipping * inside + (1.0 - c.skipping) * keys
    tiles = ceil(read / _TILE)
    members = heads / groups
    packs = ceil(members / 16.0)
    streams = batch * groups
    split = maximum(floor(minimum(chip.units / streams, tiles)), 1.0)
    busy = streams * split / chip.units
    moved = streams * read * key_bytes * (1.0 + c.reread * (packs - 1.0)) + other
    memory = moved / (chip.bandwidth * c.streaming) * (1.0 + c.occupancy / busy)
    compute = streams * packs * 16.0 * read * 2.0 * width / (chip.peak * c.ceiling)
    starts = busy * c.stream_s
    serial = ceil(tiles / split) * ceil(busy) * c.tile_s * (width / 256.0)
    longest = smooth_maximum(smooth_maximum(memory, compute, c.sharpness),
                             smooth_maximum(starts, serial, c.sharpness), c.sharpness)  # fmt: skip
    return c.fixed_s + longest + c.merge_s * minimum(split - 1.0, 1.0)
