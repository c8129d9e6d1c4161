"""Speed of the roofline and of the expectation, as figures and ratios: `python -m pytest -m bench tests/bench -s -n 0`.

Nothing is asserted. Points per second are those of prefill and decode together, of Mistral 7B in bf16 on an A100 with
the generic engine; the yardstick is the same arithmetic by hand in plain numpy (`by_hand.py`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest

import roofline as rl
from roofline.architectures.build import build_workload
from roofline.machine.chips.efficiency import ChipEfficiency
from roofline.machine.engine import load_engine
from roofline.machine.expected import expected_phase_time
from roofline.machine.machine import Machine
from roofline.machine.time import phase_cost
from roofline.num import keep_freed_memory
from roofline.workload.precision import Precision
from roofline.workload.run import TextRun
from roofline.workload.workload import Phase

from . import by_hand

pytestmark = pytest.mark.bench

GENERATE = 128.0
STACK = ("a100", "h100", "h200", "l40s", "b200", "mi300x", "rtx-4090", "l4")
WAYS = ("by hand", "one GPU", "one more GPU for the same sizes", f"{len(STACK)} GPUs stacked")
BF16 = Precision.of("bf16")
#: Values of batch and of prompt in one block; a block of stacked GPUs has as many points, and fewer batches.
BLOCKS = ((8, 1000), (16, 1000), (32, 1000), (64, 1000))


class Place(NamedTuple):
    """One GPU, or several stacked, with the generic engine."""

    machine: Machine
    chip: ChipEfficiency

    @classmethod
    def of(cls, gpu: str) -> Place:
        spec = rl.load_gpu(gpu)
        return cls(Machine.of(spec), ChipEfficiency.of(spec, engine=load_engine("generic")))

    @classmethod
    def stacked(cls, *gpus: str) -> Place:
        places = [cls.of(gpu) for gpu in gpus]
        machine = Machine.stacked([place.machine for place in places], 2)
        return cls(machine, ChipEfficiency.stacked([place.chip for place in places], 2))

    def bound(self, phases: list[Phase]) -> Any:
        return [phase_cost(phase, BF16, self.machine) for phase in phases]

    def expected(self, phases: list[Phase], batch: Any) -> Any:
        return [expected_phase_time(phase, BF16, self.machine, self.chip, batch) for phase in phases]


def seconds(*functions: Callable[[], Any], tries: int = 30) -> list[float]:
    """The least seconds of each function, taken in turns, so that a busy moment of the machine strikes all of them."""
    best = [float("inf")] * len(functions)
    for _ in range(tries):
        for place, function in enumerate(functions):
            start = time.perf_counter()
            function()
            best[place] = min(best[place], time.perf_counter() - start)
    return best


def workload(batches: int, prompts: int) -> tuple[list[Phase], Any, Any]:
    """The phases of every batch with every prompt, and both."""
    batch, prompt = np.arange(1.0, batches + 1).reshape(-1, 1), np.linspace(32.0, 32000.0, prompts).round()
    run = TextRun(batch, prompt, GENERATE)
    return list(build_workload(rl.load_model("mistral-7b"), run).phases), batch, prompt


def fresh(phases: list[Phase]) -> list[Phase]:
    """The phases without what was worked out before."""
    return [replace(phase) for phase in phases]


def report(capsys: pytest.CaptureFixture[str], title: str, points: int, times: list[float]) -> None:
    """Millions of points per second of each way, and how many times as long as by hand it takes."""
    with capsys.disabled():
        print(f"\n{title}, blocks of {points:,} points:")
        for name, spent in zip(WAYS, times, strict=True):
            ratio = spent / times[0]
            print(f"    {name:34}{points / spent / 1e6:6.2f} million points/s, {ratio:.2f} times as long as by hand")


@pytest.mark.parametrize("block", BLOCKS)
def test_grids(block: tuple[int, int], capsys: pytest.CaptureFixture[str]) -> None:
    keep_freed_memory()
    batches, prompts = block
    phases, batch, prompt = workload(batches, prompts)
    fewer, some, _ = workload(batches // len(STACK), prompts)
    one, stack = Place.of("a100"), Place.stacked(*STACK)
    chip = by_hand.Chip.of(one.machine, one.chip)
    bounds = seconds(
        lambda: by_hand.bound(batch, prompt, GENERATE, chip),
        lambda: one.bound(fresh(phases)),
        lambda: one.bound(phases),
        lambda: stack.bound(fresh(fewer)),
    )
    report(capsys, "bound", batches * prompts, bounds)
    expectations = seconds(
        lambda: by_hand.expected(batch, prompt, GENERATE, chip),
        lambda: one.expected(fresh(phases), batch),
        lambda: one.expected(phases, batch),
        lambda: stack.expected(fresh(fewer), some),
    )
    report(capsys, "expectation", batches * prompts, expectations)
    theirs, ours = by_hand.expected(batch, prompt, GENERATE, chip), one.expected(phases, batch)
    apart = max(float(np.max(np.abs(a / b - 1.0))) for a, b in zip(theirs, ours, strict=True))
    with capsys.disabled():
        print(f"    by hand and by the general code the expectation is the same to {apart:.0e}")


@pytest.mark.parametrize(("model", "options"), [("mistral-7b", {"batch": 8}), ("sdxl", {})])
def test_single_points(model: str, options: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    est = rl.estimate(model, gpu="a100", **options)
    engine = load_engine(est.question.engine)
    spec, phases = rl.load_gpu("a100"), list(est.workload.phases)
    place = Place(Machine.of(spec), ChipEfficiency.of(spec, engine=engine))
    batch = est.question.run.batch
    times = seconds(
        lambda: place.bound(fresh(phases)),
        lambda: place.bound(phases),
        lambda: place.expected(fresh(phases), batch),
        lambda: place.expected(phases, batch),
        tries=300,
    )
    first, again, expected_first, expected_again = (f"{1e6 * spent:.0f} us" for spent in times)
    with capsys.disabled():
        print(f"\n{model} on one GPU: bound {first}, of phases asked before {again}")
        print(f"    expectation {expected_first}, of phases asked before {expected_again}")
