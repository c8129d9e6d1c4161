"""What the tables of an estimate say about several GPUs: where it runs, and the time in communication."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roofline.analysis.estimate import Estimate
from roofline.units import format_si, format_time

if TYPE_CHECKING:
    from rich.console import Group


def where(est: Estimate) -> str:
    """Where a run is spread, in a line; nothing for one GPU with all at home."""
    spread = est.question.spread
    if spread is None:
        return ""
    plan, parts = spread.plan, []
    if not plan.single:
        node = f" on {spread.node.name}" if spread.node else ""
        parts.append(f"{plan.devices} GPUs ({plan.text()}){node}; all that follows is per GPU, throughput that of all")
    if spread.offload is not None:
        parts.append(f"offloaded: {spread.offload.text()}")
    return "; ".join(parts)


def communication_table(est: Estimate) -> Group | None:
    """Per phase: bytes over the link, time in communication, and the bound with it hidden and not; None where none."""
    from roofline.report.text import grid

    if est.question.spread is None or not any(float(phase.communication_bytes) for phase in est.phases):
        return None
    rows = []
    for phase in est.phases:
        serial, hidden = phase.serial_s or 0.0, phase.overlapped_s or 0.0
        share = 100 * float(phase.communication_s) / float(serial) if float(serial) else 0.0
        rows.append([
            phase.name, format_si(float(phase.communication_bytes), "B"), format_time(float(phase.communication_s)),
            f"{share:.1f} %", format_time(float(hidden)), format_time(float(serial)),
        ])  # fmt: skip
    columns = [("phase", "left"), ("over links", "right"), ("communication", "right"), ("share", "right"),
               ("bound, hidden", "right"), ("bound, in turn", "right")]  # fmt: skip
    return grid("Communication, per run", columns, rows)
