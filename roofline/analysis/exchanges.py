"""What crosses links in a phase: how long it takes, and how many bytes it is."""

from __future__ import annotations

from dataclasses import replace

from roofline.errors import UsageError
from roofline.machine.collectives import Fabric, collective_s, communication_bytes
from roofline.num import Num
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
