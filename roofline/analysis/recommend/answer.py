"""The few best plans, and why each other accelerator is out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, Final, TypeVar

from roofline.analysis.estimate import SCHEMA_VERSION
from roofline.analysis.evaluate import evaluate
from roofline.analysis.fit.trial import Case
from roofline.analysis.recommend.plan import Out, Plan
from roofline.analysis.recommend.search import Miss, plans_of
from roofline.analysis.recommend.wanted import ANY, Wanted, read_wanted
from roofline.analysis.recommend.words import against, missed, verdict
from roofline.answer.phase import Warn, unfit_engines
from roofline.answer.times import READINGS, column
from roofline.errors import RooflineError, UsageError
from roofline.runs.ask import ask
from roofline.runs.checks import checked, is_many
from roofline.runs.kind import Outcome, Question
from roofline.runs.load import load_gpu
from roofline.runs.money.money import hourly_prices
from roofline.runs.money.terms import read_terms
from roofline.runs.names import check_names
from roofline.runs.text.service.running import serves
from roofline.units import format_ratio

Form = TypeVar("Form", bound="Recommendation")
#: The quickest plan is looked for among those that cost at most so many times what the cheapest does.
_DEARER: Final = 8.0
#: What plans are best by.
BY: Final = ("cost", "speed", "headroom")


@dataclass(frozen=True)
class Recommendation:
    """What to take.

    `plans` that do what is wanted, the cheapest first, then those that are best by something else; `best` says by what
    each is; `out`: every other accelerator that was looked at, with its reason.
    """

    wanted: Wanted
    plans: tuple[Plan, ...]
    best: Mapping[int, tuple[str, ...]]
    out: tuple[Out, ...]
    looked_at: int

    @property
    def found(self) -> bool:
        """Whether any plan does what is wanted."""
        return bool(self.plans)

    @cached_property
    def verdict(self) -> str:
        """What to take, the runner-up, and what it costs; or what comes nearest."""
        return " ".join([*unfit_engines(self.warnings), verdict(self.plans, self.out, self.wanted, self.looked_at)])

    @cached_property
    def warnings(self) -> list[Warn]:
        """What is to be known of the plans that are told."""
        found = {}
        for plan in self.plans[:1]:
            for warn in (*plan.answer.warnings, *plan.money.warnings()):
                found[warn.code, warn.text] = warn
        return list(found.values())

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `roofline recommend --json`."""
        return {
            "verdict": self.verdict,
            "schema_version": SCHEMA_VERSION,
            "asked": self.wanted.to_dict() | self._asked(),
            "plans": [self._plan(place) for place in range(len(self.plans))],
            "out": [self._out(out) for out in self.out],
            "looked_at": self.looked_at,
            "warnings": [warn._asdict() for warn in self.warnings],
        }

    def records(self) -> Iterator[dict[str, Any]]:
        """A flat row per plan, for a data frame: of a time what is expected, and its other readings behind it."""
        for place in range(len(self.plans)):
            row: dict[str, Any] = {}
            for name, value in self._plan(place).items():
                if isinstance(value, dict) and set(value) == set(READINGS):
                    row |= {column(name, reading): value[reading] for reading in READINGS}
                elif name == "plan":
                    row |= value
                elif isinstance(value, (dict, list)):
                    row[name] = (
                        " ".join(f"{key}={value[key]}" for key in value) if name == "options" else ", ".join(value)
                    )
                else:
                    row[name] = value
            yield row

    def _plan(self, place: int) -> dict[str, Any]:
        best = {"best_by": list(self.best.get(place, ())), "reason": self.reason(place)}
        return self.plans[place].to_dict() | best

    def _asked(self) -> dict[str, Any]:
        for plan in (*self.plans, *(out.plan for out in self.out if out.plan is not None)):
            inputs = plan.answer.inputs
            return {name: inputs[name] for name in ("model", *plan.answer.question.kind.sizes) if name in inputs}
        return {}

    def _out(self, out: Out) -> dict[str, Any]:
        nearest = None if out.plan is None else out.plan.to_dict()
        return {"gpu": out.gpu, "reason": out.reason, "nearest": nearest}

    def reason(self, place: int) -> str:
        """Why a plan is told, against the first."""
        plan = self.plans[place]
        if place == 0:
            return "the least cost" if plan.cost_per_hour is not None else "the fewest GPUs"
        return against(plan, self.plans[0])


def recommend(model: Any, gpu: Any, options: Mapping[str, Any], form: type[Form]) -> Form:
    """The few best plans for a model, as an answer of that form.

    `gpu` is one name, several, or `any`: every accelerator whose price is known. Raises UsageError, UnknownNameError or
    SpecError; what is wrong with one accelerator alone stands among those that are out.
    """
    if is_many(model):
        raise UsageError("model takes one value here; roofline.recommend is about one model")
    wanted, left = read_wanted(gpu, options)
    check_names(left)
    left = checked(left)
    names = _machines(wanted, left)
    for how in _ways(wanted):  # what is wrong with all of them is said now
        _refuse_senseless(ask(model, next(iter(names.values())), {**left, **how}), wanted)
    found, out = [], []
    for name, place in names.items():
        plans, misses = _of_machine(model, place, left, wanted)
        found += plans
        if not plans:
            out.append(_reason(name, misses, wanted))
    chosen, best = _chosen(found, wanted)
    told = {plan.gpu for plan in chosen}
    lost = [_lost(plan, chosen[0]) for plan in _first_of_each(found) if plan.gpu not in told]
    out.sort(key=lambda each: each.by)
    return form(wanted, tuple(chosen), best, (*lost, *out), len(names))


def _refuse_senseless(q: Question, wanted: Wanted) -> None:
    """Raises UsageError for users of an engine that serves none, and for limits on times that such a run has not."""
    if wanted.users is not None and not serves(q):
        raise UsageError(f"--users: {q.spec.name} with {q.engine} is not served to users; --rate N says how many")
    told = {quantity.name for quantity in evaluate(q, Outcome).quantities if quantity.times is not None}
    for name in wanted.limits:
        if name not in told:
            words = "first token" if name == "ttft_s" else "time per token"
            raise UsageError(f"{q.spec.name} has no {words} that could be limited: --total is that of the whole")


def _machines(wanted: Wanted, left: Mapping[str, Any]) -> dict[str, Any]:
    """The accelerators that are looked at, each once, by name. Raises UsageError where no price is known of any."""
    named = [gpu for gpu in wanted.gpus if not (isinstance(gpu, str) and gpu.lower() == ANY)]
    if wanted.anywhere:
        named += hourly_prices(read_terms(left, left.get("spec_dir")))
    if not named:
        raise UsageError("no price of any accelerator is known: name those to look at with --gpu a100,h100")
    return {load_gpu(gpu, left.get("spec_dir")).name: gpu for gpu in named}


def _of_machine(model: Any, gpu: Any, left: Mapping[str, Any], wanted: Wanted) -> tuple[list[Plan], list[Miss]]:
    """The plans of one accelerator that do what is wanted, and what the others miss."""
    plans: list[Plan] = []
    misses: list[Miss] = []
    for how in _ways(wanted):
        try:
            found = list(plans_of(Case(model, gpu, {**left, **how}, {}), wanted))
        except RooflineError as error:
            misses.append(Miss(str(error).splitlines()[0], float("inf")))
            continue
        for each in found:
            if isinstance(each, Miss):
                misses.append(each)
            elif missed := each.misses(wanted):
                misses.append(Miss("", max(missed.values()), each))
            else:
                plans.append(each)
    return plans, misses


def _ways(wanted: Wanted) -> Iterator[dict[str, Any]]:
    """Formats and engines that will do."""
    for weights, engine in product(wanted.formats or (None,), wanted.engines or (None,)):
        yield {name: value for name, value in (("weights", weights), ("engine", engine)) if value is not None}


def _reason(name: str, misses: list[Miss], wanted: Wanted) -> Out:
    """Why an accelerator is out: the nearest of its misses."""
    if not misses:
        return Out(name, "cannot be laid out as asked", float("inf"))
    nearest = min(misses, key=_farness)
    words = nearest.words
    if nearest.plan is not None and not words:
        words = missed(nearest.plan, wanted)
    return Out(name, words, nearest.by, nearest.plan)


def _farness(miss: Miss) -> tuple[bool, float, int]:
    """How far a miss is from what is wanted: a plan that fits is nearer than one that does not, of those that are as
    far the one with the fewest GPUs.
    """
    return miss.plan is None, miss.by, miss.plan.gpus if miss.plan is not None else 0


def _lost(plan: Plan, first: Plan) -> Out:
    ours, theirs = plan.cost_per_hour, first.cost_per_hour
    if ours is None or theirs is None:
        return Out(plan.gpu, "would do; no price is known" if ours is None else "would do", 0.0, plan)
    return Out(plan.gpu, f"would do at {format_ratio(ours / theirs)} × the cost", ours / theirs, plan)


def _is_near(plan: Plan, first: Plan) -> bool:
    """Whether a plan is at most so many times as dear as the cheapest, or has no price to say so."""
    ours, theirs = plan.cost_per_hour, first.cost_per_hour
    return ours is None or theirs is None or ours <= _DEARER * theirs


def _by_cost(plan: Plan) -> tuple[bool, float, int, float]:
    cost = plan.cost_per_hour
    return cost is None, cost or 0.0, plan.gpus, plan.speed


def _first_of_each(found: list[Plan]) -> list[Plan]:
    """The cheapest plan of each accelerator, the cheapest first."""
    firsts: dict[str, Plan] = {}
    for plan in sorted(found, key=_by_cost):
        firsts.setdefault(plan.gpu, plan)
    return list(firsts.values())


def _chosen(found: list[Plan], wanted: Wanted) -> tuple[list[Plan], dict[int, tuple[str, ...]]]:
    """The cheapest of the first few accelerators, the quickest plan and the roomiest; what each is best by."""
    if not found:
        return [], {}
    chosen = _first_of_each(found)[: wanted.top]
    quickest = min((plan for plan in found if _is_near(plan, chosen[0])), key=lambda plan: (plan.speed, _by_cost(plan)))
    roomiest = max([*_first_of_each(found), quickest], key=lambda plan: plan.headroom)
    for plan in (quickest, roomiest):
        if not any(plan is each for each in chosen):
            chosen.append(plan)
    best = {
        place: tuple(by for by, winner in zip(BY, (chosen[0], quickest, roomiest), strict=True) if winner is plan)
        for place, plan in enumerate(chosen)
    }
    return chosen, {place: names for place, names in best.items() if names}
