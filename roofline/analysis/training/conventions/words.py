"""The answer of `roofline flops` in the sentences that people see first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from roofline.analysis.fit.words import short_title
from roofline.analysis.training.conventions.ask import Wanted
from roofline.analysis.training.conventions.reasons import signed
from roofline.units import format_count, format_si, format_time, short_count

if TYPE_CHECKING:
    from roofline.analysis.training.conventions.counts import Count, Counts


def verdict(found: Counts) -> str:
    """One to three sentences."""
    return " ".join(sentence for part in (_cost, _speed, _optimum) for sentence in part(found))


def _cost(found: Counts) -> Iterator[str]:
    counted = found.question.counted
    if counted is None:
        return
    causal, full = found.count("ledger_causal").per_token, found.count("ledger_full").per_token
    assert causal and full
    with_all, needed = format_si(full, "FLOP"), format_si(causal, "FLOP")
    masked = f" under its masks, {with_all} with every pair of tokens" if with_all != needed else ""
    ends = _ends(found)
    where = f"at {short_count(counted.sequence)} tokens"
    start = f"Training {counted.spec.title} {where} takes {format_si(causal, 'FLOP')} a token{masked}"
    if ends is None:
        yield f"{start}."
        return
    least, most = ends
    if least.per_token == most.per_token:
        one = format_si(least.per_token or 0.0, "FLOP")
        how = signed((least.per_token or 0.0) / causal - 1.0)
        yield f"{start}; a published convention says {one} ({least.convention.title}, {how})."
        return
    said = (
        f"; published conventions say from {format_si(least.per_token or 0.0, 'FLOP')} ({least.convention.title}, "
        f"{signed((least.per_token or 0.0) / causal - 1.0)}) to {format_si(most.per_token or 0.0, 'FLOP')} "
        f"({most.convention.title}, {signed((most.per_token or 0.0) / causal - 1.0)})"
    )
    yield f"{start}{said}."


def _ends(found: Counts) -> tuple[Count, Count] | None:
    """The least and the most that published conventions of model FLOPs say."""
    said = [count for count in _model(found) if not count.convention.key.startswith("ledger")]
    if not said:
        return None
    return min(said, key=lambda count: count.per_token or 0.0), max(said, key=lambda count: count.per_token or 0.0)


def _speed(found: Counts) -> Iterator[str]:
    speed = found.question.speed
    if speed is None or found.question.counted is None:
        return
    peak = f"{format_si(speed.peak, 'FLOP/s')} dense {speed.unit} peak"
    title = short_title(speed.gpu)
    devices = f"{speed.gpus:,.0f} × {title}" if speed.gpus > 1 else f"one {title}"
    ledger, full = found.count("ledger_causal"), found.count("ledger_full")
    if speed.tokens_per_s is not None:
        shares = [used for count in _model(found) if (used := found.used(count)) is not None]
        yield (
            f"{speed.tokens_per_s:,.0f} tokens/s on {devices} are an MFU of {_percent(found.used(ledger))} (causal) or "
            f"{_percent(found.used(full))} (full), by convention {_percent(min(shares))} to {_percent(max(shares))}, "
            f"of the {peak}."
        )
    if speed.mfu is not None:
        rates = [rate for count in _model(found) if (rate := found.rate(count)) is not None]
        yield (
            f"An MFU of {_percent(speed.mfu)} of the {peak} on {devices} is {found.rate(ledger) or 0.0:,.0f} tokens/s "
            f"(causal), by convention {min(rates):,.0f} to {max(rates):,.0f}."
        )
    yield from _whole(found)


def _whole(found: Counts) -> Iterator[str]:
    """How long so many tokens take."""
    speed, tokens = found.question.speed, found.question.wanted.tokens
    if speed is None or tokens is None:
        return
    rate = speed.tokens_per_s or found.rate(found.count("ledger_causal"))
    if rate:
        seconds = tokens / rate
        hours = seconds / 3600.0
        time = (
            f"{hours / 24.0:,.1f} days"
            if hours >= 48.0
            else f"{hours:,.1f} h"
            if hours >= 1.0
            else format_time(seconds)
        )
        used = hours * speed.gpus
        beside = f" and {plain_digits(used)} GPU-hours" if used >= 0.01 else ""
        yield f"{format_count(tokens).capitalize()} tokens take {time}{beside}."


def _model(found: Counts) -> Iterator[Count]:
    """Conventions of model FLOPs that say something, and count no expert that a token does not visit."""
    counted = found.question.counted
    assert counted is not None
    visited = counted.causal["experts"] * 1.001
    for count in found.counts:
        if count.terms is not None and not count.convention.hardware and count.terms["experts"] <= visited:
            yield count


def _percent(share: float | None) -> str:
    if share is None:
        return "none"
    return f"{plain_digits(100.0 * share)} %"


def plain_digits(value: float) -> str:
    """Three digits without an exponent: 1,870, 21.4."""
    return f"{float(f'{value:.3g}'):,.0f}" if value >= 100.0 else f"{value:.3g}"


def _optimum(found: Counts) -> Iterator[str]:
    laws = found.laws
    if laws is None or not laws.optima or (found.counts and found.question.wanted == Wanted()):
        return
    first, refit = laws.optimum("approach_1"), laws.optimum("epoch")
    if laws.asked == "budget":
        hours = found.question.wanted.gpu_hours
        spent = f" ({hours:,.0f} GPU-hours)" if hours is not None else ""
        yield (
            f"{laws.value:.3g} FLOP{spent} train {format_count(first.parameters)} parameters on "
            f"{format_count(first.tokens)} tokens best (Chinchilla, approach 1; Epoch's refit: "
            f"{format_count(refit.parameters)} on {format_count(refit.tokens)})."
        )
        if laws.given is not None:
            each = laws.given.tokens / laws.given.parameters
            yield (
                f"{format_count(laws.given.parameters).capitalize()} parameters have {format_count(laws.given.tokens)} "
                f"tokens for that, {plain_digits(each)} each."
            )
    elif laws.asked == "parameters":
        yield (
            f"{format_count(laws.value).capitalize()} parameters are the best for {first.flops:.3g} FLOP and "
            f"{format_count(first.tokens)} tokens (Chinchilla, approach 1; Epoch's refit: "
            f"{format_count(refit.tokens)} tokens)."
        )
    else:
        yield (
            f"{format_count(laws.value).capitalize()} tokens are the best for {format_count(first.parameters)} "
            f"parameters and {first.flops:.3g} FLOP (Chinchilla, approach 1; Epoch's refit: "
            f"{format_count(refit.parameters)} parameters)."
        )
