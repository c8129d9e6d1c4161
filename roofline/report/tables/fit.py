"""The tables of `roofline fit`: the verdict, what is held, what would help, and which machines hold it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from roofline.analysis.fit.answer import Fitting
from roofline.analysis.fit.machines import Machine
from roofline.analysis.fit.remedies import saved
from roofline.analysis.fit.trial import Trial
from roofline.analysis.fit.words import short_title
from roofline.answer.memory import ENDLESS
from roofline.report.tables.estimate import memory_table, print_asked, print_warnings
from roofline.report.tables.grid import Grid, grid
from roofline.report.tables.legend import print_table
from roofline.units import format_si, format_time, short_count

if TYPE_CHECKING:
    from roofline.report.tables.console import Console

#: Rows of machines that are shown; JSON and CSV have all.
_SHOWN: Final = 20
#: The warnings that the verdict has told.
_TOLD: Final = ("does-not-fit", "host-memory")
#: How limits are called in a heading.
_HEADINGS: Final = {"max_batch": "batch", "max_context": "context", "max_side_px": "square"}


def print_fit(fit: Fitting, console: Console) -> None:
    """The verdict first, then what it rests on."""
    q = fit.answer.question
    console.print(fit.verdict, style="bold")
    console.print()
    if fit.anywhere:
        if fit.fits:
            print_table(machine_table(fit.machines), console)
        console.print(f"On {short_title(q.gpu)}:")
    print_asked(fit.answer, console)
    print_table(memory_table(fit.answer), console)
    for line in _pool(fit):
        console.print(line)
        console.print()
    if fit.remedies.each:
        print_table(remedy_table(fit), console)
    print_warnings((warn for warn in fit.warnings if warn.code not in _TOLD), console)


def _pool(fit: Fitting) -> Iterator[str]:
    """What is left for the cache, where it fits."""
    pool = fit.asked.memory.pool
    if pool is not None and fit.fits:
        left = f"{format_si(float(pool.bytes), 'B')} are left for the cache: {float(pool.tokens):,.0f} tokens"
        yield f"{left}, {float(pool.concurrency):,.1f} times {short_count(float(pool.at_tokens))}"


def remedy_table(fit: Fitting) -> Grid:
    """What would help, each with what it needs then and how far it could grow."""
    limits = [limit.name for limit in fit.asked.memory.limits]
    told = fit.asked.timed().seconds
    names = [_HEADINGS.get(name, name.removeprefix("max_")) for name in limits]
    headings = [(f"largest {name}" if told is None else f"{name} ≤", "right?") for name in names]
    timed = [] if told is None else [("expected", "right")]
    columns = (("change", "text"), ("needs", "right"), ("saves", "right?"), ("", "left"), *timed, *headings)
    rows = [_remedy(trial, fit.asked, limits, told is not None) for trial in fit.remedies.each]
    each = "" if fit.asked.plan.single else " per GPU"
    than = "" if told is None else f"; where it fits, the quickest first; as asked {format_time(told)}"
    return grid(f"What would help, and how much{each}{than}", columns, rows)


def _remedy(trial: Trial, asked: Trial, limits: Sequence[str], timed: bool) -> list[str]:
    sizes = [format_si(float(trial.memory.total_bytes), "B"), format_si(saved(trial, asked), "B")]
    grows = [_limit(limit.value) for limit in trial.memory.limits if limit.name in limits]
    taken = ["–" if trial.seconds is None else format_time(trial.seconds)] if timed else []
    return [trial.words, *sizes, _whether(trial), *taken, *grows]


def _whether(trial: Trial) -> str:
    if trial.fits:
        return "fits"
    return "no" if trial.missing > 0 else "host short"


def _limit(value: int | None) -> str:
    """A limit in a table."""
    if not value:
        return "–"
    return "any" if value >= ENDLESS else f"{value:,}"


_MACHINES: Final = (
    *(("accelerator", "name"), ("GPUs", "right"), ("plan", "left?"), ("needs", "right"), ("of", "right")),
    *(("batch", "right"), ("{}/h", "right"), ("read", "name?"), ("from", "left?")),
)


def machine_table(machines: Sequence[Machine]) -> Grid:
    """The accelerators that hold it, the cheapest first, then those without a known price."""
    holding = [machine for machine in machines if machine.fits]
    rows = [_machine(machine) for machine in holding[:_SHOWN]]
    currency = holding[0].money.asked.reference if holding else "USD"
    more = f"; {len(holding) - _SHOWN} more in --json" if len(holding) > _SHOWN else ""
    title = f"Machines that hold it, the cheapest first, then by memory; bytes per GPU{more}"
    return grid(title, [(name.format(currency), side) for name, side in _MACHINES], rows)


def _machine(machine: Machine) -> list[str]:
    assert machine.trial is not None
    trial, price, cost = machine.trial, machine.money.price, machine.cost_per_hour
    plan = "" if trial.plan.single else trial.plan.text()
    sizes = [format_si(float(trial.memory.total_bytes), "B"), format_si(float(trial.memory.usable_bytes), "B")]
    told = ["–", "", ""]
    if price is not None and cost is not None:
        other = "" if machine.money.currency == machine.money.asked.reference else f" {machine.money.currency}"
        told = [f"{cost:,.2f}{other}", price.date, price.provider + " (?)" * bool(price.doubt)]
    return [machine.gpu.name, str(machine.gpus), plan, *sizes, f"{trial.room:,}" if trial.room else "–", *told]
