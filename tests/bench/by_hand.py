"""Mistral 7B in bf16 on one GPU, bound and expectation, as one would write it in plain numpy for this model alone.

A yardstick for the speed of the general code: the same arithmetic, with alike ops taken once, and nothing to look up.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from roofline.machine.chips.efficiency import ChipEfficiency
from roofline.machine.machine import Machine

LAYERS, WIDTH, HIDDEN, KEYS, VOCABULARY, HEADS, GROUPS, DIM = 32.0, 4096.0, 14336.0, 1024.0, 32000.0, 32.0, 8.0, 128.0
WINDOW = 4096.0
TILES = ((128.0, 256.0), (128.0, 128.0), (64.0, 64.0), (1.0, 64.0))


class Chip(NamedTuple):
    """One chip: peaks, bandwidth, units, coefficients by kind, and the host's times of its engine."""

    peak: float
    vector: float
    bandwidth: float
    units: float
    matmul: Any
    stream: Any
    prefill: Any
    decode: Any
    kernel_s: float
    step_s: float
    sequence_s: float

    @classmethod
    def of(cls, machine: Machine, chip: ChipEfficiency) -> Chip:
        """The chip of a machine as an engine drives it."""
        known, engine = chip.coefficients, chip.engine
        host = [chip.host * seconds for seconds in (engine.kernel_s, engine.step_s, engine.sequence_s)]
        kinds = (("matmul", "bf16"), ("stream", "bf16"), ("prefill", "bf16/bf16"), ("decode", "bf16"))
        coefficients = [known(*kind) for kind in kinds]
        rates: Any = (machine.tensor["bf16"], machine.vector, machine.bandwidth, chip.units)
        return cls(*rates, *coefficients, *host)


def attended(batch: Any, new: Any, past: float | Any, steps: float) -> tuple[Any, Any]:
    """Query-key pairs and keys read from the cache, per sequence and step, in a window."""
    queries = new * steps
    growing = np.minimum(np.maximum(WINDOW - past, 0.0), queries)
    pairs = (growing * past + growing * (growing + 1.0) / 2.0 + (queries - growing) * WINDOW) / steps
    rising = np.minimum(np.floor(np.maximum(WINDOW - 1.0 - past, 0.0) / new) + (past <= WINDOW - 1.0), steps)
    keys = rising * past + new * rising * (rising - 1.0) / 2.0 + (steps - rising) * (WINDOW - 1.0)
    return pairs, keys / steps


def traffic(batch: Any, new: Any, pairs: Any, keys: Any) -> tuple[list[Any], list[Any], tuple[Any, Any, Any]]:
    """Of products: executions, m, k, n. Of rows: executions, bytes, FLOPs. Of attention: FLOPs, other FLOPs, bytes."""
    t = batch * new
    products = [
        (2.0 * LAYERS, t, WIDTH, WIDTH),
        (2.0 * LAYERS, t, WIDTH, KEYS),
        (2.0 * LAYERS, t, WIDTH, HIDDEN),
        (LAYERS, t, HIDDEN, WIDTH),
        (1.0, batch, WIDTH, VOCABULARY),
    ]
    wide = t * WIDTH
    table = np.minimum(t, VOCABULARY) * (2.0 * WIDTH)
    rows = [
        (1.0, 2.0 * wide + 8.0 * t + table, 0.0),
        (2.0 * LAYERS + 1.0, 4.0 * wide + 2.0 * WIDTH, 4.0 * wide),
        (LAYERS, t * (4.0 * (WIDTH + KEYS)), t * (3.0 * (WIDTH + KEYS))),
        (2.0 * LAYERS, 6.0 * wide, wide),
        (LAYERS, t * (6.0 * HIDDEN), t * (5.0 * HIDDEN)),
    ]
    scores = (batch * HEADS) * pairs
    fresh = t * (2.0 * (GROUPS * 2.0 * DIM))
    moved = t * (4.0 * HEADS * DIM) + 2.0 * fresh + batch * keys * (2.0 * GROUPS * 2.0 * DIM)
    return products, rows, (scores * (4.0 * DIM), scores * 5.0, moved)


def bound(batch: Any, prompt: Any, generate: float, chip: Chip) -> list[tuple[Any, ...]]:
    """Of prefill and of decode: bound, its part in memory, floor, FLOPs, other FLOPs and bytes."""
    found = []
    for new, past, steps in ((prompt, 0.0, 1.0), (1.0, prompt, generate - 1.0)):
        pairs, keys = attended(batch, new, past, steps)
        products, rows, (scores, softmax, cached) = traffic(batch, new, pairs, keys)
        works = [(c, 2.0 * k * n * m, 0.0, 2.0 * (k * n) + m * (2.0 * (k + n))) for c, m, k, n in products]
        works += [(c, 0.0, vector, moved) for c, moved, vector in rows]
        works += [(LAYERS, scores, softmax, cached)]
        total, in_memory, flops, other, bytes_ = 0.0, 0.0, 0.0, 0.0, 0.0
        for count, matrix, vector, moved in works:
            compute = np.maximum(matrix / chip.peak, vector / chip.vector)
            memory = moved / chip.bandwidth
            longest = count * np.maximum(compute, memory)
            total = total + longest
            in_memory = in_memory + np.where(memory >= compute, longest, 0.0)
            flops = flops + count * matrix
            other = other + count * vector
            bytes_ = bytes_ + count * moved
        weights = 2.0 * (LAYERS * (2.0 * WIDTH + 2.0 * KEYS + 3.0 * HIDDEN + 2.0) + 1.0 + VOCABULARY) * WIDTH
        cache = LAYERS * 2.0 * GROUPS * 2.0 * DIM * batch * (keys + new)
        table = np.minimum(batch * new, VOCABULARY) * (2.0 * WIDTH)
        unavoidable = weights + table + cache + batch * (2.0 * VOCABULARY)
        floor = np.maximum(flops / chip.peak, unavoidable / chip.bandwidth)
        found.append((total, in_memory, floor, flops, other, bytes_))
    return found


def product_time(m: Any, k: float, n: float, chip: Chip) -> Any:
    """Seconds of a matrix product."""
    c, best = chip.matmul, np.inf
    for rows, columns in TILES:
        tiles = np.ceil(m / rows) * np.ceil(n / columns)
        split = np.maximum(np.floor(np.minimum(chip.units / tiles, k / 256.0)), 1.0)
        depth = np.minimum(k / split + c.split_k * np.sqrt(split - 1.0), k) + c.k_offset
        size = rows * columns + c.tile_loss * (rows + columns)
        best = np.minimum(best, np.ceil(tiles * split / chip.units) * size * depth)
    work = best / (1.0 + c.tile_loss * 384.0 / 32768.0)
    flops, moved = 2.0 * k * n * m, 2.0 * (k * n) + m * (2.0 * (k + n))
    compute = work * (2.0 * chip.units / (chip.peak * c.ceiling))
    compute = np.minimum(compute, flops / (0.5 * chip.vector))
    compute = compute * (1.0 + c.droop * compute / (compute + 1e-3))
    memory = moved / (chip.bandwidth * c.streaming) + c.latency_s
    time = c.fixed_s + (compute**c.sharpness + memory**c.sharpness) ** (1.0 / c.sharpness)
    return np.maximum(time, np.maximum(flops / chip.peak, moved / chip.bandwidth))


def rows_time(moved: Any, flops: Any, chip: Chip) -> Any:
    """Seconds of a kernel without tiles."""
    c = chip.stream
    time = c.fixed_s + c.latency_s + moved / (chip.bandwidth * c.streaming)
    return np.maximum(time, np.maximum(flops / chip.vector, moved / chip.bandwidth))


def prefill_time(batch: Any, new: Any, moved: Any, chip: Chip) -> Any:
    """Seconds of the attention of a prefill."""
    c, rows = chip.prefill, np.ceil(new / 128.0)
    longest = np.minimum(rows, 1.0 + np.ceil(WINDOW / 128.0))
    tiles = longest * (longest + 1.0) / 2.0 + (rows - longest) * longest
    tiles = c.skipping * tiles + (1.0 - c.skipping) * (rows * (rows + 1.0) / 2.0)
    longest = c.skipping * longest + (1.0 - c.skipping) * rows
    each = 128.0 * 128.0 * (4.0 * DIM + c.softmax) / (chip.peak * c.ceiling)
    compute = batch * (tiles * (HEADS * each)) + longest * (c.tail * each * chip.units)
    compute = compute * (1.0 + c.droop * compute / (compute + 1e-3))
    compute = compute + np.ceil(batch * rows * (HEADS / chip.units)) * c.tile_s
    memory = moved / (chip.bandwidth * c.streaming) + c.latency_s
    return c.fixed_s + (compute**c.sharpness + memory**c.sharpness) ** (1.0 / c.sharpness)


def decode_time(batch: Any, keys: Any, chip: Chip) -> Any:
    """Seconds of the attention of a decode step."""
    c = chip.decode
    tiles = np.ceil(keys / 128.0)
    groups = HEADS if c.shared < HEADS / GROUPS else GROUPS
    packs, streams = np.ceil(HEADS / (16.0 * groups)), batch * groups
    split = np.maximum(np.floor(np.minimum(np.minimum(chip.units / streams, tiles), c.splits)), 1.0)
    busy = streams * split / chip.units
    cached = streams * keys * (4.0 * DIM * (1.0 + c.reread * (packs - 1.0)))
    moved = cached + batch * (4.0 * HEADS * DIM + 4.0 * GROUPS * DIM)
    memory = moved / (chip.bandwidth * c.streaming) * (1.0 + c.occupancy / busy)
    compute = streams * keys * (packs * 16.0 * 4.0 * DIM / (chip.peak * c.ceiling))
    starts, serial = busy * c.stream_s, np.ceil(tiles / split) * np.ceil(busy) * (c.tile_s * DIM / 128.0)
    p = c.sharpness
    longest = (memory**p + compute**p + starts**p + serial**p) ** (1.0 / p)
    return c.fixed_s + longest + c.merge_s * np.minimum(split - 1.0, 1.0)


def expected(batch: Any, prompt: Any, generate: float, chip: Chip) -> list[Any]:
    """Expected seconds of a prefill and of a decode step."""
    found = []
    for new, past, steps in ((prompt, 0.0, 1.0), (1.0, prompt, generate - 1.0)):
        pairs, keys = attended(batch, new, past, steps)
        _, rows, (scores, softmax, moved) = traffic(batch, new, pairs, keys)
        t = batch * new
        device = LAYERS * product_time(t, WIDTH, WIDTH + 2.0 * KEYS, chip)
        device = device + LAYERS * product_time(t, WIDTH, WIDTH, chip)
        device = device + LAYERS * product_time(t, WIDTH, 2.0 * HIDDEN, chip)
        device = device + LAYERS * product_time(t, HIDDEN, WIDTH, chip)
        device = device + product_time(batch, WIDTH, VOCABULARY, chip)
        for count, bytes_, flops in rows:
            device = device + count * rows_time(bytes_, flops, chip)
        attention = prefill_time(batch, new, moved, chip) if steps == 1.0 else decode_time(batch, keys + 1.0, chip)
        bounds = np.maximum(np.maximum(scores / chip.peak, softmax / chip.vector), moved / chip.bandwidth)
        device = device + LAYERS * np.maximum(attention, bounds)
        launched = (13.0 * LAYERS - 2.0 * LAYERS + 3.0) * chip.kernel_s
        device = (device**4.0 + launched**4.0) ** 0.25
        found.append(device + chip.step_s + chip.sequence_s * batch)
    return found
