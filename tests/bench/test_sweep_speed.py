"""Points a second of `rl.sweep`, columns and all: `python -m pytest -m bench tests/bench -s -n 0`. Nothing is asserted.

The yardstick is the arithmetic of bound or expectation alone, by hand in plain numpy, for the same points.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest

import roofline as rl
from roofline.machine.chips.efficiency import ChipEfficiency
from roofline.machine.engine import load_engine
from roofline.machine.machine import Machine

from . import by_hand

pytestmark = pytest.mark.bench

GPUS = ["a100", "h100", "h200", "l40s", "b200", "mi300x", "rtx-4090", "l4"]
BATCH, PROMPT, GENERATE = range(1, 257), range(16, 16_001, 16), 128


def seconds(call: Callable[[], object], tries: int = 3) -> float:
    """The least time of a few calls."""
    times = []
    for _ in range(tries):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def by_hand_seconds(engine: str) -> float:
    """The arithmetic alone, in blocks that stay in a cache, accelerator after accelerator."""
    prompt = np.asarray(PROMPT, dtype=np.float64)
    specs = [rl.load_gpu(gpu) for gpu in GPUS]
    engines = [ChipEfficiency.of(spec, engine=load_engine("generic")) for spec in specs]
    chips = [by_hand.Chip.of(Machine.of(spec), chip) for spec, chip in zip(specs, engines, strict=True)]
    work = by_hand.bound if engine == "ideal" else by_hand.expected

    def every() -> None:
        for start in range(BATCH.start, BATCH.stop, 16):
            batch = np.arange(start, start + 16.0).reshape(-1, 1)
            for chip in chips:
                work(batch, prompt, float(GENERATE), chip)

    return seconds(every)


@pytest.mark.parametrize(("engine", "wanted"), [("ideal", 5.0), ("generic", 1.0)])
def test_a_sweep(engine: str, wanted: float, capsys: pytest.CaptureFixture[str]) -> None:
    points = len(GPUS) * len(BATCH) * len(PROMPT)
    spent = seconds(lambda: rl.sweep("mistral-7b", gpu=GPUS, batch=BATCH, prompt=PROMPT, engine=engine))
    hand = by_hand_seconds(engine)
    with capsys.disabled():
        print(
            f"\nsweep of {points:,} points, engine {engine}: {points / spent / 1e6:.2f} million points/s "
            f"(at least {wanted:g}); by hand {points / hand / 1e6:.2f}, ratio {spent / hand:.2f} (at most 3)"
        )


def test_a_stream(capsys: pytest.CaptureFixture[str]) -> None:
    for batches in (16, 64):
        tracemalloc.start()
        blocks = rl.sweep_blocks("mistral-7b", gpu=GPUS, batch=range(1, batches + 1), prompt=PROMPT, engine="ideal")
        points = sum(len(block) for block in blocks)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        with capsys.disabled():
            print(f"\nstream of {points:,} points: {peak / 1e6:.0f} MB at the peak")
