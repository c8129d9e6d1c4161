"""The answer to which accelerators run a model: on how many of each, how fast, and how much that is for the money."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import mode
from typing import Any, TypeVar

from roofline.analysis.estimate import SCHEMA_VERSION, Answer
from roofline.analysis.evaluate import evaluate
from roofline.analysis.fit.gpus_words import verdict_of_gpus
from roofline.analysis.fit.machines import Machine, machines
from roofline.analysis.fit.offers import SORTS, Offer
from roofline.analysis.fit.trial import Case
from roofline.analysis.fit.words import subject
from roofline.analysis.grids import alike
from roofline.answer.phase import Warn
from roofline.answer.quantity import Quantity
from roofline.answer.times import Times
from roofline.errors import UsageError
from roofline.machine.engine_lookup import engine_inputs
from roofline.runs.checks import checked, is_many, one_of
from roofline.runs.kind import Outcome
from roofline.runs.load import ModelLike
from roofline.runs.names import check_names
from roofline.runs.options import OPTIONS

Form = TypeVar("Form", bound="GPUsFor")


@dataclass(frozen=True)
class GPUsFor:
    """Which accelerators run a model. `offers` are all that there are, sorted by `by`; what does not run is last."""

    offers: tuple[Offer, ...]
    by: str
    asked: Mapping[str, Any]
    planned: bool

    @property
    def fits(self) -> bool:
        """Whether any runs it."""
        return any(offer.machine.fits for offer in self.offers)

    @property
    def first(self) -> Any:
        """A run of the model, for what all have in common: one in the format that most of them have."""
        trials = [offer.machine.trial for offer in self.offers if offer.machine.trial is not None]
        formats = [trial.question.precision.label for trial in trials]
        return trials[formats.index(mode(formats))]

    @cached_property
    def verdict(self) -> str:
        """The answer in sentences."""
        known = any(offer.machine.trial is not None for offer in self.offers)
        return verdict_of_gpus(self.offers, self.planned, subject(self.first) if known else "")

    @cached_property
    def warnings(self) -> list[Warn]:
        """What the user should know of the model's run, whatever it runs on: what is told of the first machine and of
        the last alike.
        """
        held = [offer.machine.trial for offer in self.offers if offer.machine.fits]
        ends = [trial for trial in (*held[:1], *held[-1:]) if trial is not None]
        first, last = ([*evaluate(trial.question, Answer).warnings] for trial in ends or [self.first] * 2)
        return [warn for warn in first if warn in last]

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """The model, and what was asked of every accelerator."""
        q = self.first.question
        return {
            "model": q.spec.name,
            "model_file": q.model_origin.path,
            **engine_inputs(q.engine),
            "sort": self.by,
            **self.asked,
        }

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `roofline list gpus --for MODEL --json`."""
        return {
            "verdict": self.verdict,
            "schema_version": SCHEMA_VERSION,
            "inputs": self.inputs,
            "fits": self.fits,
            "machines": [offer.to_dict() for offer in self.offers],
            "warnings": [warn._asdict() for warn in self.warnings],
            "sources": list(self.first.question.spec.sources),
        }

    def records(self) -> Iterator[dict[str, Any]]:
        """One flat row per accelerator, for a data frame."""
        model = {"model": self.first.question.spec.name}
        return (model | offer.record() for offer in self.offers)

    def only(self, names: Iterable[str]) -> GPUsFor:
        """The same of some accelerators, by their names."""
        kept = set(names)
        return replace(self, offers=tuple(offer for offer in self.offers if offer.machine.gpu.name in kept))


def gpus_for(model: ModelLike, options: Mapping[str, Any], form: type[Form], by: str | None = None) -> Form:
    """Which accelerators run a model, as an answer of that form.

    The fewest of each that hold it, within a node, unless a plan is asked for: then that. Raises UsageError,
    UnknownNameError or SpecError.
    """
    for name, value in options.items():
        if is_many(value):
            raise UsageError(f"{name} takes one value here; roofline.sweep takes several")
    check_names(options)
    by = one_of("sort", by or SORTS[0], SORTS)
    if options.get("node") is not None:
        raise UsageError("--node names one machine; roofline estimate and roofline fit take it with --gpu")
    if options.get("users") is not None:
        raise UsageError("--users: this is about batches, --batch N; roofline recommend answers for users")
    known = checked(options)
    asked = {name: value for name, value in known.items() if name in OPTIONS and OPTIONS[name].is_given(value)}
    case = Case(model, None, known, {})
    found = machines(case)
    offers = [Offer(machine, pace) for machine, pace in zip(found, _paces(found), strict=True)]
    return form(tuple(sorted(offers, key=lambda offer: offer.order(by))), by, asked, case.planned)


def _paces(found: Sequence[Machine]) -> list[Quantity | None]:
    """How fast the run is on each that holds it; those on which it is executed alike are worked out together."""
    paces: list[Quantity | None] = [None] * len(found)
    open_places, questions = [], []
    for place, machine in enumerate(found):
        trial = machine.trial
        if trial is not None and machine.fits and trial.outcome is not None:
            paces[place] = trial.question.kind.pace(trial.outcome)
        elif trial is not None and machine.fits:
            open_places.append(place)
            questions.append(trial.question)
    for group in alike(questions):
        first, stacked = questions[group[0]], tuple(questions[index].gpu for index in group)
        together = replace(first, stacked=stacked if len(stacked) > 1 else ())
        pace = together.kind.pace(evaluate(together, Outcome))
        for row, index in enumerate(group):
            paces[open_places[index]] = pace and _one(pace, row)
    return paces


def _one(pace: Quantity, row: int) -> Quantity:
    """A pace on one of several stacked accelerators."""
    if pace.times is None:
        return pace
    each = (value if isinstance(value, float) else float(value[row if len(value) > 1 else 0]) for value in pace.times)
    return pace._replace(times=Times(*each))
