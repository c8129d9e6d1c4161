"""How the articles' questions are put to the calculator: `rl.estimate` and the ledger behind it, nothing else."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import roofline as rl
from roofline.answer.phase import OpRow
from roofline.machine.machine import Machine
from roofline.machine.time import OpCost, op_cost
from roofline.specs.gpu import GPUSpec
from roofline.workload.op import Op
from roofline.workload.precision import Precision

SPECS: Final = str(Path(__file__).parent / "specs")
Value = Any
Question = Callable[[], Value]


class Check(NamedTuple):
    """One row recomputed.

    `ours` gives the value in the row's unit. `sense`: it equals the published one within the row's tolerance, or is a
    limit that a measurement does not cross (`lower`: published >= ours; `upper`: published <= ours). `nominal` is the
    same question at the rounded size that the article computes with, where the model's own count differs by more than
    the tolerance; `note` says why, or how the question is put.
    """

    ours: Question
    sense: str = "equal"
    note: str = ""
    nominal: Question | None = None


def equal(ours: Question, note: str = "") -> Check:
    """The published value, within the row's tolerance."""
    return Check(ours, "equal", note)


def lower(ours: Question, note: str = "") -> Check:
    """A limit below a measured time."""
    return Check(ours, "lower", note)


def upper(ours: Question, note: str = "") -> Check:
    """A limit above a measured rate."""
    return Check(ours, "upper", note)


def differs(ours: Question, nominal: Question, why: str) -> Check:
    """A count that the article rounds by more than its tolerance; the question at its own size agrees."""
    return Check(ours, "equal", why, nominal)


@cache
def gpu(name: str, count: int = 1, bandwidth: float = 1.0) -> GPUSpec:
    """An accelerator; or `count` of them as one, with peaks, memory and bandwidth added and no links between them.

    That is how the articles treat several GPUs where they leave communication out. `bandwidth` is the share of the
    nominal one.
    """
    spec = rl.load_gpu(name, spec_dir=SPECS)
    if count == 1 and bandwidth == 1.0:
        return spec
    tensor = {dtype: value * count for dtype, value in spec.peak.tensor if value is not None}
    memory = {
        "capacity": spec.memory.capacity * count,
        "bandwidth": spec.memory.bandwidth * count * bandwidth,
    }
    peak = spec.peak.model_copy(update={"tensor": spec.peak.tensor.model_copy(update=tensor)})
    return spec.model_copy(
        update={"name": f"{count}x-{name}", "peak": peak, "memory": spec.memory.model_copy(update=memory)}
    )


def bandwidths(fast: str, slow: str) -> float:
    """The bandwidth of one accelerator over that of another."""
    return gpu(fast).memory.bandwidth / gpu(slow).memory.bandwidth


@cache
def run(model: str, on: str | GPUSpec, **options: Any) -> rl.Estimate:
    """An estimate; the articles' own models and machines are found beside the bundled ones."""
    return rl.estimate(model, gpu=gpu(on) if isinstance(on, str) else on, spec_dir=SPECS, **options)


def step(model: str, on: str | GPUSpec, batch: int = 1, context: int = 1, **options: Any) -> rl.Estimate:
    """One decode step of a batch whose sequences hold `context` tokens; a context of 1 leaves the weights alone."""
    return run(model, on, batch=batch, prompt=context, generate=2, **options)


def step_floor(model: str, on: str | GPUSpec, batch: int = 1, context: int = 1, **options: Any) -> float:
    """Milliseconds at the speed of light for one decode step."""
    return float(step(model, on, batch, context, **options).phase("decode").times.floor) * 1e3


def prefill_floor(model: str, on: str | GPUSpec, prompt: int, **options: Any) -> float:
    """Milliseconds at the speed of light for one prefill."""
    return float(run(model, on, prompt=prompt, generate=1, **options).latency.ttft.floor) * 1e3


def spare(est: rl.Estimate) -> float:
    """Bytes of memory beside the weights."""
    return float(est.memory.capacity_bytes - est.memory.weights_bytes)


def pick(est: rl.Estimate, *names: str, phase: str | None = None) -> list[OpRow]:
    """The rows of these ops, in all layers."""
    found = [row for row in est.ops(phase, split=True) if row.name in names]
    assert len(found) >= len(names), f"{names} not all in {[row.name for row in est.ops(phase, split=True)]}"
    return found


def in_blocks(est: rl.Estimate, phase: str | None = None) -> list[OpRow]:
    """The rows of the layers: without embedding, final norm and head."""
    return [row for row in est.ops(phase, split=True) if row.block.startswith("layers")]


def flops(rows: list[OpRow]) -> float:
    """FLOPs of these rows."""
    return float(sum(row.flops for row in rows))


def params(rows: list[OpRow]) -> float:
    """Parameters that these rows hold."""
    return float(sum(row.params for row in rows))


def matrix_flops(est: rl.Estimate, phase: str | None = None) -> float:
    """FLOPs of the layers' matrices: projections and feed-forward, no attention."""
    return flops([row for row in in_blocks(est, phase) if row.kind == "linear"])


def bound_us(rows: list[OpRow]) -> float:
    """Microseconds at the roofline for one layer of these rows."""
    return float(sum(row.bound_s / row.count for row in rows)) * 1e6


def elements(est: rl.Estimate, name: str, *quantities: str) -> float:
    """Elements that one execution of an op of the prefill reads, writes or streams, in the ledger's own fields."""
    op = next(op for op in est.workload["prefill"].ops if op.name == name)
    return float(sum(getattr(op, quantity) for quantity in quantities))


def cost(op: Op, on: str, dtype: str) -> OpCost:
    """What one execution of a single op needs on an accelerator."""
    return op_cost(op, Precision.of(dtype), Machine.of(gpu(on)))
