"""Money and energy as quantities, from times: floats or grids alike.

    cost of a lot = seconds · (price per hour of all devices) / 3600 · lot / (amount · load) + its electricity
    energy of one = (Σ phases (seconds · repeats · watts) + idle seconds · idle watts) · devices · PUE / amount

With load, the share of the time that the machine is busy, its idle hours are paid by what it makes while it works, in
money and in watts. It idles, too, while weights are fetched that no phase works behind.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any, Final

from roofline.answer.quantity import Quantity
from roofline.answer.times import Times
from roofline.num import Num, maximum
from roofline.runs.money.money import Money, money_of
from roofline.runs.money.watts import state_of, watts

if TYPE_CHECKING:
    from roofline.answer.phase import PhaseEstimate
    from roofline.runs.kind import Outcome
    from roofline.specs.gpu import GPUSpec

_HOUR: Final = 3600.0
_KWH: Final = 3.6e6
_HOURLY: Final = "an hour of all GPUs"
#: Amounts below which nothing is made.
_NOTHING: Final = 1e-300


def costs_of(outcome: Outcome, served: Times | None = None) -> tuple[Quantity, ...]:
    """The costs of an outcome where a price is known, and its energies where watts are.

    `served` are the output tokens per second of a steady load, where users were asked for: in its time costs count,
    and not by phases, which then go on at once.
    """
    return tuple(_quantities(outcome, money_of(outcome.question), _in_load(outcome, served)))


def _in_load(outcome: Outcome, served: Times | None) -> Times | None:
    """The time in which a steady load makes what the static run makes; None where there is no load."""
    static, total = outcome.quantity("output_tokens_per_s"), outcome.quantity("total_s")
    if served is None or static is None or static.times is None or total is None or total.times is None:
        return None
    return served.rate(static.times.expected * total.times.expected)


def _quantities(outcome: Outcome, money: Money, loaded: Times | None) -> Iterator[Quantity]:
    question, total = outcome.question, outcome.quantity("total_s")
    per_hour, power = money.per_hour(question.spread.plan.devices), _power_of(outcome)
    if total is None or total.times is None:
        if per_hour is not None:
            yield Quantity("cost_per_hour", "cost", _HOURLY, money.currency, Times.certain(per_hour))
        return
    tariff = money.tariff.value / _KWH if money.tariff is not None and money.adds else 0.0
    if per_hour is not None:
        yield _hourly(outcome, money, per_hour, tariff)
    energies = []
    for sold in question.kind.sold(question, outcome.phases):
        if loaded is not None and sold.phases:
            continue
        phases = [phase for phase in outcome.phases if not sold.phases or phase.name in sold.phases]
        seconds = _seconds(phases) if sold.phases else total.times
        each, meaning = _each(sold.amount), _made(sold.amount)
        energy = _energy(outcome, phases, seconds) if power and (tariff or sold.joules) else None
        if loaded is not None:
            energy = energy and energy * (loaded.expected / maximum(seconds.expected, _NOTHING))
            seconds = loaded
        if per_hour is not None:
            times = seconds * (per_hour / _HOUR / money.asked.load * sold.lot * each)
            times = times + energy * (tariff * sold.lot * each) if tariff and energy is not None else times
            yield Quantity(
                sold.name, "cost", sold.title, money.currency, times if meaning is not None else None, meaning
            )
        if sold.joules and energy is not None:
            joules = energy * each if meaning is not None else None
            energies.append(Quantity(sold.joules, "energy", sold.joules_title, "J", joules, meaning))
    yield from energies


def _each(amount: Num) -> Num:
    return 1.0 / maximum(amount, _NOTHING)


def _made(amount: Num) -> Any:
    """Where anything is made; None where it is one run that makes nothing."""
    if isinstance(amount, float):
        return True if amount > 0.0 else None
    return amount > 0.0


def _seconds(phases: Sequence[PhaseEstimate]) -> Times:
    """The time of some phases with all of their repeats."""
    return reduce(Times.__add__, (phase.times * phase.repeat for phase in phases))


def mean_watts(outcome: Outcome) -> Num | None:
    """Watts of the whole plan on average at its load, the building's part included; None where watts are not known."""
    total = outcome.quantity("total_s")
    if not _power_of(outcome) or total is None or total.times is None:
        return None
    joules = _energy(outcome, outcome.phases, total.times).expected * outcome.question.money.load
    return joules / maximum(total.times.expected, _NOTHING)


def _power_of(outcome: Outcome) -> bool:
    """Whether watts are known for every phase."""
    gpu = outcome.question.gpu
    return all(watts(gpu, state_of(phase.name)) is not None for phase in outcome.phases)


def _energy(outcome: Outcome, phases: Sequence[PhaseEstimate], seconds: Times) -> Times:
    """Joules of some phases on all devices, the building's part included, and of the time in which none of them works.

    As what is drawn in them above idle, and idle watts in all of the time.
    """
    gpu, asked = outcome.question.gpu, outcome.question.money
    found, idle = watts(gpu, "idle"), 0.0
    if found is not None:
        idle = found.value
    above = reduce(Times.__add__, (_above(gpu, phase, idle) for phase in phases))
    return (above + seconds * (idle / asked.load)) * (outcome.question.spread.plan.devices * asked.pue)


def _above(gpu: GPUSpec, phase: PhaseEstimate, idle: float) -> Times:
    """Joules of one phase with its repeats, less those of idling; the ends of the interval with those of the watts."""
    drawn = watts(gpu, state_of(phase.name))
    assert drawn is not None
    t, mean = phase.times * phase.repeat, drawn.value - idle
    low, high = t.low * (drawn.low - idle), t.high * (drawn.high - idle)
    return Times(t.floor * mean, t.bound * mean, t.expected * mean, low, high)


def _hourly(outcome: Outcome, money: Money, per_hour: float, tariff: float) -> Quantity:
    """An hour of the whole plan; with what it draws on average where electricity comes on top."""
    drawn = mean_watts(outcome) if tariff else None
    cost: Num = per_hour if drawn is None else per_hour + tariff * _HOUR * drawn
    return Quantity("cost_per_hour", "cost", _HOURLY, money.currency, Times.certain(cost))
