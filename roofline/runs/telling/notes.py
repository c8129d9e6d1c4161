"""What is said beside the numbers of every kind of run: names taken for others, formats without units, what fits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from roofline.answer.memory import Memory
from roofline.answer.phase import Warn
from roofline.machine.engine import IDEAL
from roofline.runs.kind import Outcome, Question
from roofline.runs.memory_size import memory_notes
from roofline.runs.telling.unverified import unverified_hardware


def alias_notes(q: Question) -> list[str]:
    """Which model and GPU the names of a question were taken for, where they were asked for by another, and in which
    size of memory.
    """
    notes = []
    if q.model_origin.alias and q.model_origin.alias.lower() != q.spec.name:
        notes.append(f"model {q.model_origin.alias} is {q.spec.name} ({q.spec.title})")
    if q.gpu_origin.alias:
        notes.append(f"GPU {q.gpu_origin.alias} is {q.gpu.name} ({q.gpu.title})")
    return notes + memory_notes(q.gpu, q.gpu_origin.sold)


def memory_warnings(q: Question, memory: Memory, remedy: str = "") -> Iterator[Warn]:
    """That a run does not fit, and what would."""
    if not memory.fits_device:
        needs, has = float(memory.total_bytes) / 1e9, float(memory.capacity_bytes) / 1e9
        usable = float(memory.usable_bytes) / 1e9
        room = f"{has:,.1f} GB" if usable == has else f"{usable:,.1f} GB for it, of {has:,.1f} GB"
        yield Warn("does-not-fit", f"{q.spec.name} needs {needs:,.1f} GB, {q.gpu.name} has {room}{remedy}")


def hardware_warnings(outcome: Outcome, dtypes: Iterable[str]) -> list[Warn]:
    """Unverified values of the chip that the answer rests on, computing in these formats."""
    q = outcome.question
    if not q.gpu.unverified:
        return []
    links = not q.spread.plan.single or q.spread.away is not None
    return unverified_hardware(q.gpu, q.machine(), dtypes, links, q.engine != IDEAL)
