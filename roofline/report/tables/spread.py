"""What the tables of an estimate say about several GPUs: where it runs, and the time in communication."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roofline.analysis.estimate import Estimate
from roofline.units import format_si, format_time

if TYPE_CHECKING:
    from roofline.analysis.images.question import ImageQuestion
    from roofline.analysis.question import Question
    from roofline.report.tables.grid import Grid


def where(est: Estimate) -> str:
    """Where a run is spread, in a line; nothing for one GPU with all at home."""
    spread = est.question.spread
    if spread is None:
        return ""
    plan, parts = spread.plan, []
    if not plan.single:
        node = f" on {spread.node.name}" if spread.node else ""
        replicas = f"; {batch_words(est.question)}" if plan.dp > 1 else ""
        parts.append(f"{plan.devices} GPUs ({plan.text()}){node}{replicas}; all that follows is per GPU, throughput "
                     "that of all")  # fmt: skip
    if spread.offload is not None:
        parts.append(f"offloaded: {spread.offload.text()}")
    return "; ".join(parts)


def per_replica(question: Question | ImageQuestion) -> str:
    """Behind a batch, where it is that of each of several replicas."""
    return " per replica" if question.spread is not None and question.spread.plan.dp > 1 else ""


def batch_words(question: Question | ImageQuestion) -> str:
    """The batch of each replica and that of all."""
    assert question.spread is not None
    each, replicas = question.run.batch, question.spread.plan.dp
    return f"{replicas:,} replicas, each with a batch of {each:,.0f}: {each * replicas:,.0f} in all"


def readings_title(question: Question) -> str:
    """What latency and throughput are those of."""
    if not per_replica(question):
        return "Latency and throughput of the whole batch"
    assert question.spread is not None
    each, replicas = question.run.batch, question.spread.plan.dp
    return f"Latency of a batch of {each:,.0f}, throughput of {replicas:,} replicas ({each * replicas:,.0f} sequences)"


def communication_table(est: Estimate) -> Grid | None:
    """Per phase: bytes over the link, time in communication, and the bound with it hidden and not; None where none."""
    from roofline.report.tables.grid import grid

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
