"""The answer in the sentences that people see first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from roofline.analysis.fit.trial import Trial
from roofline.answer.memory import HostRoom
from roofline.specs.gpu import GPUSpec
from roofline.units import format_si

if TYPE_CHECKING:
    from roofline.analysis.fit.machines import Machine
    from roofline.analysis.fit.remedies import Remedies


def where(trial: Trial) -> str:
    """The devices of a run: `one H100 SXM5 80GB`, `2 × H100 SXM5 80GB`, with the plan where that is not plain."""
    plan, gpu = trial.plan, short_title(trial.question.gpu)
    if plan.devices == 1:
        return f"one {gpu}"
    text = f"{plan.devices} × {gpu}"
    return text if plan.tp == plan.devices and plan.ep == 1 else f"{text} ({plan.text()})"


def short_title(gpu: GPUSpec) -> str:
    """An accelerator without its vendor's name."""
    first, _, rest = gpu.title.partition(" ")
    return rest if rest and first.lower() == gpu.vendor.lower() else gpu.title


def subject(trial: Trial) -> str:
    """The model and the format of its weights, with the batch where more than one is asked."""
    q = trial.question
    text = f"{q.spec.title} in {q.precision.weights.name}"
    number = int(float(q.run.batch)) * trial.plan.dp
    return text if number == 1 else f"{text} with {q.kind.requests(q, number)}"


def with_room(trial: Trial) -> str:
    """Behind what fits: ` with room for 41 requests of 8k tokens`; nothing where batches have no limit."""
    q, number = trial.question, trial.room
    asked = int(float(q.run.batch)) * trial.plan.dp
    in_all = " in all" if asked > 1 else ""
    return f" with room for {q.kind.requests(q, number)}{in_all}" if number else ""


def beside(trial: Trial) -> str:
    """Behind the devices: ` and 17.0 GB of host memory`, where anything stays there."""
    host = trial.memory.host
    return f" and {_stays(host)}" if host is not None else ""


def _stays(host: HostRoom) -> str:
    return f"{format_si(float(host.together), 'B')} of host memory"


def missing(trial: Trial) -> str:
    """By how much it misses, on the fullest device, else in the host's memory."""
    host = trial.memory.host
    if host is not None and trial.missing <= 0:
        room = f"{format_si(float(host.together), 'B')} stay there, {host.name} takes {format_si(host.capacity, 'B')}"
        return f"misses by {format_si(trial.host_missing, 'B')} of host memory ({room})"
    each = " per GPU" if trial.plan.devices > 1 else ""
    return f"misses by {format_si(trial.missing, 'B', 2 if trial.missing < 1e10 else 3)}{each}"


def verdict(asked: Trial, fewest: Trial | None, fewer: Trial | None, help_: Remedies) -> str:
    """Whether it fits and with how much room, how far fewer devices miss it, and what would make it fit."""
    if not asked.fits:
        return " ".join(_misfit(asked, fewest, help_))
    text = f"{subject(asked)} fits on {where(asked)}{beside(asked)}{with_room(asked)}"
    replica = asked.plan.devices // asked.plan.dp
    if fewest is not None and fewest.plan.devices < replica:
        return f"{text}; {where(fewest)} would hold it."
    if fewer is not None and not fewer.fits:
        on = "one" if fewer.plan.devices == 1 else str(fewer.plan.devices)
        return f"{text}; on {on} it {missing(fewer)}."
    return f"{text}."


def _misfit(asked: Trial, fewest: Trial | None, help_: Remedies) -> Iterator[str]:
    text = f"{subject(asked)} does not fit on {where(asked)}: it {missing(asked)}"
    q = asked.question
    yield f"{text}; there is room for {q.kind.requests(q, asked.room)}." if asked.room else f"{text}."
    takes = f"it takes {where(fewest)}{with_room(fewest)}" if fewest is not None else ""
    if help_.mildest is not None:
        host = help_.mildest.memory.host
        held = f", in {_stays(host)}," if host is not None else ""
        text = f"With {help_.mildest.words}{held} it fits{with_room(help_.mildest)}"
        yield f"{text}; as asked {takes}." if takes else f"{text}."
    elif takes:
        yield f"As asked {takes}."
    else:
        yield "Nothing that was tried makes it fit."
        yield from _larger_host(asked, help_)


def _larger_host(asked: Trial, help_: Remedies) -> Iterator[str]:
    """What would do with more memory in the host: the way that leaves least there."""
    ways = [trial for trial in (asked, *help_.each) if trial.missing <= 0 < trial.host_missing]
    least = min(ways, key=lambda trial: trial.host_missing, default=None)
    if least is not None and (host := least.memory.host) is not None:
        what = "As asked" if least is asked else f"With {least.words}"
        takes = format_si(host.capacity, "B")
        offload = least.question.spread.away
        option = f"--offload {offload.text()} --host NAME" if offload is not None else "--host NAME"
        yield f"{what} it would, with {_stays(host)}; {host.name} takes {takes}, {option} is another."


def verdict_of_machines(found: tuple[Machine, ...], planned: bool) -> str:
    """How many kinds of accelerator hold it, and the first of them; else which comes nearest."""
    holding = [machine for machine in found if machine.fits]
    best = holding[0] if holding else next((machine for machine in found if machine.trial is not None), None)
    if best is None or best.trial is None:
        return f"None of {len(found)} kinds of accelerator can run it."
    what, scope = subject(best.trial), "" if planned else ", within a node of each"
    if not holding:
        on = where(best.trial)
        first = f"{what} fits on none of {len(found)} kinds of accelerator{scope}"
        return f"{first}; on {on} it {missing(best.trial)}."
    first = f"{what} fits on {len(holding)} of {len(found)} kinds of accelerator{scope}"
    cost = best.cost_per_hour
    price = best.money.price
    if cost is None or price is None:
        return f"{first}; the smallest is {where(best.trial)}{with_room(best.trial)}."
    who = ", ".join(word for word in (price.provider, price.date) if word)
    who += ", doubtful" if price.doubt else ""
    hourly = f"{cost:,.2f} {best.money.currency} an hour ({who})"
    return f"{first}; the cheapest with a known price is {where(best.trial)} at {hourly}{with_room(best.trial)}."
