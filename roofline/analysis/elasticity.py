"""How much each figure of the hardware matters: the elasticity of what is expected, its shadow price.

An elasticity is d ln(quantity) / d ln(figure): -0.8 of a time by the memory's bandwidth means that one per cent more of
that makes it 0.8 per cent shorter. It is worked out by evaluating the run on a machine whose one figure is better by a
little, all else the same: its efficiencies too. What the elasticities of a time lack to -1 together is spent inside
kernels, waiting for nothing that a figure tells. Weights that are fetched from a host are among what links, and the
host's memory, make quicker.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import log
from typing import Final

from roofline.analysis.evaluate import quantities_of
from roofline.answer.derivation import Derivation, Term
from roofline.answer.quantity import Quantity
from roofline.machine.engine import IDEAL
from roofline.machine.faster import FIGURES, Faster
from roofline.runs.kind import Outcome, Question
from roofline.runs.telling.machine import machine_figures, slowest_precision
from roofline.units import format_si

#: The little by which a figure is better.
_STEP: Final = 0.01
#: Elasticities below this are none, in words.
_NOTHING: Final = 5e-3
_FORMULA: Final = "d ln(expected) / d ln(figure of the hardware), all else the same"
_SOURCE: Final = "the same formulas, evaluated on hardware whose one figure is better by 1 %"


def elasticities(est: Outcome) -> dict[str, dict[str, float]]:
    """Per headline quantity, the elasticity of its expected value by each figure that the run depends on."""
    question, stages = est.question, est.question.stages()
    found: dict[str, dict[str, float]] = {q.name: {} for q in est.quantities if _is_told(q)}
    for figure in _figures(question):
        better = replace(question, faster=Faster(**{figure: 1.0 + _STEP}))
        for then in quantities_of(better, stages, est.memory):
            now = est.quantity(then.name)
            if then.name in found and now is not None and now.times is not None and then.times is not None:
                ratio = float(then.times.expected) / float(now.times.expected)
                found[then.name][figure] = round(log(ratio) / log(1.0 + _STEP), 4)
    return found


def _is_told(quantity: Quantity) -> bool:
    times = quantity.times
    return times is not None and quantity.meaning is True and 0.0 < float(times.expected) < float("inf")


def _figures(question: Question) -> Iterator[str]:
    """Those that a run can depend on."""
    yield from ("bandwidth", "compute")
    spread = question.spread
    if spread.fabric is not None or spread.away is not None:
        yield "links"
    if question.engine != IDEAL:
        yield "overhead"
    if spread.cores is not None or spread.away is not None:
        yield "host"


def explain_elasticities(est: Outcome) -> Iterator[Derivation]:
    """The shadow prices of the hardware's figures: what ten per cent more of each would do to a time."""
    found, figures = elasticities(est), machine_figures(est.question, slowest_precision(est))
    now = {"bandwidth": (figures["bandwidth_bytes_per_s"], "B/s"), "compute": (figures["peak_flops"], "FLOP/s")}
    for quantity in est.quantities:
        parts = found.get(quantity.name)
        if parts is None or quantity.group != "latency" or not quantity.title:
            continue
        ordered = sorted(((figure, value) for figure, value in parts.items() if abs(value) > _NOTHING), key=_by_weight)
        terms = [Term(FIGURES[figure].title, _tenth(figure, value, now), value) for figure, value in ordered]
        body = ", ".join(f"{FIGURES[figure].title} {value:+.2f}" for figure, value in ordered)
        body = body or "nothing that the hardware's figures tell"
        rest = 1.0 + sum(value for _, value in ordered)
        if rest > _NOTHING:
            body += f"; {rest:.2f} inside kernels, which no figure tells"
        name, told = f"elasticity.{quantity.name.removesuffix('_s')}", sum(value for _, value in ordered)
        yield Derivation(name, "", told, _FORMULA, body, _SOURCE, terms)


def _by_weight(pair: tuple[str, float]) -> float:
    return pair[1]


def _tenth(figure: str, value: float, now: dict[str, tuple[float, str]]) -> str:
    """What ten per cent more of a figure do."""
    less = 100.0 * (1.0 - 1.1**value)
    if figure in now:
        size, unit = now[figure]
        return f"10 % more, {format_si(1.1 * size, unit)} instead of {format_si(size, unit)}: {less:.1f} % less time"
    return f"10 % more: {less:.1f} % less time" if figure != "overhead" else f"by 10 %: {less:.1f} % less time"
