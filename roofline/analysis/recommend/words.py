"""A recommendation in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from roofline.analysis.fit.words import short_title
from roofline.analysis.recommend.plan import Out, Plan
from roofline.analysis.recommend.wanted import Wanted
from roofline.analysis.verdict.words import span
from roofline.answer.plain import counted_whole
from roofline.runs.money.money import amount
from roofline.units import format_ratio, format_time

#: A share of what a plan can do from which on it is told that there is no margin.
_FULL: Final = 0.9
_LIMITS: Final = {"ttft_s": "to the first token", "tpot_s": "per token", "total_s": "in all"}


def machine_words(plan: Plan) -> str:
    """The devices of a plan: `2 × H100 SXM5 80GB (tp 2)`, `4 × L4 (4 replicas)`."""
    title = short_title(plan.trial.question.gpu)
    return f"one {title}" if plan.gpus == 1 else f"{plan.gpus} × {title}{_laid(plan)}"


def count_words(plan: Plan) -> str:
    """How many devices a plan has, and how they are laid out: `2 (tp 2)`, `4 (4 replicas)`."""
    return f"{plan.gpus}{_laid(plan)}"


def _laid(plan: Plan) -> str:
    spread = plan.trial.plan
    parts = [spread.text()] if plan.replicas == 1 and spread.devices > 1 else []
    if plan.replicas > 1:
        each = plan.gpus // plan.replicas
        parts.append(f"{plan.replicas} replicas" + (f" of {each}" if each > 1 else ""))
    return f" ({', '.join(parts)})" if parts else ""


def times_words(plan: Plan, wanted: Wanted) -> str:
    """The times of a plan that limits are about, else those that there are first."""
    names = [name for name in _LIMITS if name in wanted.limits and name in plan.times]
    names = names or [name for name in _LIMITS if name in plan.times][:2]
    texts = [f"{format_time(float(plan.times[n].expected))} {_LIMITS[n]} ({span(plan.times[n])})" for n in names]
    return ", ".join(texts)


def cost_words(plan: Plan) -> str:
    """What a plan costs."""
    cost = plan.cost_per_hour
    if cost is None:
        return "no price is known"
    text = f"{amount(cost)} {plan.money.currency}"
    tokens = plan.cost_per_million
    if tokens is not None:
        return f"{text}, {amount(tokens)} per million output tokens"
    each = plan.cost_per_thousand
    return text if each is None else f"{text}, {amount(each)} per thousand {_made(plan)}"


def _made(plan: Plan) -> str:
    return "pictures" if plan.answer.quantity("images_per_s") is not None else "sequences"


def load_words(plan: Plan, wanted: Wanted) -> str:
    """For whom or what a plan is: `50 users`, `2 pictures a second`."""
    if wanted.users is not None:
        return f" for {counted_whole(wanted.users, 'user')}"
    if wanted.rate is not None:
        what = "requests" if plan.tokens_per_s is not None else _made(plan)
        what = what.removesuffix("s") if wanted.rate == 1.0 else what
        return f" at {wanted.rate:.4g} {what} a second"
    return ""


def against(plan: Plan, first: Plan) -> str:
    """A plan against another: `2.1 × the cost, 1.8 × as fast`."""
    ours, theirs = plan.cost_per_hour, first.cost_per_hour
    parts = [f"{format_ratio(ours / theirs)} × the cost"] if ours is not None and theirs else []
    return ", ".join([*parts, f"{format_ratio(first.speed / plan.speed)} × as fast"])


def verdict(plans: Sequence[Plan], out: Sequence[Out], wanted: Wanted, looked_at: int) -> str:
    """What to take, and the runner-up; else what comes nearest."""
    if not plans:
        return _nothing(out, looked_at)
    first = plans[0]
    q = first.answer.question
    what = f"{q.spec.title} in {q.precision.weights.name}{load_words(first, wanted)}"
    why = "at the least cost per hour" if first.cost_per_hour is not None else "on the fewest GPUs"
    runs = "it runs" if first.gpus == 1 else "they run"
    text = f"Take {machine_words(first)}: {runs} {what} {why}, {cost_words(first)}; {times_words(first, wanted)}."
    if not wanted.limits and (wanted.users is not None or wanted.rate is not None):
        text += " No limit on a time was asked."
    if first.share is not None and first.share > _FULL:
        text += f" That is {100 * first.share:.0f} % of what it can do: a peak would wait."
    late = [name for name in first.misses(wanted, "high") if name != "budget"]
    if late:
        text += f" At the slow end of the interval it misses the time {_LIMITS[late[0]]}."
    return f"{text} {_runner_up(plans, looked_at)}".rstrip()


def _runner_up(plans: Sequence[Plan], looked_at: int) -> str:
    others = [plan for plan in plans[1:] if plan.gpu != plans[0].gpu] or plans[1:]
    if not others:
        return f"No other of {looked_at} accelerators does." if looked_at > 1 else ""
    return f"Runner-up: {machine_words(others[0])}, {against(others[0], plans[0])}."


def _nothing(out: Sequence[Out], looked_at: int) -> str:
    number = counted_whole(looked_at, "accelerator")
    text = f"None of {number} does what is wanted" if looked_at > 1 else "It does not do what is wanted"
    nearest = next(iter(out), None)
    if nearest is None:
        return f"{text}."
    if nearest.plan is None:
        return f"{text}; {nearest.gpu} {nearest.reason}."
    return f"{text}; nearest is {machine_words(nearest.plan)}: {nearest.reason}."


def missed(plan: Plan, wanted: Wanted) -> str:
    """What a plan misses: `38.0 ms per token, 33.3 ms are asked`."""
    parts: list[str] = []
    for name in plan.misses(wanted):
        if name == "budget" and plan.cost_per_hour is None:
            parts.append("no price is known that could be held against the budget")
        elif name == "budget":
            cost = f"{amount(plan.cost_per_hour or 0.0)} {plan.money.currency} an hour"
            parts.append(f"{cost}, {amount(wanted.budget or 0.0)} is the budget")
        else:
            time = format_time(float(plan.times[name].expected))
            parts.append(f"{time} {_LIMITS[name]}, {format_time(wanted.limits[name])} asked")
    return "; ".join(parts)
