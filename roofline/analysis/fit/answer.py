"""The answer to whether it fits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeVar

from roofline.analysis.estimate import SCHEMA_VERSION, Answer
from roofline.analysis.evaluate import evaluate
from roofline.analysis.fit.fewest import fewer, fewest
from roofline.analysis.fit.machines import Machine, machine_of, machines
from roofline.analysis.fit.remedies import Remedies, remedies, saved
from roofline.analysis.fit.trial import LIMITS, Case, Trial
from roofline.analysis.fit.words import verdict, verdict_of_machines
from roofline.answer.memory import Pool
from roofline.answer.phase import Warn
from roofline.answer.plain import plain
from roofline.errors import UsageError
from roofline.runs.ask import ask
from roofline.runs.checks import checked, is_many
from roofline.runs.expectation import expectation_warnings
from roofline.runs.load import GPULike, ModelLike
from roofline.runs.names import check_names

Form = TypeVar("Form", bound="Fitting")
#: In place of an accelerator: all that there are.
ANY: Final = "any"


@dataclass(frozen=True)
class Fitting:
    """Whether a run fits, and what follows.

    `answer` is the run as asked, `asked` the same as a trial; `fewest` the run on the fewest devices that hold it,
    `fewer` on fewer than that; `remedies` what would help; `machines` the accelerators looked at, `anywhere`: all that
    there are, and `planned`: each with the devices that were asked for, not with the fewest.
    """

    answer: Answer
    asked: Trial
    fewest: Trial | None
    fewer: Trial | None
    remedies: Remedies
    machines: tuple[Machine, ...]
    anywhere: bool = False
    planned: bool = False

    @property
    def fits(self) -> bool:
        """Whether it fits as asked; of any accelerator: whether one holds it within a node."""
        return self.asked.fits

    @cached_property
    def verdict(self) -> str:
        """The answer in sentences."""
        if self.anywhere:
            return verdict_of_machines(self.machines, self.planned)
        return verdict(self.asked, self.fewest, self.fewer, self.remedies)

    @cached_property
    def limits(self) -> dict[str, int | None]:
        """How far it can grow: largest batch, context, requests at once, side of a picture; None without meaning."""
        return self.asked.limits()

    @cached_property
    def warnings(self) -> list[Warn]:
        """What the user should know about what is held; not about times, which are not told."""
        q = self.answer.question
        of_times = expectation_warnings(q.gpu, q.engine)
        return [warn for warn in self.answer.warnings if warn not in of_times]

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `roofline fit --json`."""
        est, widest = self.answer, self.remedies.widest
        placed = self.fewest.placed() if self.fewest is not None else dict.fromkeys(("gpus", "plan"))
        return {
            "verdict": self.verdict,
            "schema_version": SCHEMA_VERSION,
            "inputs": est.inputs,
            "fits": self.fits,
            "memory": self._memory(),
            "pool": self._pool(),
            "limits": self.limits,
            "fewest_gpus": placed,
            "widest_format": self._remedy(widest) if widest is not None else None,
            "remedies": [self._remedy(trial) for trial in self.remedies.each],
            "machines": [machine.to_dict() for machine in self.machines],
            "assumptions": est.assumptions,
            "warnings": [warn._asdict() for warn in self.warnings],
            "sources": est.sources,
        }

    def _memory(self) -> dict[str, Any]:
        """Parts, their sum, and what there is room for; the limits stand apart."""
        memory = self.asked.memory
        apart = {*LIMITS, *(limit.name for limit in memory.limits), "fits", "pool"}
        return {name: value for name, value in memory.to_dict().items() if name not in apart}

    def _pool(self) -> dict[str, Any]:
        pool = self.asked.memory.pool
        if pool is None:
            return dict.fromkeys(Pool._fields)
        return {name: plain(value) for name, value in pool._asdict().items()}

    def _remedy(self, trial: Trial) -> dict[str, Any]:
        room = {"saved_bytes": plain(saved(trial, self.asked)), "limits": trial.limits()}
        room |= {} if trial.seconds is None else {trial.question.kind.costs: trial.seconds}
        room |= {"host_bytes": plain(waiting)} if (waiting := trial.waiting) is not None else {}
        return {"change": trial.words, "options": dict(trial.options), **trial.held(), **room, **trial.placed()}

    def records(self) -> Iterator[dict[str, Any]]:
        """One flat row as asked, one per remedy, and one per machine where any is asked for, for a data frame."""
        for trial in (self.asked, *self.remedies.each):
            yield _record(trial.words, trial, None)
        for machine in self.machines if self.anywhere else ():
            if machine.trial is not None:
                yield _record("machine", machine.trial, machine.cost_per_hour)


def _record(words: str, trial: Trial, cost: float | None) -> dict[str, Any]:
    placed = {"gpu": trial.question.gpu.name, "gpus": trial.plan.devices, "plan": trial.plan.text()}
    return {"change": words, **placed, **trial.held(), **trial.limits(), "cost_per_hour": cost}


def fit(model: ModelLike, gpu: GPULike | None, options: Mapping[str, Any], form: type[Form]) -> Form:
    """Whether a run fits, as an answer of that form. Raises UsageError, UnknownNameError or SpecError.

    `gpu` may be `any`: the run is then that on the machine that holds it at the least price, or in the least memory.
    """
    for name, value in options.items():
        if is_many(value):
            raise UsageError(f"{name} takes one value here; roofline.sweep takes several")
    check_names(options)
    if options.get("users") is not None:
        raise UsageError("--users: fit looks at sequences that are held at once, of each replica: --batch N")
    case = Case(model, gpu, checked(options), {})
    if isinstance(gpu, str) and gpu.lower() == ANY:
        return _anywhere(case, form)
    answer, asked = _asked(case)
    case = case.resolved(asked.question)
    least, replica = fewest(case), asked.plan.devices // asked.plan.dp
    tight = asked.fits and replica > 1 and not (least is not None and least.plan.devices < replica)
    below = fewer(case, replica) if tight else None
    return form(answer, asked, least, below, remedies(case, asked, least), (machine_of(least or asked),))


def _asked(case: Case) -> tuple[Answer, Trial]:
    """The run as asked: evaluated, and as a trial."""
    answer = evaluate(ask(case.model, case.gpu, case.options), Answer)
    return answer, Trial("as asked", {}, answer.question, answer.memory)


def _anywhere(case: Case, form: type[Form]) -> Form:
    """The run on the machine that comes first."""
    found = machines(case)
    best = next(machine.trial for machine in found if machine.trial is not None)
    here = case._replace(gpu=best.question.gpu.name, options={**case.options, **best.options})
    answer, asked = _asked(here)
    least = best if best.fits else None
    return form(
        answer, asked, least, None, remedies(here.resolved(asked.question), asked, least), found, True, case.planned
    )
