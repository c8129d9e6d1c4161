"""Attention: tiles of queries for a prefill, a split cache for a decode."""

from __future__ import annotations

from typing import Final, NamedTuple

from roofline.machine.kernels.common import ChipFacts, droop, smooth_maximum
from roofline.num import Num, any_holds, ceil, maximum, minimum, where

#: Queries, and keys, of one tile.
_TILE: Final = 128.0
#: Keys of a window where there is none: finite, so that tiles can be counted.
NO_WINDOW: Final = 1e15


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
    reread       share of the cache that is read again for each further 16 query heads of a group
    shared       most query heads that read a cache together; a larger group reads it once per head
    splits       most parts that a cache is split into
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
    shared: Num
    splits: Num = 1e9


class PrefillWork(NamedTuple):
    """Fused attention: `heads` (batch times query heads) over `new` queries each, after `past` keys.

    `window` may be NO_WINDOW; `causal` is 1 or 0; `width` is key plus value elements of a head, so that a score costs
    2 width FLOPs; `moved` bytes in all.
    """

    heads: Num
    new: Num
    past: Num
    window: Num
    causal: Num
    width: Num
    moved: Num


class DecodeWork(NamedTuple):
    """One query per sequence against `keys` cached ones.

    `heads` query heads in `groups` that share keys and values; `width` is key plus value elements of a head, as
    multiplied; `key_bytes` what one key and value of one group take in memory; `other` bytes of queries and results.
    """

    batch: Num
    heads: Num
    groups: Num
    keys: Num
    window: Num
    width: Num
    key_bytes: Num
    other: Num


def prefill_tiles(new: Num, past: Num, window: Num, causal: Num) -> tuple[Num, Num, Num]:
    """Rows of tiles, tiles of all rows, and tiles of the longest row, of one head; `window` may be NO_WINDOW.

    One tile at least; beyond, parts of tiles count as such: a kernel that has little to do takes smaller ones.
    """
    rows = maximum(new / _TILE, 1.0)
    width = maximum((past + new) / _TILE, 1.0)
    first = past / _TILE
    longest = minimum(width, 1.0 + ceil(window / _TILE))
    growing = minimum(maximum(longest - first, 0.0), rows)
    triangle = growing * first + growing * (growing + 1.0) / 2.0 + (rows - growing) * longest
    return rows, causal * triangle + (1.0 - causal) * rows * longest, longest


def prefill_time(work: PrefillWork, chip: ChipFacts, c: PrefillCoefficients) -> Num:
    """Seconds of fused attention over new queries."""
    rows, tiles, longest = prefill_tiles(work.new, work.past, work.window, work.causal)
    _, full, full_longest = prefill_tiles(work.new, work.past, NO_WINDOW, work.causal)
    tiles = c.skipping * tiles + (1.0 - c.skipping) * full
    longest = c.skipping * longest + (1.0 - c.skipping) * full_longest
    each = _TILE * _TILE * (2.0 * work.width + c.softmax) / (chip.peak * c.ceiling)
    compute = work.heads * tiles * each + c.tail * longest * each * chip.units
    compute = droop(compute, c.droop) + maximum(work.heads * rows / chip.units, 1.0) * c.tile_s
    memory = work.moved / (chip.bandwidth * c.streaming) + c.latency_s
    return c.fixed_s + smooth_maximum(compute, memory, c.sharpness)


def decode_time(work: DecodeWork, chip: ChipFacts, c: DecodeCoefficients) -> Num:
    """Seconds of one step of attention; the cache of a sequence is split over units until all are busy, or left whole
    where that is quicker than to merge the parts.
    """
    inside = minimum(work.keys, work.window)
    read = c.skipping * inside + (1.0 - c.skipping) * work.keys
    tiles = maximum(read / _TILE, 1.0)
    groups = where(work.heads / work.groups > c.shared, work.heads, work.groups)
    packs = ceil(work.heads / (16.0 * groups))
    streams = work.batch * groups
    moved = streams * read * work.key_bytes * (1.0 + c.reread * (packs - 1.0)) + work.other
    memory = moved / (chip.bandwidth * c.streaming)
    compute = streams * packs * 16.0 * read * 2.0 * work.width / (chip.peak * c.ceiling)

    def longest(split: Num) -> Num:
        busy, p = streams * split / chip.units, c.sharpness
        late, starts = memory * (1.0 + c.occupancy / busy), busy * c.stream_s
        serial = tiles / split * maximum(busy, 1.0) * c.tile_s * (work.width / 256.0)
        time: Num = (late**p + compute**p + starts**p + serial**p) ** (1.0 / p)
        return time

    split = maximum(minimum(minimum(chip.units / streams, tiles), c.splits), 1.0)
    if not any_holds(split > 1.0):
        return c.fixed_s + longest(1.0)
    return c.fixed_s + minimum(longest(1.0), longest(split) + c.merge_s)
