"""What is asked, what comes out, and what differs by kind of run.

A kind of run is one value in one place: `Kind` says which specs it takes, how its options become a run, which phases
and stages that has, which quantities people ask for, what is held in memory, and what is told beside the numbers.
Nothing else asks what kind of run it is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, ClassVar, Final, NamedTuple, TypeAlias

from roofline.answer.derivation import Derivation
from roofline.answer.memory import Memory
from roofline.answer.phase import Parameters, PhaseEstimate, Warn
from roofline.answer.quantity import Quantity
from roofline.answer.sold import Sold
from roofline.machine.faster import AS_IT_IS, Faster
from roofline.machine.machine import Machine
from roofline.num import Num
from roofline.runs.changes import Change, narrower_weights
from roofline.runs.devices.spread import Spread
from roofline.runs.execution import Execution, Stages
from roofline.runs.expectation import Expectation, expect, expect_all
from roofline.runs.load import Origin
from roofline.runs.money.terms import UNASKED, Terms
from roofline.runs.option import Option
from roofline.runs.telling.spoken import Spoken, Told
from roofline.specs.gpu import GPUSpec
from roofline.workload.precision import Precision
from roofline.workload.workload import Phase, Workload

#: The memory that a run needs on the fullest device, in bytes.
Needs: TypeAlias = Callable[[Any], Num]


class Asked(NamedTuple):
    """What was asked, as it was given: the model, the accelerator, and the options by name."""

    model: Any
    gpu: Any
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Question:
    """What is asked, with names resolved to specs and options to values: what × how × on what.

    `run` holds the sizes, as the kind's own type; each may be a float or an array of `axes` axes. Where accelerators
    are `stacked`, they are an axis before those, and `gpu` is the first of them. `asked` is the same as it was given,
    to be asked again with something changed; `faster`, by how much the figures of the hardware are taken as better;
    `money`, the prices that were asked for; `for_users`: users were asked for, of whom
    the accelerator's memory says how many run at once.
    """

    kind: Kind
    spec: Any
    model_origin: Origin
    gpu: GPUSpec
    gpu_origin: Origin
    run: Any
    execution: Execution
    stacked: tuple[GPUSpec, ...] = ()
    axes: int = 0
    money: Terms = UNASKED
    for_users: bool = False
    asked: Asked | None = field(default=None, compare=False, repr=False)
    faster: Faster = AS_IT_IS

    @property
    def precision(self) -> Precision:
        """The number formats as asked."""
        return self.execution.precision

    @property
    def engine(self) -> str:
        """Whose measured efficiencies to expect."""
        return self.execution.engine

    @property
    def spread(self) -> Spread:
        """Over which devices it runs."""
        spread = self.execution.spread
        if not self.faster.changes:
            return spread
        return replace(spread, fabric=self.faster.fabric(spread.fabric), cores=self.faster.cores(spread.cores))

    def machine(self) -> Machine:
        """The machine as peaks."""
        if not self.stacked:
            return self.faster.machine(self.execution.machine(self.gpu))
        return Machine.stacked([self.execution.machine(gpu) for gpu in self.stacked], self.axes)

    def expectation(self, machine: Machine, batch: Num) -> Expectation | None:
        """What the engine makes of the machine; None for the ideal one, whose expected time is the bound."""
        if not self.stacked:
            found = expect(self.gpu, self.engine, machine, batch)
            return found and found._replace(chip=self.faster.chip(found.chip)).beside(self.spread)
        return expect_all(self.stacked, self.engine, machine, batch, self.axes)

    def precision_of(self, phase: Phase) -> Precision:
        """The number formats of one phase."""
        return self.kind.precision_of(self, phase)

    def workload(self, run: Any = None) -> Workload:
        """The whole model's phases at one kernel per operation, on one device; of another run where one is given."""
        if run is None or run is self.run:
            return kept_workload(self.kind, self.spec, self.run)
        return self.kind.workload(self.spec, run)

    def stages(self, run: Any = None) -> Stages:
        """What the devices of each kind of stage run."""
        return self.kind.stages(self, self.run if run is None else run)

    def __hash__(self) -> int:
        return hash((self.spec.name, self.gpu.name, self.run, self.precision.label, self.execution.level, self.engine))


_KEPT: dict[tuple[int, Any], tuple[Any, Workload]] = {}
_MOST_KEPT: Final = 64


def kept_workload(kind: Kind, spec: Any, run: Any) -> Workload:
    """The workload of a spec and a run, made once for all accelerators and formats."""
    try:
        known = _KEPT.get((id(spec), run))
    except TypeError:  # arrays have no hash
        return _last_grid(kind, spec, run)
    if known is None or known[0] is not spec:
        if len(_KEPT) >= _MOST_KEPT:
            del _KEPT[next(iter(_KEPT))]
        known = _KEPT[id(spec), run] = (spec, kind.workload(spec, run))
    return known[1]


_LAST: list[tuple[Any, Any, Workload]] = []


def _last_grid(kind: Kind, spec: Any, run: Any) -> Workload:
    """The workload of a run over a grid; that of the last one is kept, by the run itself."""
    if not (_LAST and _LAST[0][0] is spec and _LAST[0][1] is run):
        _LAST[:] = [(spec, run, kind.workload(spec, run))]
    return _LAST[0][2]


@dataclass(frozen=True)
class Outcome:
    """What comes out: `workload` is that of the device that takes longest, `phases`, `memory` those of one device."""

    question: Question
    workload: Workload
    parameters: Parameters
    memory: Memory
    phases: tuple[PhaseEstimate, ...]
    quantities: tuple[Quantity, ...]
    microbatches: Num

    def quantity(self, name: str) -> Quantity | None:
        """The headline figure of that name; None where this run has none."""
        return next((quantity for quantity in self.quantities if quantity.name == name), None)


class Kind(ABC):
    """A kind of run. Each of its modules stands in a folder of `roofline.runs`; the list of all is in `registry`.

    name        as options name it in `kinds`
    noun        what its models are, in a refusal
    levels      how finely work can be cut into kernels, for a comparison: names, each with what it is
    level_phase the phase that is compared, if the run has it
    sizes       the inputs that are numbers, as measured runs have them
    columns     what a sweep of such runs gives
    costs       the time by which ways to need less memory are told, the quickest first; empty: by what they save
    curves      the quantities that stand for latency and for throughput where one of them is drawn
    served      whether the batch are requests that are served together as they come
    focus       by phase, how a verdict speaks of it; of others it speaks of the whole run
    """

    name: ClassVar[str]
    noun: ClassVar[str]
    levels: ClassVar[Mapping[str, str]]
    level_phase: ClassVar[str] = ""
    sizes: ClassVar[tuple[str, ...]]
    columns: ClassVar[tuple[str, ...]]
    costs: ClassVar[str] = ""
    curves: ClassVar[Mapping[str, str]]
    served: ClassVar[bool] = False
    focus: ClassVar[Mapping[str, Spoken]] = MappingProxyType({})

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(self.name)

    @abstractmethod
    def takes(self, spec: Any) -> bool:
        """Whether a spec is run in this way."""

    @abstractmethod
    def refusal(self, option: Option, spec: Any) -> str:
        """Why an option of another kind is not taken."""

    @abstractmethod
    def resolve(self, spec: Any, gpu: GPUSpec, given: Mapping[str, Any], spec_dir: str | None) -> tuple[Any, Execution]:
        """The run and its execution from the options that were given, checked. Raises UsageError."""

    def settled(self, question: Question, given: Mapping[str, Any]) -> Question:
        """The question with the sizes that follow from all of it. Raises UsageError."""
        return question

    @abstractmethod
    def workload(self, spec: Any, run: Any) -> Workload:
        """The phases of the whole model, one kernel per operation."""

    @abstractmethod
    def stages(self, question: Question, run: Any) -> Stages:
        """What the devices of each kind of stage run, at the level of execution."""

    def apart(self, question: Question) -> tuple[str, ...]:
        """The sizes on which it depends which kernels there are: points of a grid that differ in them are worked out
        one by one.
        """
        return ()

    def precision_of(self, question: Question, phase: Phase) -> Precision:
        """The number formats of one phase."""
        return question.execution.precision

    @abstractmethod
    def parameters(self, question: Question, whole: Workload) -> Parameters:
        """Parameter counts of the model, and of what is held beside it."""

    def sources(self, question: Question) -> tuple[str, ...]:
        """Where the shapes come from: those of the model, and of what is held beside it."""
        return tuple(question.spec.sources)

    @abstractmethod
    def held(self, question: Question, stages: Stages) -> Num:
        """Bytes on the fullest device."""

    @abstractmethod
    def memory(self, question: Question, stages: Stages, parameters: Parameters, needs: Needs) -> Memory:
        """What is held on the fullest device, and the limits that can be asked; `needs` tells bytes of other runs."""

    def changes(self, question: Question) -> Iterator[Change]:
        """Ways to need less memory with the same weights, least harm first; some may be of no use to the model."""
        return iter(())

    def formats(self, question: Question) -> Iterator[Change]:
        """Narrower formats of the weights, wide to narrow."""
        return narrower_weights(question.precision, question.engine, question.machine())

    def plans(self, question: Question, gpus: int, node: int) -> Iterator[Mapping[str, Any]]:
        """The options that lay a run over so many devices, `node` of which share fast links; the quickest first."""
        return iter(())

    @abstractmethod
    def quantities(self, question: Question, phases: tuple[PhaseEstimate, ...], memory: Memory) -> Iterator[Quantity]:
        """The headline figures, in the order of tables."""

    def sold(self, question: Question, phases: tuple[PhaseEstimate, ...]) -> Iterator[Sold]:
        """What a run makes that is paid for, the usual measure first."""
        return iter(())

    def pace(self, outcome: Outcome) -> Quantity | None:
        """How fast it is to one who waits for it: tokens per second while it writes, seconds per picture."""
        return None

    @abstractmethod
    def inputs(self, outcome: Outcome) -> dict[str, Any]:
        """The options of this kind as resolved, under their names in JSON."""

    @abstractmethod
    def assumptions(self, outcome: Outcome) -> list[str]:
        """Everything that was assumed rather than asked."""

    @abstractmethod
    def warnings(self, outcome: Outcome) -> list[Warn]:
        """What the user should know before trusting the numbers."""

    @abstractmethod
    def derivations(self, outcome: Outcome) -> Iterator[Derivation]:
        """Where the bound's numbers come from, in the order in which one follows from the other."""

    @abstractmethod
    def told(self, question: Question) -> Told:
        """How the question is said."""

    def requests(self, question: Question, number: int) -> str:
        """So many of what a batch counts: `41 requests of 8k tokens`."""
        return f"a batch of {number:,}"

    @abstractmethod
    def speech(self, outcome: Outcome) -> str:
        """The times of a sentence."""
