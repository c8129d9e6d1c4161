"""The tables of `roofline recommend`: the verdict, the few best plans, and why the others are out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from roofline.analysis.recommend.answer import Recommendation
from roofline.analysis.recommend.plan import Plan
from roofline.analysis.recommend.words import count_words, machine_words
from roofline.report.tables.estimate import print_warnings
from roofline.report.tables.grid import Grid, grid
from roofline.report.tables.legend import print_table
from roofline.report.tables.room import room_of
from roofline.runs.money.money import amount
from roofline.runs.telling.notes import taken_as, taken_names
from roofline.units import format_time

if TYPE_CHECKING:
    from roofline.report.tables.console import Console

#: Accelerators that are out and shown; JSON has all.
_SHOWN: Final = 12
_TIMES: Final = {"ttft_s": "first token", "tpot_s": "per token", "total_s": "in all"}
#: What a batch is of, where tokens are written and where not.
_BATCH: Final = {
    True: "sequences that run together on each replica, sharing each reading of the weights",
    False: "pictures or sequences that run together on each replica",
}


def print_recommendation(found: Recommendation, console: Console) -> None:
    """The verdict first, then what it rests on."""
    console.print(found.verdict, style="bold" if found.found else "bold red")
    console.print()
    if found.plans:
        console.print(room_of((machine_words(plan), plan.answer.memory) for plan in found.plans))
        table = plan_table(found)
        print_table(table, console, crop=False)
        if left := [name for name in table.left_out(console.width) if name]:
            console.print(f"no room for: {', '.join(left)}; --json and --csv have all", style="dim")
        console.print(f"batch: {_BATCH[found.plans[0].tokens_per_s is not None]}", style="dim")
        for line in dict.fromkeys(f"price of {plan.gpu}: {plan.money.words}" for plan in found.plans):
            console.print(line, style="dim")
    if names := list(dict.fromkeys(_names(found))):
        for line in names:
            console.print(line, style="dim")
    if found.plans or names:
        console.print()
    if found.out:
        console.print(out_table(found))
    print_warnings(found.warnings, console)


def _names(found: Recommendation) -> Iterator[str]:
    """Which names of a question were taken for others: of plans, and of the accelerators that are out."""
    for plan in found.plans:
        yield from taken_as(plan.answer.question)
    near = (*found.plans, *(out.plan for out in found.out if out.plan is not None))
    spec_dir = next((plan.case.options.get("spec_dir") for plan in near), None)
    yield from taken_names((), found.wanted.gpus, spec_dir)


def plan_table(found: Recommendation) -> Grid:
    """The plans, each with its times and its cost; what all have in common stands in the title."""
    plans = found.plans
    tokens = all(plan.tokens_per_s is not None for plan in plans)
    times = [name for name in _TIMES if all(name in plan.times for plan in plans) and (tokens or name == "total_s")]
    currency = next((plan.money.currency for plan in plans if plan.cost_per_hour is not None), "USD")
    lot = f"{currency}/M out" if tokens else f"{currency}/1,000"
    varied = [(name, texts) for name, texts in _how(plans).items() if len(set(texts)) > 1]
    columns = [
        *(("plan", "left"), *((name, "left") for name, _ in varied)),
        *((_TIMES[name], "right?" if name == "total_s" and len(times) > 1 else "right") for name in times),
        *((f"{currency}/h", "right"), (lot, "right"), ("best by", "left")),
        *(("of most", "right?") for _ in range(_shared(plans))),
        ("headroom", "right?"),
    ]
    rows = [
        [machine_words(plan), *(texts[place] for _, texts in varied), *_figures(found, place, times, tokens)]
        for place, plan in enumerate(plans)
    ]
    common = ", ".join(f"{name} {texts[0]}" for name, texts in _how(plans).items() if len(set(texts)) == 1)
    return grid(f"The best plans, the cheapest first, as expected under the load; {common}", columns, rows)


def _how(plans: Sequence[Plan]) -> dict[str, list[str]]:
    """What may differ between plans, beside the machine."""
    questions = [plan.answer.question for plan in plans]
    found = {"weights": [q.precision.label for q in questions], "engine": [q.engine for q in questions]}
    return found | {"batch": [f"{float(q.run.batch):,.0f}" for q in questions]}


def _figures(found: Recommendation, place: int, times: list[str], tokens: bool) -> list[str]:
    plan: Plan = found.plans[place]
    shown = [format_time(float(plan.times[name].expected)) for name in times]
    each = plan.cost_per_million if tokens else plan.cost_per_thousand
    costs = ["–" if cost is None else amount(cost) for cost in (plan.cost_per_hour, each)]
    best = ", ".join(found.best.get(place, ()))
    share = "–" if plan.share is None else f"{100 * plan.share:.0f} %"
    shares = [share for _ in range(_shared(found.plans))]
    return [*shown, *costs, best, *shares, f"{100 * plan.headroom:.0f} %"]


def _shared(plans: Sequence[Plan]) -> bool:
    """Whether any plan has a share of the most that it can make."""
    return any(plan.share is not None for plan in plans)


def out_table(found: Recommendation) -> Grid:
    """The others, and why."""
    more = f"; {len(found.out) - _SHOWN} more in --json" if len(found.out) > _SHOWN else ""
    told = found.out[:_SHOWN]
    rows = [[out.gpu, "" if out.plan is None else count_words(out.plan), out.reason] for out in told]
    columns = (("accelerator", "name"), ("GPUs", "left"), ("why not", "text"))
    return grid(f"The others, the nearest first{more}", columns, rows)
