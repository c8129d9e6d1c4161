"""What crosses links in a phase: how long it takes, how many bytes it is, and its rows in the ledger."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from roofline.analysis.result import OpRow
from roofline.errors import UsageError
from roofline.machine.collectives import Fabric, collective_s, communication_bytes
from roofline.num import Num
from roofline.workload.op import Op
from roofline.workload.precision import Precision
from roofline.workload.workload import Phase

if TYPE_CHECKING:
    from roofline.analysis.question import Question


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
    """A phase without its communication."""
    return replace(phase, ops=tuple(op for op in phase.ops if op.kind != "collective"))


def exchange_row(question: Question, op: Op, count: float) -> OpRow:
    """The ledger row of an exchange: what crosses the link, and how long it takes."""
    spread, precision = question.spread, question.precision
    assert spread is not None
    assert spread.fabric is not None
    return OpRow(
        name=op.name, kind=op.kind, block=op.block, count=count, flops=0.0, vector_flops=0.0,
        bytes=count * precision.bytes(op), weight_bytes=count * precision.weight_bytes(op),
        cache_bytes=count * precision.cache_bytes(op), activation_bytes=count * precision.activation_bytes(op),
        kernels=count * op.kernels, params=0.0, bound_s=count * collective_s(op, precision, spread.fabric),
        bound_by="communication", dtype=precision.activations.name,
        communication_bytes=count * communication_bytes(op, precision),
    )  # fmt: skip
