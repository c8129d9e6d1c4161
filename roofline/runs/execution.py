"""How a run is executed: everything that changes how, never what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from roofline.machine.machine import Machine
from roofline.num import Num, maximum
from roofline.runs.budget import BARE, Budget
from roofline.runs.devices.spread import ALONE, Spread
from roofline.runs.options import SPREAD
from roofline.specs.gpu import GPUSpec
from roofline.workload.precision import Precision
from roofline.workload.workload import Workload


class Execution(NamedTuple):
    """How a run is executed.

    precision   number formats of weights, activations and cache
    level       how the work is cut into kernels, and `asked_level` the word for it that was given
    engine      whose measured efficiencies to expect
    spread      over which devices, by which links, with what elsewhere, and what the runtime keeps
    half_sums   products run at the rate of 16-bit sums, beyond the peak of those in fp32
    chunk       tokens of prompts that go through the layers at once; 0: all of them
    budget      what the engine makes of a device's memory
    towers      encoders of pictures and sound are loaded beside a language model
    idle        what was asked and has no effect, in words
    """

    precision: Precision
    level: str
    engine: str
    spread: Spread
    asked_level: str
    half_sums: bool = False
    chunk: float = 0.0
    budget: Budget = BARE
    towers: bool = True
    idle: tuple[str, ...] = ()

    def machine(self, gpu: GPUSpec) -> Machine:
        """The machine as peaks, at the rate at which products are summed."""
        return machine_of(gpu, self.half_sums)

    def seen(self, machine: Machine) -> Num:
        """Bytes of a machine's memory that programs can have: all but what its driver keeps."""
        return machine.capacity if self.budget.all_seen else maximum(0.0, machine.capacity - machine.unseen)


class Stage(NamedTuple):
    """One kind of pipeline stage: how many there are, and what one device of it runs per microbatch.

    `ideal` is the same at one kernel per operation; where there is no pipeline, there is one stage. `aside` is what the
    device holds, and at times runs, beside that: no time counts it. `beside` are bytes of weights that it only holds.
    """

    number: int
    workload: Workload
    ideal: Workload
    aside: Workload | None = None
    beside: Num = 0.0


class Stages(NamedTuple):
    """The stages of a run, and the number of microbatches that go through them."""

    each: tuple[Stage, ...]
    microbatches: Num = 1.0

    @property
    def turns(self) -> Num:
        """How many times a stage's time counts on the way of all microbatches through all stages."""
        return sum(stage.number for stage in self.each) + self.microbatches - 1.0


_MACHINES: dict[tuple[int, bool], tuple[GPUSpec, Machine]] = {}
_MOST_MACHINES: Final = 4096


def machine_of(gpu: GPUSpec, half_sums: bool = False) -> Machine:
    """The machine of one spec, made once per spec object; `half_sums`: of products that are summed in 16 bit."""
    known = _MACHINES.get((id(gpu), half_sums))
    if known is None or known[0] is not gpu:
        if len(_MACHINES) >= _MOST_MACHINES:
            del _MACHINES[next(iter(_MACHINES))]
        known = _MACHINES[id(gpu), half_sums] = (gpu, Machine.of(gpu, half_sums=half_sums))
    return known[1]


def spread_of(gpu: GPUSpec, given: Mapping[str, Any], spec_dir: str | None) -> Spread:
    """The spread that the options given ask for. Raises UsageError, UnknownNameError or SpecError."""
    if given.keys().isdisjoint(SPREAD):
        return ALONE
    from roofline.runs.devices.resolve import resolve_spread

    return resolve_spread(gpu, given, spec_dir)
