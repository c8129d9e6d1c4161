"""What each op should take, and each phase: its kernels one after the other, beside the host that launches them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from roofline.machine.chips.efficiency import ChipEfficiency
from roofline.machine.cores import cores_s
from roofline.machine.cut import cut_of
from roofline.machine.demand import Demand, Demands, demand, demands
from roofline.machine.engine import WHOLE, Cuts
from roofline.machine.kernels.common import ChipFacts, smooth_maximum
from roofline.machine.machine import Machine
from roofline.machine.served import kernel_time
from roofline.machine.time import compute_time
from roofline.num import Num, maximum
from roofline.workload.op import Op
from roofline.workload.precision import Precision
from roofline.workload.workload import Phase

#: What tells the seconds of one op of a kind.
KindTime: TypeAlias = Callable[[Demand, ChipFacts, Machine, ChipEfficiency], Num]
#: Sharpness with which host and device overlap: where both take as long, a step takes a fifth longer than either.
_OVERLAP: Final = 4.0


def kind_time(asked: Demand, facts: ChipFacts, machine: Machine, chip: ChipEfficiency) -> Num:
    """Seconds that one op of a kind should take where `facts` multiply it."""
    compute = compute_time(asked.op.flops, asked.op.vector_flops, facts.dtype, machine)
    if chip.cores:
        return cores_s(compute, asked.bytes, machine.bandwidth)
    return maximum(kernel_time(asked, facts, chip), maximum(compute, asked.bytes / machine.bandwidth))


def expected_op_time(op: Op, precision: Precision, machine: Machine, chip: ChipEfficiency) -> Num:
    """Seconds that one execution of an op should take: its kernel model, and never less than its roofline bound."""
    asked = demand(op, precision)
    return kind_time(asked, multiplied_by(asked.dtype, machine, chip), machine, chip)


def expected_phase_time(
    phase: Phase,
    precision: Precision,
    machine: Machine,
    chip: ChipEfficiency,
    batch: Num,
    time_of: KindTime = kind_time,
) -> Num:
    """Seconds that one repeat of a phase should take: its ops, or the slower host, and the engine's step.

    `time_of` is asked for the seconds of each kind of op: a fit keeps what it has asked before.
    """
    asked, times = kernel_times(phase, precision, machine, chip, time_of)
    device = beside_host(one_by_one(asked, times), asked, chip)
    return device + chip.host * (chip.engine.step_s + chip.engine.sequence_s * batch)


def kernel_times(
    phase: Phase, precision: Precision, machine: Machine, chip: ChipEfficiency, time_of: KindTime = kind_time
) -> tuple[Demands, list[Num]]:
    """What the ops of a phase ask for, as the engine joins them, and the expected seconds of each kind of them."""
    engine = chip.engine
    asked = demands(phase, precision, engine.joins, engine.unpacks)
    facts = {dtype: multiplied_by(dtype, machine, chip) for dtype in asked.dtypes}
    return asked, [time_of(kind, facts[kind.dtype], machine, chip) for kind in asked.kinds]


def one_by_one(asked: Demands, times: Sequence[Num]) -> Num:
    """Seconds of all kernels one after the other."""
    device: Num = 0.0
    for count, place in asked.order:
        device = device + count * times[place]
    return device


def beside_host(device: Num, asked: Demands, chip: ChipEfficiency) -> Num:
    """The same seconds where the host may launch more slowly than the device runs."""
    engine = chip.engine
    if not engine.kernel_s:
        return device
    launched = asked.kernels if engine.cuts is WHOLE else _launched(asked, engine.cuts)
    return smooth_maximum(device, launched * (engine.kernel_s * chip.host), _OVERLAP)


def _launched(asked: Demands, cuts: Cuts) -> Num:
    """Launches of a phase whose ops an engine cuts into kernels."""
    kernels: Num = 0.0
    for count, place in asked.order:
        kind = asked.kinds[place]
        kernels = kernels + count * cut_of(kind.op, kind.stored.bits < 16.0, cuts)
    return kernels


def multiplied_by(dtype: str, machine: Machine, chip: ChipEfficiency) -> ChipFacts:
    """What multiplies a format."""
    if dtype == "fp4" and chip.engine.multiplies == "int8":  # builds that were measured had no kernels for such units
        dtype = "int8"
    peak = machine.tensor[dtype]
    if dtype == "fp16":  # ceilings are fractions of the peak of sums in fp32
        peak = peak / machine.half_gain
    vector = machine.vectored.get(dtype, 0.0)
    rows = 1.0 if chip.engine.matvec else chip.rows
    return ChipFacts(peak, machine.bandwidth, chip.units, vector, machine.dot, dtype, rows)
