"""The tables of `roofline recommend`: the verdict, the few best plans, and why the others are out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from roofline.analysis.recommend.answer import Recommendation
from roofline.analysis.recommend.plan import Plan
from roofline.analysis.recommend.words import machine_words
from roofline.report.tables.estimate import print_warnings
from roofline.report.tables.grid import Grid, grid
from roofline.runs.money.money import amount
from roofline.units import format_time

if TYPE_CHECKING:
    from roofline.report.tables.console import Console

#: Accelerators that are out and shown; JSON has all.
_SHOWN: Final = 12
_TIMES: Final = {"ttft_s": "first token", "tpot_s": "per token", "total_s": "in all"}


def print_recommendation(found: Recommendation, console: Console) -> None:
    """The verdict first, then what it rests on."""
    console.print(found.verdict, style="bold" if found.found else "bold red")
    console.print()
    if found.plans:
        first = found.plans[0].answer
        console.print(first.question.kind.told(first.question).heading)
        console.print()
        console.print(plan_table(found))
        for line in dict.fromkeys(f"price of {plan.gpu}: {plan.money.words}" for plan in found.plans):
            console.print(line, style="dim")
        console.print()
    if found.out:
        console.print(out_table(found))
    print_warnings(found.warnings, console)


def plan_table(found: Recommendation) -> Grid:
    """The plans, each with its times and its cost."""
    times = [name for name in _TIMES if all(name in plan.times for plan in found.plans)]
    tokens = all(plan.tokens_per_s is not None for plan in found.plans)
    currency = next((plan.money.currency for plan in found.plans if plan.cost_per_hour is not None), "USD")
    columns = [
        *(("plan", "text"), ("weights", "left?"), *((_TIMES[name], "right") for name in times)),
        *((f"{currency}/h", "right"), (f"{currency}/M out" if tokens else f"{currency}/1,000", "right")),
        *(("free", "right?"), ("best by", "left?")),
    ]
    rows = [_row(found, place, times, tokens) for place in range(len(found.plans))]
    return grid("The best plans, the cheapest first; times as expected under the load", columns, rows)


def _row(found: Recommendation, place: int, times: list[str], tokens: bool) -> list[str]:
    plan: Plan = found.plans[place]
    shown = [format_time(float(plan.times[name].expected)) for name in times]
    each = plan.cost_per_million if tokens else plan.cost_per_thousand
    costs = ["–" if cost is None else amount(cost) for cost in (plan.cost_per_hour, each)]
    free = f"{100 * plan.headroom:.0f} %"
    best = ", ".join(found.best.get(place, ()))
    return [machine_words(plan), plan.answer.question.precision.label, *shown, *costs, free, best]


def out_table(found: Recommendation) -> Grid:
    """The others, and why."""
    more = f"; {len(found.out) - _SHOWN} more in --json" if len(found.out) > _SHOWN else ""
    rows = [[out.gpu, out.reason] for out in found.out[:_SHOWN]]
    return grid(f"The others, the nearest first{more}", (("accelerator", "name"), ("why not", "text")), rows)
