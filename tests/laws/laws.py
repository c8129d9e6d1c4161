"""What must hold for every question, whatever the model, the chip and the way of running it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise, product
from math import isclose, isfinite, isnan
from random import Random
from typing import Final

import numpy as np

import roofline as rl
from roofline.analysis.grids import results_of
from roofline.errors import RooflineError
from roofline.runs.image.memory import MOST_PICTURES, MOST_PIXELS
from roofline.runs.image.options import multiple_of
from tests.laws.questions import Question, at_rates, gpu_of

#: Of a sum of floats in another order.
SLACK: Final = 1e-9
#: By how much a prompt in one pass more may take less: its kernels are shorter, and short ones keep their clock.
DROOP: Final = 0.005
#: Beyond the growth of the work, between neighbours.
JUMP: Final = 1.3
#: How many times faster a chip is asked to be.
FASTER: Final = ((1.5, 1.0), (1.0, 1.5), (1.0, 6.0), (3.0, 1.0), (1.03, 1.0), (1.0, 1.03), (2.0, 2.0))
#: Steps of a size beyond which a chunk, a picture's side or a tile may begin.
GROWN: Final = {"batch": 1, "prompt": 1, "generate": 1, "steps": 1, "height": 256, "width": 256}
_GROWS: Final = {"max_batch": "batch", "max_context": "prompt", "max_side_px": "side"}
Law = Callable[[Question, rl.Estimate, Random], Iterator[str]]


def readings(question: Question, est: rl.Estimate, random: Random) -> Iterator[str]:
    """floor ≤ bound ≤ expected, low ≤ expected ≤ high, bound ≤ low; all finite, none negative."""
    named = [(phase.name, phase.times) for phase in est.phases]
    named += [(q.name, q.times) for q in est.quantities if q.times is not None and q.unit == "s"]
    for name, t in named:
        ordered = (t.floor, t.bound, t.low, t.expected, t.high)
        if not all(isinstance(value, float) and isfinite(value) and value >= 0.0 for value in ordered):
            yield f"{name}: {ordered}"
        elif any(a > b * (1.0 + SLACK) for a, b in pairwise(ordered)):
            yield f"{name}: floor, bound, low, expected, high = {ordered}"
    for part in est.memory.parts:
        if not (isfinite(float(part.bytes)) and float(part.bytes) >= 0.0):
            yield f"{part.name}: {part.bytes}"


def faster_chips(question: Question, est: rl.Estimate, random: Random) -> Iterator[str]:
    """More bandwidth or more FLOP/s never takes longer."""
    for bandwidth, compute in random.sample(FASTER, 3):
        other = question.ask(at_rates(gpu_of(question.gpu), bandwidth, compute))
        for name, before, after in _seconds(est, other):
            if after > before * (1.0 + SLACK):
                yield f"{name} at bandwidth × {bandwidth}, FLOP/s × {compute}: {before:.6g} -> {after:.6g}"


def more_work(question: Question, est: rl.Estimate, random: Random) -> Iterator[str]:
    """A larger batch, more tokens, more steps and larger pictures never take less time in all, nor less memory."""
    for size in question.sizes:
        least = GROWN[size]
        step = random.choice((least, least, least, 3 * least, 17 * least)) if least == 1 else least
        other = _asked(question.on(**{size: question.options[size] + step}))
        if other is None:
            continue
        for reading in ("floor",) if _fetches(est) else ("floor", "bound", "expected"):
            before, after = (float(getattr(each.latency.total, reading)) for each in (est, other))
            slack = DROOP if reading == "expected" and _passes(other) != _passes(est) else SLACK
            if after < before * (1.0 - slack):
                yield f"total {reading}, {size} + {step}: {before:.6g} -> {after:.6g}"
        held, more = float(est.memory.total_bytes), float(other.memory.total_bytes)
        if size in ("batch", "generate", "prompt") and more < held * (1.0 - SLACK) and not _wraps(question, size):
            yield f"memory, {size} + {step}: {held:.6g} -> {more:.6g}"


def _passes(est: rl.Estimate) -> float:
    """In how many passes a prompt is read."""
    run, chunk = est.question.run, est.question.execution.chunk
    return -(-run.batch * run.prompt // chunk) if chunk else 1.0


def _fetches(est: rl.Estimate) -> bool:
    """Whether the engine computes few tokens on the host and fetches weights for many, which may take less."""
    cores = est.question.spread.cores
    return cores is not None and cores.fetches


def _wraps(question: Question, size: str) -> bool:
    """Where memory truly falls: a token more closes an entry of a compressed cache, whose tokens then wait no longer
    (with pages, of which a part is empty, by a few entries in a decode step too);
    a picture more takes a batch beyond 32-bit indices, so that convolutions copy it piece by piece.
    """
    compressed = question.model.startswith("deepseek-v4")
    own = "ideal" if question.options.get("engine") == "ideal" else "paged"
    paged = question.options.get("kv_layout", own) != "ideal"
    return not question.of_text or (compressed and (size == "prompt" or paged))


def no_jumps(question: Question, est: rl.Estimate, random: Random) -> Iterator[str]:
    """Between neighbours of batch and prompt no time grows by 30 % more than the work does."""
    for size in ("batch", "prompt"):
        if size not in question.options:
            continue
        for number in {question.options[size], random.randint(1, 300)}:
            first, second = (_asked(question.on(**{size: n})) for n in (number, number + 1))
            if first is not None and second is not None:
                yield from _jumps(first, second, f"{size} {number} -> {number + 1}", (number + 1) / number)


def _jumps(first: rl.Estimate, second: rl.Estimate, where: str, grown: float) -> Iterator[str]:
    for phase in first.phases:
        other = next((each for each in second.phases if each.name == phase.name), None)
        if other is None:
            continue
        work = [1.0, grown]
        pairs = ((phase.flops, other.flops), (phase.bytes, other.bytes), (phase.kernels, other.kernels))
        work += [float(after) / float(before) for before, after in pairs if float(before)]
        ratio = float(other.times.expected) / float(phase.times.expected)
        if ratio > JUMP * max(work):
            yield f"{phase.name} × {ratio:.3f} (work × {max(work):.3f}) at {where}"


def grids(question: Question, est: rl.Estimate, random: Random) -> Iterator[str]:
    """A point of a sweep is what a single question gives, in all columns."""
    values = {}
    for size in question.sizes:
        own, step = question.options[size], GROWN[size] if GROWN[size] > 1 else random.choice((1, 1, 2, 64))
        values[size] = [own, own + step]
    grid = rl.sweep(question.model, question.gpu, **{**question.options, **values})  # type: ignore[arg-type]
    for place in product(*(range(len(each)) for each in grid.axes.values())):
        point = {name: each[i] for (name, each), i in zip(grid.axes.items(), place, strict=True)}
        one = question.on(**point).ask()
        columns = dict(results_of(one))
        for name, column in grid.columns.items():
            got, wanted = column[place], columns[name]
            wanted = np.nan if wanted is None else float(wanted)
            if not (isclose(float(got), wanted, rel_tol=1e-9) or (isnan(float(got)) and isnan(wanted))):
                yield f"{name} at {point}: grid {got}, single {wanted}"


def limits(question: Question, est: rl.Estimate, random: Random) -> Iterator[str]:
    """The largest batch, context and picture fit, and one more does not."""
    encodes, spec = est.question.kind.name == "encoder", est.question.spec
    for limit in est.memory.limits:
        most, size = limit.told, _GROWS[limit.name]
        if most is None or (most >= MOST_PIXELS and size == "side") or most in (MOST_PICTURES, 0):
            continue
        if size == "prompt" and not encodes:
            most -= question.options["generate"]
        step = multiple_of(spec) if size == "side" else 1
        for number, wanted in ((most, True), (most + step, False)):
            changed = {"height": number, "width": number} if size == "side" else {size: number}
            other = _asked(question.on(**changed)) if 1 <= number <= 10**9 else None
            if other is not None and bool(other.memory.fits) is not wanted:
                yield f"{limit.name} {limit.told}: {changed} {'does not fit' if wanted else 'fits'}"


def _seconds(est: rl.Estimate, other: rl.Estimate) -> Iterator[tuple[str, float, float]]:
    for mine, its in zip(est.phases, other.phases, strict=True):
        for reading in ("floor", "bound", "expected"):
            yield f"{mine.name} {reading}", float(getattr(mine.times, reading)), float(getattr(its.times, reading))
    for name in ("bound", "expected"):
        yield f"total {name}", float(getattr(est.latency.total, name)), float(getattr(other.latency.total, name))


def _asked(question: Question) -> rl.Estimate | None:
    try:
        return question.ask()
    except RooflineError:
        return None


LAWS: Final[dict[str, Law]] = {
    law.__name__: law for law in (readings, faster_chips, more_work, no_jumps, grids, limits)
}


def broken(question: Question, random: Random, laws: tuple[str, ...] = tuple(LAWS)) -> Iterator[tuple[str, str]] | None:
    """The laws that a question breaks, with what happened; None where the question is refused."""
    est = _asked(question)
    if est is None:
        return None
    return ((name, text) for name in laws for text in LAWS[name](question, est, random))
