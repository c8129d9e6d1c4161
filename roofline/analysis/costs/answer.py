"""The answer to what a run costs: rented or bought, on a machine or from an API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil
from typing import Any, Final, TypeVar

from roofline.analysis.costs.ways import Api, Way, apis, most_per_day, prime, ways, with_break_even
from roofline.analysis.costs.words import notes, verdict
from roofline.analysis.estimate import SCHEMA_VERSION, Answer
from roofline.analysis.evaluate import evaluate
from roofline.answer.phase import Warn, unfit_engines
from roofline.answer.plain import plain
from roofline.answer.sold import Sold
from roofline.answer.times import Times
from roofline.errors import UsageError
from roofline.runs.ask import ask
from roofline.runs.checks import number
from roofline.runs.load import GPULike, ModelLike
from roofline.runs.money.money import OLD, money_of
from roofline.runs.money.notes import money_notes

Form = TypeVar("Form", bound="Costing")
#: The columns of rows before and behind what things cost.
_ABOUT: Final = ("way", "provider", "date", "age_days", "doubt", "currency", "per_hour", "upfront")
_AFTER: Final = (
    "break_even_hours",
    "break_even_months",
    "break_even_busy_months",
    "break_even_per_day",
    "break_even_load",
)
#: The most that anybody makes in a day.
_MOST: Final = 1e18


@dataclass(frozen=True)
class Costing:
    """What a run costs, and the other ways.

    `answer` is the run as asked, its load that of what is to be made in a day; `ways` those to have its machine, the
    one asked for first, `apis` those to have its tokens; `per_day` what is to be made in a day, `most` what the machine
    can make.
    """

    answer: Answer
    ways: tuple[Way, ...]
    apis: tuple[Api, ...]
    per_day: float | None
    most: float

    @property
    def way(self) -> Way | None:
        """The way that was asked for; None where its price is not known."""
        return self.ways[0] if self.ways and not self.missing else None

    @property
    def missing(self) -> str:
        """Of what no price is known; empty where it is."""
        return money_of(self.answer.question).missing

    @property
    def sold(self) -> Sold:
        """What its costs are of."""
        return prime(self.answer)

    @property
    def load(self) -> float:
        """The share of the time in which the machine is busy."""
        return self.answer.question.money.load

    @cached_property
    def verdict(self) -> str:
        """The answer in sentences."""
        return " ".join([*unfit_engines(self.answer.warnings), verdict(self.answer, self.ways, self.apis)])

    @cached_property
    def warnings(self) -> list[Warn]:
        """What the user should know, old and doubtful prices among it."""
        found = [*self.answer.warnings, *money_of(self.answer.question).warnings()]
        others = [(way.word, way.money.old, way.money.price and way.money.price.doubt) for way in self.ways[1:]]
        others += [("API", (api.age_days or 0) > OLD, api.price.doubt) for api in self.apis]
        if old := ", ".join(dict.fromkeys(word for word, is_old, _ in others if is_old)):
            found.append(Warn("price-old", f"prices that were read more than {OLD} days ago: {old}"))
        if doubtful := ", ".join(dict.fromkeys(word for word, _, doubt in others if doubt)):
            found.append(Warn("price-doubtful", f"prices that are doubtful, marked (?): {doubtful}"))
        return list(dict.fromkeys(found))

    @cached_property
    def assumptions(self) -> list[str]:
        """What was assumed of the run, of money and of power."""
        names = (phase.name for phase in self.answer.phases)
        found = [*self.answer.assumptions, *money_notes(self.answer.question, names), *self.notes]
        return list(dict.fromkeys(found))

    @cached_property
    def notes(self) -> list[str]:
        """How the ways are counted and compared."""
        return list(notes(self.answer, self.ways, self.apis))

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `roofline cost --json`."""
        est, per = self.answer, self.sold.per
        return {
            "verdict": self.verdict,
            "schema_version": SCHEMA_VERSION,
            "inputs": est.inputs,
            "fits": bool(est.memory.fits),
            "per": per,
            "load": self.load,
            "per_day": plain(self.per_day),
            "most_per_day": plain(self.most),
            "cost": est.cost,
            "energy": est.energy,
            "ways": [way.to_dict(per) for way in self.ways],
            "apis": [api.to_dict(per) for api in self.apis],
            "assumptions": self.assumptions,
            "warnings": [warn._asdict() for warn in self.warnings],
            "sources": est.sources,
        }

    def records(self) -> Iterator[dict[str, Any]]:
        """One flat row per way and per API, for a data frame."""
        for way in self.ways:
            price, lot = way.money.price, way.lot
            who = (price.provider, price.date, way.money.age_days, price.doubt or None) if price else (None,) * 4
            about = (way.word, *who, way.money.currency, way.hourly, way.upfront)
            after = (way.hours, way.months, way.busy_months, None, None)
            yield self._record(about, (lot.expected, lot.low, lot.high), after)
        for api in self.apis:
            who = (api.price.provider, api.price.date, api.age_days, api.price.doubt or None)
            told = ("api", *who, api.currency, None, None)
            yield self._record(told, (api.lot,) * 3, (None, None, None, api.per_day, api.load))

    def _record(self, about: tuple[Any, ...], lot: tuple[Any, ...], after: tuple[Any, ...]) -> dict[str, Any]:
        named = [f"per_{self.sold.per}{end}" for end in ("", "_low", "_high")]
        return dict(zip((*_ABOUT, *named, *_AFTER), (*about, *map(float, lot), *after), strict=True))


def cost(model: ModelLike, gpu: GPULike | None, options: Mapping[str, Any], per_day: Any, form: type[Form]) -> Form:
    """What a run costs, as an answer of that form; `per_day` is how many output tokens, pictures or tokens embedded are
    to be made in a day, None: as many as `load` says. Raises UsageError, UnknownNameError or SpecError.
    """
    answer = evaluate(ask(model, gpu, options), Answer)
    answer.refuse_grid("costs are told")
    if next(answer.question.kind.sold(answer.question, answer.phases), None) is None:
        raise UsageError(f"nothing that {answer.question.spec.name} makes is sold by the piece")
    most = most_per_day(answer)
    wanted = None
    if per_day is not None:
        if options.get("load") is not None:
            raise UsageError("--load and --per-day: both say how busy the machine is; give one of the two")
        wanted = number("per-day", per_day, 1.0, _MOST)
        answer = _busy(answer, wanted, most)
    found = with_break_even(list(ways(answer)), answer.question.money.load)
    if wanted is not None:  # so many are made, however fast: only the share of the time is uncertain
        found = [way._replace(lot=Times.certain(way.lot.expected)) for way in found]
    hosted = found[0] if found and not money_of(answer.question).missing else None
    return form(answer, tuple(found), tuple(apis(answer, hosted)), wanted, most)


def _busy(answer: Answer, wanted: float, most: float) -> Answer:
    """The same answer with the load that so many a day make. Raises UsageError where the machine cannot make them."""
    if wanted > most:
        sold, q = prime(answer), answer.question
        what = sold.per.removeprefix("million_").removeprefix("thousand_").replace("_", " ")
        text = f"--per-day {wanted:,.0f}: this plan on {q.gpu.name} makes at most {most:,.0f} {what} a day"
        dp = q.spread.plan.dp * ceil(wanted / most)
        raise UsageError(f"{text}; --dp {dp} would make them, or a larger --batch")
    money = answer.question.money._replace(load=wanted / most, given=True)
    return replace(answer, question=replace(answer.question, money=money))
