"""What is compared: headline quantities, memory and price of runs, and the ratios between them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

from roofline.analysis.comparing.correlation import Correlation, correlation_of
from roofline.analysis.comparing.runs import Run
from roofline.analysis.estimate import Answer
from roofline.analysis.service.evaluate import served_quantities
from roofline.answer.plain import plain
from roofline.answer.quantity import Quantity
from roofline.answer.times import Times
from roofline.runs.money.money import money_of

#: What is beside the headline quantities, the same in every reading.
MEMORY: Final = "total_bytes"
PRICE: Final = "cost_per_hour"
#: Logarithms of ratios are told apart to so much.
_NOTHING: Final = 1e-9


class Compared(NamedTuple):
    """A quantity that is compared: its name in JSON, title, unit, whether `low` or `high` is better, and the group of a
    headline quantity; empty for memory and the price, which are no times.
    """

    name: str
    title: str
    unit: str
    better: str
    group: str = ""


class Ratio(NamedTuple):
    """A value over another, with its 80 % interval; `too_close`: 1 lies in it, so that either may be the larger."""

    expected: float
    low: float
    high: float

    @property
    def too_close(self) -> bool:
        """Whether it cannot be said which is the larger."""
        return self.low <= 1.0 + _NOTHING and self.high >= 1.0 - _NOTHING

    @property
    def inverse(self) -> Ratio:
        """The other way round."""
        return Ratio(1.0 / self.expected, 1.0 / self.high, 1.0 / self.low)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {name: plain(value) for name, value in self._asdict().items()} | {"too_close": self.too_close}


def compared(runs: Sequence[Run[Any]]) -> tuple[Compared, ...]:
    """The quantities that the runs have in common, in the order of tables; then memory, and the price of an hour.

    Runs of several kinds share what has one name in all of them. A quantity without a meaning in one run of a kind is
    there, for it has one in another.
    """
    answers = [run.answer for run in runs if run.answer is not None]
    found: dict[str, Compared] = {}
    for answer in answers:
        for q in every_quantity(answer):
            if q.times is not None and (q.title or q.name in found):
                title = f"cost of {q.title}" if q.group == "cost" and q.title else q.title
                found.setdefault(q.name, Compared(q.name, title, q.unit, q.better, q.group))
    kinds = {answer.question.kind.name for answer in answers}
    shared = [names_of(answers, kind) for kind in sorted(kinds)]
    kept = [each for each in found.values() if all(each.name in names for names in shared)]
    alone = all(answer.question.spread.alone for answer in answers)
    kept.append(Compared(MEMORY, "memory" if alone else "memory per GPU", "B", "low"))
    if currency := next((currency_of(answer) for answer in answers if cost_per_hour(answer) is not None), ""):
        kept.append(Compared(PRICE, "price per hour", f"{currency}/h", "low"))
    return tuple(kept)


def names_of(answers: Sequence[Answer], kind: str) -> set[str]:
    """The quantities that any run of a kind has."""
    own = (answer for answer in answers if answer.question.kind.name == kind)
    return {q.name for answer in own for q in every_quantity(answer) if q.times is not None}


def every_quantity(answer: Answer) -> Iterator[Quantity]:
    """The headline figures of a run, and what a million of its tokens (a thousand of its pictures) cost where a price
    is known; before them those of a steady load, where users were asked for.
    """
    known = answer.costs if money_of(answer.question).compared else ()
    costs = islice((q for q in known if q.group == "cost" and q.name != PRICE), 1)
    if answer.question.for_users and answer.service is not None:
        yield from (*served_quantities(answer.service), *costs)
    yield from (*answer.quantities, *costs)


def cost_per_hour(answer: Answer) -> float | None:
    """What all devices of a run cost for an hour at the price asked for, with electricity where that comes on top.

    None where no price is known, and where it is in a currency that is not compared.
    """
    found = answer.quantity(PRICE) if money_of(answer.question).compared else None
    return None if found is None or found.times is None else float(found.times.expected)


def currency_of(answer: Answer) -> str:
    """The currency of that price."""
    return money_of(answer.question).currency


def value_of(answer: Answer | None, name: str) -> Times | None:
    """A quantity of a run in its readings; None where it has none."""
    if answer is None:
        return None
    if name == MEMORY:
        return Times.certain(float(answer.memory.total_bytes))
    if name == PRICE:
        cost = cost_per_hour(answer)
        return None if cost is None else Times.certain(cost)
    return next((q.times for q in every_quantity(answer) if q.name == name), None)


def ratio_of(one: Answer | None, other: Answer | None, name: str) -> Ratio | None:
    """A quantity of one run over that of another; None where either has none, or where it is not above 0.

    With s and t half the widths of the logarithms of both 80 % intervals and r the correlation of their errors, the
    logarithm of the ratio is within √(s² + t² - 2 r s t) of that of the expected values: the variance of a difference.
    """
    mine, theirs = value_of(one, name), value_of(other, name)
    if mine is None or theirs is None or one is None or other is None:
        return None
    readings = [float(each) for times in (mine, theirs) for each in (times.expected, times.low, times.high)]
    if not all(math.isfinite(each) and each > 0.0 for each in readings):
        return None
    s, t = half_width(mine), half_width(theirs)
    r = 1.0 if same(one, other) else correlation_of(one.question, other.question).value
    width = math.sqrt(max(0.0, s * s + t * t - 2.0 * r * s * t))
    expected = readings[0] / readings[3]
    return Ratio(expected, expected * math.exp(-width), expected * math.exp(width))


def half_width(times: Times) -> float:
    """Half the width of an 80 % interval, as a logarithm."""
    return math.log(float(times.high) / float(times.low)) / 2.0


def same(one: Answer, other: Answer) -> bool:
    """Whether two runs do the same on the same chip by the same engine: what one errs by, the other errs by."""
    if one is other:
        return True
    mine, theirs = one.question, other.question
    alike = mine.engine == theirs.engine and mine.gpu.name == theirs.gpu.name and mine.spec.name == theirs.spec.name
    return alike and one.phases == other.phases


def counted(pairs: Iterable[tuple[Answer, Answer]]) -> Iterator[Correlation]:
    """The correlations that the ratios of these pairs of runs were worked out with, each once."""
    seen = set()
    for one, other in pairs:
        if not same(one, other):
            found = correlation_of(one.question, other.question)
            if found.shared not in seen:
                seen.add(found.shared)
                yield found
