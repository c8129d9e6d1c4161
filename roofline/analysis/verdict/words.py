"""The sentences of a verdict, made from its numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from roofline.analysis.estimate import Answer
from roofline.analysis.fit.words import short_title
from roofline.analysis.verdict.focus import FETCHING, Focus
from roofline.analysis.verdict.helps import Help
from roofline.answer.plain import counted_whole
from roofline.answer.times import Times
from roofline.machine.engine import IDEAL
from roofline.runs.kind import Outcome
from roofline.runs.load import load_gpu
from roofline.runs.telling.spoken import Spoken
from roofline.units import format_ratio, format_time

#: A phase that takes less of the time than this is told with its share.
_ALL: Final = 0.9
IMPOSSIBLE: Final = "The times are those of a run that cannot happen."
_WHOLE: Final = Spoken("total_s", "", "in all")
_FETCHING: Final = Spoken("total_s", "Fetching weights from the host", "in all")


def verdict(est: Answer, focus: Focus, found: Sequence[Help]) -> str:
    """What limits it, how sure that is, and what would help most."""
    spoken = _FETCHING if focus.name == FETCHING else est.question.kind.focus.get(focus.name, _WHOLE)
    title = spoken.title or f"The phase {focus.name}"
    share = f", {100 * focus.share:.0f} % of the time," if focus.share < _ALL else ""
    first = f"{title}{share} is bound by {focus.bound_words}: {_times(est, focus, spoken)}{_spent(focus)}."
    served = _served(est)
    helping = _helping(est, spoken.per if focus.judged is focus.quantity else "in all", found)
    if served:
        first = f"Taken as one batch, {first[0].lower()}{first[1:]}"
    return " ".join(part for part in (served, first, helping) if part)


def _served(est: Answer) -> str:
    """What each of the users sees, where users were asked for."""
    service = est.service if est.question.for_users else None
    if service is None:
        return ""
    first = service.client_ttft_s or service.ttft_s
    text = f"Each of {counted_whole(int(float(service.users)), 'user')} waits {format_time(float(first.expected))}"
    text += " for the first token"
    if service.tpot_s is None:
        return f"{text}."
    return f"{text}, then {format_time(float(service.tpot_s.expected))} for each further one ({span(service.tpot_s)})."


def _times(est: Outcome, focus: Focus, spoken: Spoken) -> str:
    """The time in focus with its interval: `12.0 ms per token (9.60 to 15.5)`; of a bound that it is one."""
    assert focus.quantity.times is not None
    text = f"{format_time(float(focus.quantity.times.expected))} {spoken.per}"
    if est.question.engine == IDEAL:
        return f"{text} at least"
    beside = est.quantity(spoken.beside[0])
    also = "" if beside is None or beside.times is None else _also(beside.times, spoken.beside[1])
    if focus.fetches and not also and focus.judged is not focus.quantity and focus.judged.times is not None:
        also = _also(focus.judged.times, "in all")
    return f"{text} ({span(focus.quantity.times)}){also}"


def _also(times: Times, per: str) -> str:
    return f", {format_time(float(times.expected))} {per}"


def span(times: Times) -> str:
    """The interval, with the unit once where both ends have the same."""
    low, high = format_time(float(times.low)), format_time(float(times.high))
    number, _, unit = low.rpartition(" ")
    return f"{number} to {high}" if high.endswith(f" {unit}") else f"{low} to {high}"


def _spent(focus: Focus) -> str:
    """On what most of it is spent: `, 61 % of it reading weights`; of a run that waits for weights, that share."""
    if focus.fetches and focus.name != FETCHING:
        return f", {100 * focus.fetched:.0f} % of it fetching weights"
    for words, share in focus.spent.items():
        return f", {100 * share:.0f} % of it {words}"
    return ""


def _helping(est: Outcome, per: str, found: Sequence[Help]) -> str:
    """What would help, in one sentence; what a time is `per`."""
    parts = [*_clauses(est, per, found)]
    if not parts:
        return ""
    text = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])}; {parts[-1]}"
    return f"{text[0].upper()}{text[1:]}."


def _clauses(est: Outcome, per: str, found: Sequence[Help]) -> Iterator[str]:
    """The best of each kind, in words."""
    kinds = {help_.kind for help_ in found}
    for help_ in found:
        if help_.kind == "format":
            yield f"{help_.change} would make it {format_ratio(help_.ratio)} × as fast"
        elif help_.kind == "batch":
            slower = f" at {format_ratio(help_.slower)} × the time {per}" if help_.slower > 1.05 else ""
            yield f"{help_.change} would give {format_ratio(help_.ratio)} × the throughput{slower}"
        elif help_.kind == "gpus" and "gpu" not in kinds:
            yield f"{help_.change} would be {format_ratio(help_.ratio)} × as fast"
        elif help_.kind == "gpu":
            yield f"{_machine(est, help_)} would be {format_ratio(help_.ratio)} × as fast{_price(est, help_)}"


def _machine(est: Outcome, help_: Help) -> str:
    number, title = est.question.spread.plan.devices, short_title(load_gpu(help_.change))
    article = "an" if title[0] in "AEFHILMNORSX" else "a"
    return f"{number} × {title}" if number > 1 else f"{article} {title}"


def _price(est: Outcome, help_: Help) -> str:
    if help_.price is not None:
        return f" at {format_ratio(help_.price)} × the price"
    return (
        f" for {help_.price_per_hour:,.2f} {est.question.money.reference} an hour"
        if help_.price_per_hour is not None
        else ""
    )
