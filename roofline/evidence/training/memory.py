"""Measured peaks of memory: what a source counts, and what share frameworks' allocators reserve beyond it.

A source prints what PyTorch's allocator had in use (`max_memory_allocated`), what it had reserved, or what nvidia-smi
showed of the whole process. Each is compared with the parts that it counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Final, Literal, NamedTuple

from roofline.analysis.training.held import memory_of
from roofline.analysis.training.memory import allocated_bytes
from roofline.analysis.training.stages import stages_of
from roofline.evidence.training.prepared import TrainingRun

Counted = Literal["allocated", "reserved", "process"]
#: By the letters that the names of a source's rows begin with. SimuMax lists both; torchtune logs
#: peak_memory_alloc; litgpt prints max_memory_allocated; torchtitan logs max_reserved; the others show a device's GB
#: (unverified).
COUNTED: Final[dict[str, Counted]] = {
    "SMX": "allocated",
    "TTU": "allocated",
    "LGR": "allocated",
    "STN": "allocated",
    "TTN": "reserved",
}
#: Shares that are tried, in hundredths.
_SHARES: Final = range(0, 61)


class Peak(NamedTuple):
    """A measured peak beside what is said of it: bytes in use, bytes of the runtime, and what the source counts."""

    run: TrainingRun
    used: float
    runtime: float
    counted: Counted

    def told(self, reserve: float) -> float:
        """What is said, with a share that the allocator reserves."""
        if self.counted == "allocated":
            return self.used
        return self.used * (1.0 + reserve) + (self.runtime if self.counted == "process" else 0.0)

    def error(self, reserve: float) -> float:
        """By how much it is off, as a share of what was measured; below nothing where too little is said."""
        return self.told(reserve) / self.run.bytes - 1.0


def peak_of(run: TrainingRun) -> Peak:
    """A row about memory beside its answer."""
    memory = memory_of(run.question, stages_of(run.question))
    runtime = sum(float(part.bytes) for part in memory.parts if part.name == "runtime_bytes")
    return Peak(run, float(allocated_bytes(memory.parts)), runtime, COUNTED.get(run.row.family, "process"))


def reserve_of(peaks: Sequence[Peak], usual: float) -> float:
    """The share that a framework reserves: that with the least median error of the rows that count it.

    Where no row counts it, `usual`.
    """
    telling = [peak for peak in peaks if peak.counted != "allocated"]
    if not telling:
        return usual
    return min(_SHARES, key=lambda hundredths: _median(telling, hundredths / 100.0)) / 100.0


def _median(peaks: Iterable[Peak], reserve: float) -> float:
    return median(abs(peak.error(reserve)) for peak in peaks)


def left_out_errors(peaks: Sequence[Peak], usual: float) -> list[tuple[Peak, float]]:
    """Each peak with its error by the share of all rows of other models."""
    found: list[tuple[Peak, float]] = []
    for model in dict.fromkeys(peak.run.model for peak in peaks):
        share = reserve_of([peak for peak in peaks if peak.run.model != model], usual)
        found += [(peak, peak.error(share)) for peak in peaks if peak.run.model == model]
    return found


def fits(run: TrainingRun) -> bool:
    """Whether a run that took place is said to fit its GPUs."""
    question = run.question
    return bool(memory_of(question, stages_of(question)).fits)


def tells_recompute(run: TrainingRun) -> bool:
    """Whether its source says which layers were repeated, on which its activations hang."""
    return run.row.activation_checkpointing not in (None, "", "unknown")
