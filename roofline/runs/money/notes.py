"""What is said beside costs and energies: the price and its age, what was assumed of hours and of watts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from roofline.runs.money.money import amount, money_of
from roofline.runs.money.watts import sources
from roofline.specs.costs.dates import age_words, today

if TYPE_CHECKING:
    from roofline.runs.kind import Question


def money_notes(question: Question, phases: Iterable[str]) -> Iterator[str]:
    """Everything that was assumed about money and power."""
    money = money_of(question)
    yield f"price: {money.words}"
    yield from money.notes
    if money.asked.load == 1.0:
        yield "the machine is busy all the time that is paid for (--load)"
    else:
        yield f"the machine is busy for {100 * money.asked.load:g} % of the time that is paid for"
    tariff = money.tariff
    if tariff is not None:
        when = f", read {tariff.date}, {age_words(tariff.date, today())}" if tariff.date else ""
        yield f"electricity: {amount(tariff.value)} {tariff.currency}/kWh, {tariff.provider}{when}"
    if text := sources(question.gpu, phases):
        yield f"power of each GPU alone, without its host; {text}; PUE {question.money.pue:g} (--pue)"


def money_sources(question: Question) -> Iterator[str]:
    """Where the prices of the machine and of electricity were read, those that are not the user's own."""
    money = money_of(question)
    for price in (money.price, money.tariff):
        if price is not None and price.date and price.source:
            yield f"{price.source}, {price.date}"
