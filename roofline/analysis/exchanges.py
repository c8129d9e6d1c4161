"""What crosses links in a phase: how long it takes, how many bytes it is, and its rows in the ledger."""

from __future__ import annotations

from dataclasses import replace

from roofline.answer.phase import OpRow
from roofline.errors import UsageError
from roofline.machine.collectives import Fabric, collective_s, communication_bytes
from roofline.num import Num
from roofline.runs.kind import Question
from roofline.workload.op import Op
from roofline.workload.precision import Precision
from roofline.workload.workload import Phase


def exchange_s(phase: Phase, precision: Precision, fabric: Fabric | None) -> tuple[Num, Num]:
    """Seconds that the exchanges of a phase take one after the other, and bytes that cross the device's links."""
    seconds: Num = 0.0
    crossing: Num = 0.0
    for op in phase.ops:
        if op.kind == "collective":
            if fabric is None:
                raise UsageError("no links are described for these devices; name a machine that has some with --node")
            seconds = seconds + op.count * collective_s(op, precision, fabric)
            crossing = crossing + op.count * communication_bytes(op, precision)
    return seconds, crossing


def own_work(phase: Phase) -> Phase:
    """A phase without its communication, and without what the host runs."""
    return replace(phase, ops=_own(phase.ops), whole=_own(phase.whole))


def _own(ops: tuple[Op, ...]) -> tuple[Op, ...]:
    return tuple(op for op in ops if op.kind != "collective" and op.runs_on == "device")


def exchange_row(question: Question, op: Op, count: float) -> OpRow:
    """The ledger row of an exchange: what crosses the link, and how long it takes.

    What it reads and writes in device memory on the way to the link is not counted beside that: `bytes` are those of
    the device's own work, in a row as in a phase.
    """
    precision, fabric = question.precision, question.spread.fabric
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
