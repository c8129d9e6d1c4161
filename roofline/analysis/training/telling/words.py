"""The sentences about a training run, made from its numbers, and the words for lengths of time and money in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from roofline.analysis.fit.words import short_title
from roofline.analysis.training.telling.helping import first_fitting
from roofline.answer.plain import counted_whole
from roofline.answer.times import Times
from roofline.machine.engine import IDEAL
from roofline.runs.money.money import amount
from roofline.units import format_count, format_si, format_time

if TYPE_CHECKING:
    from roofline.analysis.training.figures import TrainFigures, Whole
    from roofline.analysis.training.telling.helping import Helped
    from roofline.runs.training.run import TrainQuestion

_MINUTE, _HOUR, _DAY, _YEAR = 60.0, 3600.0, 86_400.0, 365.25 * 86_400.0
#: What is told where nothing was said of the run's length.
_BILLION, _PICTURES = 1e9, 1e6
_KWH: Final = 3.6e6
#: Shorter runs are told in seconds alone, and cheaper ones without a price.
LEAST_HOURS: Final = 0.01
_LEAST_COST: Final = 0.005
_DIGITS: Final = 3


def verdict(answer: TrainFigures) -> str:
    """How fast, how long, at which cost, in which memory; where it does not fit, by how much and what would help."""
    text = _fitting(answer) if answer.memory.fits else " ".join(_misfit(answer))
    return text[:1].upper() + text[1:]


def _fitting(answer: TrainFigures) -> str:
    q = answer.question
    held, room = (format_si(float(size), "B") for size in (answer.memory.total_bytes, answer.memory.usable_bytes))
    return f"{subject(q)} on {where(q)} {pace(answer)}; {length(answer)}; {held} of {room} used{_each(q)}."


def _misfit(answer: TrainFigures) -> Iterator[str]:
    q, memory = answer.question, answer.memory
    needs, over = (float(memory.total_bytes), float(memory.total_bytes) - float(memory.usable_bytes))
    room = f"it needs {format_si(needs, 'B')}{_each(q)}, and there are {memory.room}: {format_si(over, 'B')} too much"
    yield f"{subject(q, 'does not train')} on {where(q)}: {room}."
    remedy = first_fitting(answer.remedies)
    if remedy is None:
        yield "Nothing that was tried makes it fit."
    else:
        whole = "lora" in remedy.changes and next((each for each in answer.remedies if each.fits and _all(each)), None)
        text = f"{_with(remedy.options)} it would: {remedy.needs}{_each(q)}"
        more = f"; all weights {_with(whole.options, 'with')}: {whole.needs}{_each(q)}" if whole else ""
        yield f"{text}{more}."


def _with(options: str, word: str = "With") -> str:
    """`With --zero 3`, `Without --attention eager`, `With --zero 3 and without --attention eager`."""
    given, _, left = options.partition("without ")
    if not left:
        return f"{word} {options}"
    left = left.replace(" without ", " and ")
    return f"{word} {given.strip()} and without {left}" if given else f"{word}out {left}"


def _all(found: Helped) -> bool:
    """Whether all weights are trained still."""
    return "lora" not in found.changes


def _each(q: TrainQuestion) -> str:
    return " per GPU" if q.gpus > 1 else ""


def subject(q: TrainQuestion, verb: str = "trains") -> str:
    """What is trained: `Llama 2 7B trains`, `LoRA of rank 16 on Llama 2 7B trains`."""
    return f"{what(q)} {verb}"


def what(q: TrainQuestion) -> str:
    """What is trained: the model, a part of it, or adapters on it."""
    part = _part(q) if q.run.height else ""
    if q.run.adapters is None:
        return f"{part}{q.spec.title.removesuffix(' with a ControlNet') if part else q.spec.title}"
    base = f" in {q.run.base}" if q.run.base else ""
    return f"LoRA of rank {q.run.adapters.rank:.0f} on {part}{q.spec.title}{base}"


def _part(q: TrainQuestion) -> str:
    """The part of a pipeline that is trained; nothing where the model is that part."""
    if q.run.part == "vae":
        return "the autoencoder of " if getattr(q.spec, "autoencoder", None) is not None else ""
    return "a ControlNet on " if q.run.part == "controlnet" else ""


def where(q: TrainQuestion) -> str:
    """The devices: `one H100 SXM5 80GB`, `64 × A100 SXM4 80GB`."""
    title = short_title(q.gpu)
    return f"one {title}" if q.gpus == 1 else f"{q.gpus:,} × {title}"


def pace(answer: TrainFigures) -> str:
    """`at 3,290 tokens/s per GPU (2,700 to 3,900; MFU 50 %, causal model FLOPs)`."""
    q = answer.question
    rate = answer.tokens_per_s * (1.0 / q.gpus)
    unit = f"{_encoded(q)}{unit_of(q)}/s{_each(q)}"
    share = f"MFU {100 * answer.mfu:.0f} %" if answer.mfu >= 0.0995 else f"MFU {100 * answer.mfu:.1f} %"
    counted = ", causal model FLOPs" if masked(answer) else ", model FLOPs"
    if q.engine == IDEAL:
        return f"at {shown_rate(float(rate.bound))} {unit} at most (the roofline's bound; {share}{counted})"
    between = f"{shown_rate(float(rate.low))} to {shown_rate(float(rate.high))}; "
    return f"at {shown_rate(float(rate.expected))} {unit} ({between}{share}{counted})"


def masked(answer: TrainFigures) -> bool:
    """Whether a causal mask leaves out FLOPs that show in the digits told; a decoder's behind an encoder is no more."""
    run, per = answer.question.run, answer.question.run.tokens_per_step
    if not run.sequence or run.decoder:
        return False
    causal, full = (format_si(value / per, "") for value in (answer.flops.causal, answer.flops.full))
    return causal != full


def _encoded(q: TrainQuestion) -> str:
    """Whose tokens are counted, where a decoder reads others."""
    return "encoder " if q.run.decoder else ""


def unit_of(q: TrainQuestion) -> str:
    """What a run is counted in."""
    return "tokens" if q.run.sequence else "pictures"


def shown_rate(rate: float) -> str:
    """A rate to three digits: 12,300, 3,290, 12.4, 0.186."""
    return f"{float(f'{rate:.{_DIGITS}g}'):,.0f}" if rate >= 100 else f"{rate:.{_DIGITS}g}"


def length(answer: TrainFigures) -> str:
    """What the whole run takes, or a billion tokens (a million pictures) where nothing was said of it."""
    q, whole = answer.question, answer.whole
    if whole is None:
        return _length_of_some(answer)
    seconds = float(whole.seconds.expected)
    parts = [lasting(seconds)]
    if q.gpus > 1 and float(whole.gpu_hours.expected) >= LEAST_HOURS:
        parts.append(gpu_hours(float(whole.gpu_hours.expected)))
    text = f"{amount_of(answer, whole)} take {' and '.join(parts)}"
    cost = float(whole.cost.expected) if whole.cost is not None else 0.0
    return text if cost < _LEAST_COST else f"{text}, {money(cost)} {whole.currency}"


def _length_of_some(answer: TrainFigures) -> str:
    """What a billion tokens, or a million pictures, take."""
    q = answer.question
    number = _BILLION if q.run.sequence else _PICTURES
    taken = answer.times * (number / q.run.tokens_per_step)
    seconds, cost = float(taken.expected), answer.cost_of(taken)
    beside = [gpu_hours(seconds * q.gpus / _HOUR)] if q.gpus > 1 else []
    beside += [f"{money(float(cost.expected))} {answer.money.currency}"] if cost is not None else []
    text = f"{format_count(number).replace('1 ', 'a ', 1)} {unit_of(q)} take {lasting(seconds)}"
    return f"{text} ({', '.join(beside)})" if beside else text


def amount_of(answer: TrainFigures, whole: Whole) -> str:
    """How much is trained on: tokens, pictures, or steps as they were asked."""
    asked = answer.question.asked
    if asked.get("steps") is not None:
        return counted_whole(int(whole.steps), "step") if whole.steps == int(whole.steps) else f"{whole.steps:,g} steps"
    number, unit = whole.tokens, unit_of(answer.question)
    if asked.get("samples") is not None and answer.question.run.sequence:
        number, unit = whole.tokens / answer.question.run.sequence, "sequences"
    return f"{format_count(number)} {unit}"


def gpu_hours(hours: float) -> str:
    """`168,000 GPU-hours`, `12.4 GPU-hours`."""
    return f"{rounded(hours)} GPU-hours"


def money(value: float) -> str:
    """Money to three digits: 234,000, 114, 12.40."""
    return rounded(value) if value >= 100 else amount(value)


def rounded(value: float) -> str:
    """A number to three digits, thousands apart."""
    return f"{float(f'{value:.{_DIGITS}g}'):,.0f}" if value >= 100 else f"{value:.{_DIGITS}g}"


def energy(joules: float) -> str:
    """Joules as people pay for them: `1.20 MWh`."""
    kwh = joules / _KWH
    return f"{format_si(1e3 * kwh, 'Wh')}"


def lasting(seconds: float) -> str:
    """A length of time as people say it: `45.0 s`, `12 min`, `3 h 12 min`, `110 days`, `4.2 years`."""
    if seconds < 2 * _MINUTE:
        return format_time(seconds)
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    if seconds < 2 * _DAY:
        hours, minutes = divmod(round(seconds / _MINUTE), 60)
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    if seconds < 3 * _YEAR:
        days = seconds / _DAY
        return f"{days:.0f} days" if days >= 99.5 else f"{days:.{1}f} days"
    years = seconds / _YEAR
    return f"{rounded(years)} years"


def readings(times: Times, ideal: bool) -> tuple[float, ...]:
    """What is shown of a quantity: floor, bound and, with an engine, expected and interval."""
    found = tuple(float(value) for value in times)
    return found[:2] if ideal else found
