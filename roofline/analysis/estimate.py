"""The answer to the main question: how fast, how much memory, bound by what."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from roofline.analysis.evaluate import evaluate_aside
from roofline.analysis.service.evaluate import served_columns, service_of
from roofline.answer.phase import OpRow, PhaseEstimate, Warn
from roofline.answer.plain import plain
from roofline.answer.quantity import Headlines, Quantity, headlines
from roofline.answer.service import Service
from roofline.answer.times import READINGS, Times, column
from roofline.errors import UsageError
from roofline.runs.devices.words import placement, spread_sources
from roofline.runs.execution import Stage, Stages
from roofline.runs.kind import Outcome
from roofline.runs.money.block import cost_block, energy_block
from roofline.runs.money.money import money_of
from roofline.runs.money.notes import money_notes, money_sources
from roofline.runs.money.quantities import costs_of
from roofline.runs.telling.machine import machine_figures, slowest_precision
from roofline.runs.telling.products import multiplied_figures
from roofline.workload.workload import Workload

SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, eq=False)
class Answer(Outcome):
    """An outcome with the views that people and programs ask for.

    Sizes may be arrays: times, memory and quantities then are, and so are the rows of `records`. Views of one run (ops,
    JSON, warnings, explanations) raise UsageError then. Two answers are equal where what was asked is, and what came
    out; an answer of a grid equals itself alone.
    """

    @property
    def single(self) -> bool:
        """Whether it is of single sizes, not of a grid."""
        return all(isinstance(value, float) for phase in self.phases for value in (phase.times.bound, phase.repeat))

    def refuse_grid(self, view: str) -> None:
        """Raises UsageError where the answer is of a grid, which has no such view."""
        if not self.single:
            raise UsageError(
                f"{view} of one run, and sizes were given as arrays: roofline.sweep has every point of a grid, and "
                "roofline.estimate takes one of them"
            )

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Answer) or not (self.single and other.single):
            return False
        return all(getattr(self, name) == getattr(other, name) for name in Outcome.__dataclass_fields__)

    @cached_property
    def latency(self) -> Headlines:
        """Seconds: to the first token, per output token of the whole batch, per step, in all."""
        return headlines("latency", self.quantities)

    @cached_property
    def throughput(self) -> Headlines:
        """What is made per second, by the whole batch and all replicas."""
        return headlines("throughput", self.quantities)

    @cached_property
    def service(self) -> Service | None:
        """A steady load of users, each of whom sends the next request when the last is answered; None where the engine
        is no server.
        """
        return service_of(self)

    def phase(self, name: str) -> PhaseEstimate:
        """The phase of that name. Raises UsageError naming those that there are."""
        for phase in self.every_phase:
            if phase.name == name:
                return phase
        raise UsageError(f"no phase {name!r} in this run; there are: {', '.join(p.name for p in self.every_phase)}")

    @property
    def every_phase(self) -> tuple[PhaseEstimate, ...]:
        """The phases of the run, and what runs beside them, which no total counts."""
        return (*self.phases, self._aside[1]) if self._aside else self.phases

    @cached_property
    def _aside(self) -> tuple[Workload, PhaseEstimate] | None:
        return evaluate_aside(self.question)

    def ops(self, phase: str | None = None, split: bool = False) -> list[OpRow]:
        """The op ledger of a phase (default: the model's first; `all`: of every one), totals over one repeat.

        A row is a kernel as the engine launches it: projections that it joins are one (`qkv_proj`), `split` gives them
        one by one. The last rows, of the kind `outside`, are what takes time beside ops, so that `expected_s` sums to
        that of the phase, and `bound_s` to its bound.
        """
        from roofline.analysis.clock import Ran, clocked_rows

        self.refuse_grid("ops are those")
        wanted = self.every_phase if phase == "all" else [self.phase(phase or self.workload.own[0].name)]
        stages, rows = self.question.stages(), list[OpRow]()
        for each in wanted:
            if self._aside is not None and each is self._aside[1]:
                aside = self._aside[0]
                ran = Ran(self.question, aside, each, Stages((Stage(1, aside, aside),)))
            else:
                ran = Ran(self.question, self.workload, each, stages)
            rows += clocked_rows(ran, split=split)
        return rows

    @cached_property
    def warnings(self) -> list[Warn]:
        """What the user should know, with codes."""
        self.refuse_grid("warnings are those")
        found = self.question.kind.warnings(self)
        return [*found, *money_of(self.question).warnings()] if self.question.money.given else found

    @cached_property
    def assumptions(self) -> list[str]:
        """Everything that was assumed rather than asked."""
        found = self.question.kind.assumptions(self)
        return (
            [*found, *money_notes(self.question, (phase.name for phase in self.phases))]
            if self.question.money.given
            else found
        )

    @cached_property
    def sources(self) -> list[str]:
        """Where the shapes and the datasheet values come from, those of a draft, a node and a host among them."""
        q = self.question
        prices = money_sources(q) if q.money.given else ()
        return list(dict.fromkeys([*q.kind.sources(q), *q.gpu.sources, *spread_sources(q.spread), *prices]))

    @cached_property
    def costs(self) -> tuple[Quantity, ...]:
        """What it costs, where a price is known, and the energy that it takes, where watts are: floats or arrays; in
        the time of a steady load, where users were asked for.
        """
        return costs_of(self, self.served_rate)

    @property
    def served_rate(self) -> Times | None:
        """Output tokens per second of the steady load of the users that were asked for; None where none were."""
        service = self.service if self.question.for_users else None
        return None if service is None else service.output_tokens_per_s

    def quantity(self, name: str) -> Quantity | None:
        """The headline figure of that name, or the cost or energy; None where this run has none."""
        among = self.costs if name.startswith(("cost_", "joules_")) else self.quantities
        return next((quantity for quantity in among if quantity.name == name), None)

    @cached_property
    def cost(self) -> dict[str, Any]:
        """The price of the machine, what an hour of it costs, and what each thing that it makes does; None: unknown."""
        self.refuse_grid("costs are told")
        return cost_block(self, self.costs)

    @cached_property
    def energy(self) -> dict[str, Any]:
        """Watts of each phase, and joules of each thing that is made; None: unknown."""
        self.refuse_grid("energies are told")
        return energy_block(self, self.costs)

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """Everything as resolved."""
        q = self.question
        files = {
            "model": q.spec.name,
            "model_file": q.model_origin.path,
            "gpu": q.gpu.name,
            "gpu_file": q.gpu_origin.path,
            "memory": q.gpu.memory.size if q.gpu_origin.sold is not None else None,
        }
        return files | placement(q.spread, q.run.batch) | q.kind.inputs(self) | q.money.inputs()

    @cached_property
    def machine(self) -> dict[str, Any]:
        """The machine's own figures for the format of the phase that takes longest, and in which formats matrices are
        multiplied.
        """
        found = machine_figures(self.question, slowest_precision(self))
        return found | {"multiplied_in": multiplied_figures(self)}

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `roofline estimate --json`."""
        self.refuse_grid("the JSON is that")
        return {
            "schema_version": SCHEMA_VERSION,
            "inputs": self.inputs,
            "parameters": self.parameters.to_dict(),
            "memory": self.memory.to_dict(),
            "phases": [phase.to_dict() for phase in self.phases],
            "latency": self.latency.to_dict(),
            "throughput": self.throughput.to_dict(),
            "service": self.service and self.service.to_dict(),
            "cost": self.cost,
            "energy": self.energy,
            "machine": self.machine,
            "assumptions": self.assumptions,
            "warnings": [warn._asdict() for warn in self.warnings],
            "sources": self.sources,
        }

    def records(self) -> list[dict[str, Any]]:
        """One flat row per phase, for a data frame: the inputs, the phase's counts and times of one repeat, and the
        totals of the whole run, which are the same in each row (`total_s`, `ttft_s`, `total_bytes`, `fits` …).

        A total under its own name is what is expected; `_floor`, `_bound`, `_low` and `_high` are its other readings.
        Where users were asked for, `served_…` are those of their steady load.
        """
        whole = totals(self)
        if self.question.for_users and self.service is not None:
            whole |= {name: plain(value) for name, value in served_columns(self, self.service)}
        return [self.inputs | phase.to_dict() | whole for phase in self.phases]

    def __hash__(self) -> int:
        return hash(self.question) if self.single else id(self)


def totals(est: Answer) -> dict[str, Any]:
    """Latency and throughput in all readings, and memory; the same keys for every kind, None without meaning.

    The limits of memory are left out: each takes some trials.
    """
    found: dict[str, Any] = {}
    for name, times in {**est.latency.to_dict(), **est.throughput.to_dict()}.items():
        for reading in READINGS:
            found[column(name, reading)] = times[reading] if times is not None else None
    if est.question.money.given:
        for cost in est.costs:
            for reading in READINGS:
                value = getattr(cost.times, reading) if cost.times is not None else None
                found[column(cost.name, reading)] = plain(value)
    return found | est.memory.held_dict()
