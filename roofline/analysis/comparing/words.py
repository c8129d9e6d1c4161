"""A comparison in the sentences that people see first, and how its ratios are counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from roofline.analysis.comparing.figures import (
    PRICE,
    Compared,
    Ratio,
    cost_per_hour,
    counted,
    currency_of,
    value_of,
)
from roofline.analysis.comparing.settings import differing, unlike
from roofline.analysis.fit.trial import Trial
from roofline.analysis.fit.words import missing, short_title
from roofline.answer.plain import listed
from roofline.runs.money.money import money_of
from roofline.specs.costs.prices import WORDS
from roofline.units import format_ratio, format_si, format_time

if TYPE_CHECKING:
    from roofline.analysis.comparing.correlation import Correlation
    from roofline.analysis.comparing.runs import Run
    from roofline.analysis.comparing.side_by_side import Best, SideBySide

#: Runs that a sentence names, further quantities that it speaks of.
_NAMED: Final = 3
_FURTHER: Final = 2
#: The share of pairs that an interval is to hold.
_HELD: Final = 0.8
#: Characters of a reason in a sentence.
_REASON: Final = 160


def shown(quantity: Compared, value: float) -> str:
    """A value of a quantity: a time, bytes, or a number of three digits, with its unit where the title has none."""
    if quantity.unit in ("s", "B"):
        return format_time(value) if quantity.unit == "s" else format_si(value, "B")
    if quantity.name == PRICE:
        return f"{value:,.2f} {quantity.unit}"
    number = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return number if quantity.group == "throughput" else f"{number} {quantity.unit}"


def verdict(found: SideBySide[Any]) -> str:
    """Which run is the best, by how much and how surely; what does not fit; what is refused."""
    return " ".join([*_judged(found), *_misfits(found), *_refused(found)])


def _work(found: SideBySide[Any]) -> Iterator[str]:
    """That runs which are compared do not do the same, though nobody asked for it."""
    if told := "; ".join(unlike(found)):
        yield f"The runs do not do the same work: {told}."


def _judged(found: SideBySide[Any]) -> Iterator[str]:
    """Of the runs that can happen: which is the best, and how surely."""
    main, order = found.main, found.order(found.main)
    if not order:
        return
    best, who = found.winners[main.name], found.rows[order[0]]
    if len(order) == 1:
        yield f"{_only(found, who)}: {_value(main, who)} {_by(main)}."
    elif best is None:
        every = "Both" if len(order) == 2 else f"All {len(order)}"
        widest = max((found.rows[place] for place in order), key=lambda row: _width(main, row))
        yield f"{every} runs that fit are alike: {_value(main, widest)} {_by(main)}."
    elif best.clear:
        yield f"{_clear(found, main, order)}{_price(found, order)}."
    else:
        yield _close(found, main, order, best)
    yield from _work(found)
    yield from _further(found, main, order[0])


def _only(found: SideBySide[Any], who: Run[Any]) -> str:
    """Why a run stands alone: the others do not fit, or are refused; beside bounds it does not."""
    others = [row for row in found.rows if row is not who and not row.ideal]
    if not others:
        return f"{who.name} is expected to take"
    return f"Only {who.name} {'fits' if any(row.answer is not None for row in others) else 'can run'}"


def _by(main: Compared) -> str:
    """What a value is of, behind it: `per output token`, `pictures per second`, `(whole picture)`."""
    if main.title.startswith("time per"):
        return main.title.removeprefix("time ")
    return main.title if main.group == "throughput" else f"({main.title})"


def _value(main: Compared, row: Run[Any]) -> str:
    """The expected value, with its interval where it has one."""
    times = value_of(row.answer, main.name)
    assert times is not None
    low, value, high = float(times.low), float(times.expected), float(times.high)
    if low == high:
        return shown(main, value)
    return f"{shown(main, value)} ({shown(main, low)} to {shown(main, high)})"


def _width(main: Compared, row: Run[Any]) -> float:
    """How many times its low end the high end of an interval is."""
    times = value_of(row.answer, main.name)
    return float(times.high) / float(times.low) if times is not None and float(times.low) else 1.0


def _clear(found: SideBySide[Any], main: Compared, order: Sequence[int]) -> str:
    """That one is the best, by how much against the runner-up, and against the first run."""
    who, runner = found.rows[order[0]], found.rows[order[1]]
    is_time = main.unit == "s" and main.better == "low"
    claim = "is the quickest" if is_time else f"has the {'least' if main.better == 'low' else 'most'} {main.title}"
    text = f"{who.name} {claim}: {_value(main, who)}{f' {_by(main)}' if is_time else ''}"
    text += f", {_gain(found, main, order[0], order[1])} {_as(main)} {runner.name}"
    first = found.first
    if first.fits and first.index in order[2:]:
        text += f" and {_gain(found, main, order[0], first.index)} {_as(main)} {first.name}, the first"
    return text


def _as(main: Compared) -> str:
    if main.unit == "s":
        return "as fast as"
    return "that of"


def _gain(found: SideBySide[Any], main: Compared, best: int, other: int) -> str:
    """By how much a run is better, with the interval: `1.7 × (1.3 to 2.2)`."""
    ratio = found.ratio(best, other, main.name)
    if ratio is None:
        return "?"
    faster = ratio.inverse if main.unit == "s" else ratio
    return f"{format_ratio(faster.expected)} ×{_between(faster)}"


def _between(ratio: Ratio) -> str:
    if ratio.low == ratio.high:
        return ""
    return f" ({format_ratio(ratio.low)} to {format_ratio(ratio.high)})"


def _price(found: SideBySide[Any], order: Sequence[int]) -> str:
    """What the best costs beside the runner-up, where both have a price."""
    costs = [cost_per_hour(found.rows[index].answer) for index in order[:2]]  # type: ignore[arg-type]
    if costs[0] is None or costs[1] is None or costs[0] == costs[1]:
        return ""
    runner = found.rows[order[1]].name
    text = f"; its price is {format_ratio(costs[0] / costs[1])} × that of {runner}"
    currency = currency_of(found.rows[order[0]].answer)  # type: ignore[arg-type]
    return f"{text} ({costs[0]:,.2f} against {costs[1]:,.2f} {currency} an hour)"


def _close(found: SideBySide[Any], main: Compared, order: Sequence[int], best: Best) -> str:
    """That the best cannot be told from others."""
    group = [index for index in order if index == best.row or index in best.too_close]
    names = _names([found.rows[index].name for index in group])
    if best.alike:
        return f"{names} are alike: {_value(main, found.rows[best.row])} {_by(main)}."
    if len(group) == 2:
        values = " and ".join(_value(main, found.rows[index]) for index in group)
        return f"{names} are too close to call: {values} {_by(main)}, {_gain(found, main, group[0], group[1])}."
    ends = [value_of(found.rows[index].answer, main.name) for index in (group[0], group[-1])]
    values = " to ".join(shown(main, float(times.expected)) for times in ends if times is not None)
    return f"{names} are too close to call: {values} {_by(main)}."


def _names(names: Sequence[str]) -> str:
    """Names in a row: those of runs that differ in several options are told apart by semicolons."""
    comma = "; " if any(", " in name for name in names) else ", "
    if len(names) > _NAMED:
        return f"{comma.join(names[:_NAMED])} and {len(names) - _NAMED} more"
    return listed(names, comma)


def _further(found: SideBySide[Any], main: Compared, best: int) -> Iterator[str]:
    """Headline quantities in which another run than the best is ahead beyond doubt."""
    others: dict[int, list[str]] = {}
    for each in found.quantities:
        ahead = found.winners[each.name]
        alone = len(found.order(each)) < 2
        if each.group and each != main and not alone and ahead is not None and ahead.clear and ahead.row != best:
            others.setdefault(ahead.row, []).append(each.title)
    for row, titles in list(others.items())[:_FURTHER]:
        yield f"{found.rows[row].name} is ahead in {_names(titles)}."


def _misfits(found: SideBySide[Any]) -> Iterator[str]:
    """What does not fit, and by how much."""
    runs = [(row, row.answer) for row in found.rows if row.answer is not None and not row.fits]
    trials = [(row, Trial("", {}, answer.question, answer.memory)) for row, answer in runs]
    if runs and not found.fits:
        near, trial = min(trials, key=lambda pair: max(pair[1].missing, pair[1].host_missing))
        none = "The one run" if len(runs) == 1 else f"None of {len(runs)} runs"
        yield f"{none} fits in memory; {near.name} comes nearest: it {missing(trial)}."
    elif runs:
        told = [f"{row.name} {missing(trial)}" for row, trial in trials[:_NAMED]]
        more = "; …" if len(runs) > _NAMED else ""
        one = f"{runs[0][0].name} does not fit: it {missing(trials[0][1])}."
        yield one if len(runs) == 1 else f"{len(runs)} runs do not fit: {'; '.join(told)}{more}."


def _refused(found: SideBySide[Any]) -> Iterator[str]:
    """What cannot be run at all, with the beginning of each reason."""
    reasons: dict[str, list[str]] = {}
    for row in found.rows:
        if row.answer is None:
            reasons.setdefault(_brief(row.refusal), []).append(row.label)
    for reason, labels in list(reasons.items())[:_FURTHER]:
        verb = "is" if len(labels) == 1 else "are"
        yield f"{_names(labels)} {verb} refused: {reason}."
    if len(reasons) > _FURTHER:
        yield "Others are refused for other reasons."


def _brief(reason: str) -> str:
    """A reason up to what to do about it."""
    text = reason.partition(": use ")[0].partition("; ")[0].partition(". ")[0].rstrip(".")
    return text if len(text) <= _REASON else f"{text[: _REASON - 1]}…"


def assumptions(found: SideBySide[Any]) -> list[str]:
    """How ratios are counted, and what prices are."""
    answers = [row.answer for row in found.rows if row.answer is not None]
    ideal = [row.ideal for row in found.rows if row.answer is not None]
    misfit = "" if found.first.fits else ", which does not fit"
    notes = [f"ratios are to the first run, {found.first.label}{misfit}; × below 1 is less of it"]
    notes += [f"they differ as well in {each}" for each in differing(found)]
    if all(ideal):
        notes.append("engine ideal: roofline bounds are compared, which have no interval")
    else:
        notes.append(
            "the interval of a ratio comes from both 80 % intervals and from how far the errors of such runs go "
            "together; too close to call: it holds 1"
        )
        notes += _correlated(list(counted(found.pairs)))
        if any(ideal):
            notes.append("runs of engine ideal are bounds, which no clock shows: none of them is called the best")
    if len({answer.question.kind.name for answer in answers}) > 1:
        notes.append("kinds of run differ: compared by what they have in common, though what is made is not the same")
    if any(each.name == PRICE for each in found.quantities):
        notes.append(f"prices per hour: {_prices(found)}")
    return notes


def _correlated(each: Sequence[Correlation]) -> Iterator[str]:
    """How far the errors of runs go together that share this or that; and where their intervals held fewer of the pairs
    than they promise.
    """
    told = [f"{_facets(one)} by {one.value:g} ({_pairs(one)})" for one in each if one.value]
    if told:
        yield f"errors go together, of runs that share {'; '.join(told)} (pairs of measured runs)"
    alone = [f"{_facets(one)} ({_pairs(one)})" for one in each if not one.value]
    if alone:
        yield f"errors are taken as independent, of runs that share {'; '.join(alone)} (pairs of measured runs)"


def _facets(one: Correlation) -> str:
    return listed(one.shared) or "nothing"


def _pairs(one: Correlation) -> str:
    """So many pairs, and the share that their interval held where that is less than it should."""
    held = f", of which the interval held {100 * one.coverage:.0f} %" if one.coverage < _HELD else ""
    return f"{one.pairs:,}{held}"


def _prices(found: SideBySide[Any]) -> str:
    asked = {row.answer.question.gpu.name: row.answer.question for row in found.rows if row.answer is not None}
    known = ((question.gpu, money_of(question).price) for question in asked.values())
    told = (f"{short_title(gpu)} {WORDS[p.kind]}, {p.provider} {p.date}".rstrip() for gpu, p in known if p is not None)
    return "; ".join(told)
