"""Rows of the op ledger: what one op of a phase counts over all its executions, and what bounds it."""

from __future__ import annotations

from roofline.answer.phase import OpRow
from roofline.machine.collectives import collective_s, communication_bytes
from roofline.machine.cores import CoreTime, core_time
from roofline.machine.machine import Machine
from roofline.machine.time import op_cost
from roofline.runs.kind import Question
from roofline.workload.op import Op
from roofline.workload.precision import Precision


def row_of(question: Question, op: Op, precision: Precision, machine: Machine, count: float) -> OpRow:
    """The row of an op by what runs it: the device, the links, or the host's cores."""
    cores = question.spread.cores
    if op.kind == "collective":
        return exchange_row(question, op, precision, count)
    if op.runs_on == "host" and cores is not None:
        return host_row(op, precision, core_time(op, precision, cores, machine), count)
    return op_row(op, precision, machine, count)


def op_row(op: Op, precision: Precision, machine: Machine, count: float) -> OpRow:
    """One op of a phase, evaluated over its `count` executions."""
    cost = op_cost(op, precision, machine)
    on_memory = bool(cost.memory_s >= cost.compute_s and cost.memory_s >= cost.vector_s)
    return _row(op, precision, count)._replace(
        bound_s=count * cost.bound_s, bound_by="memory" if on_memory else "compute"
    )


def host_row(op: Op, precision: Precision, time: CoreTime, count: float) -> OpRow:
    """One op that the host's cores run, or whose weights are fetched; named after both."""
    own = "memory" if bool(time.memory_s >= time.compute_s) else "compute"
    return _row(op, precision, count)._replace(
        name=f"cpu.{op.name}",
        bound_s=count * (time.own_s + time.link_s),
        bound_by="communication" if bool(time.link_s > time.own_s) else own,
        communication_bytes=count * time.link_bytes,
    )


def exchange_row(question: Question, op: Op, precision: Precision, count: float) -> OpRow:
    """The ledger row of an exchange: what crosses the link, and how long it takes.

    What it reads and writes in device memory on the way to the link is not counted beside that: `bytes` are those of
    the device's own work, in a row as in a phase.
    """
    fabric = question.spread.fabric
    assert fabric is not None
    return OpRow(
        name=op.name,
        kind=op.kind,
        block=op.block,
        count=count,
        flops=0.0,
        vector_flops=0.0,
        bytes=0.0,
        weight_bytes=0.0,
        cache_bytes=0.0,
        activation_bytes=0.0,
        kernels=count * op.kernels,
        params=0.0,
        bound_s=count * collective_s(op, precision, fabric),
        bound_by="communication",
        dtype=precision.activations.name,
        communication_bytes=count * communication_bytes(op, precision),
    )


def _row(op: Op, precision: Precision, count: float) -> OpRow:
    """What an op counts over its `count` executions, whatever runs it."""
    return OpRow(
        name=op.name,
        kind=op.kind,
        block=op.block,
        count=count,
        flops=count * op.flops,
        vector_flops=count * op.vector_flops,
        bytes=count * precision.bytes(op),
        weight_bytes=count * precision.weight_bytes(op),
        cache_bytes=count * precision.cache_bytes(op),
        activation_bytes=count * precision.activation_bytes(op),
        kernels=count * op.kernels,
        params=count * op.params * op.held,
        bound_s=0.0,
        bound_by="memory",
        dtype=precision.compute_dtype(op),
    )
