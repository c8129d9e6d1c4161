"""Memory along a size: what is held, part by part, as a context, a batch or a picture grows, and the last that fits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from roofline.analysis.estimate import Answer
from roofline.analysis.evaluate import evaluate
from roofline.answer.memory import ENDLESS, Memory
from roofline.errors import UsageError
from roofline.num import first_value
from roofline.runs.ask import ask_again
from roofline.runs.checks import one_of
from roofline.runs.kind import Question
from roofline.specs.text.transformer import TransformerSpec
from roofline.units import format_si

#: How many times what fits is shown, and how many times what a model was made for where that is less.
_BEYOND, _BEYOND_MADE = 1.5, 8.0
#: The longest and the shortest of what is shown where memory sets no limit, and points of a curve.
_LONGEST, _SPAN, _POINTS = 2.0**20, 2.0**10, 73
#: Sides of pictures, in pixels: the least, the step, and the most beyond which nothing is shown.
_SIDE, _STEP, _SIDES = 256, 64, 8192
#: Lines beside the first, in its sizes.
_LINES: Final = (1, 4, 16)
_SIDE_LINES: Final = (1.0, 1.5, 2.0)


class Size(NamedTuple):
    """A size along which memory can be seen: the title of its axis, its limit in memory, the option of its lines, and
    the sizes of a run that it takes the place of.
    """

    title: str
    limit: str
    lines: str
    takes: tuple[str, ...]


#: By name. A kind of run has those whose sizes it has.
SIZES: Final[Mapping[str, Size]] = {
    "context": Size("Context (tokens)", "max_context", "batch", ("prompt",)),
    "batch": Size("Batch", "max_batch", "prompt", ("batch",)),
    "side": Size("Side of the picture (pixels)", "max_side_px", "batch", ("height", "width")),
}


class Held(NamedTuple):
    """What is held at every place: one line of totals by its name, and the last place that fits; None: all of them."""

    name: str
    parts: tuple[tuple[str, str, np.ndarray[Any, Any]], ...]
    last: float | None

    @property
    def total(self) -> np.ndarray[Any, Any]:
        """Bytes at every place."""
        whole: np.ndarray[Any, Any] = sum((size for _, _, size in self.parts), np.zeros_like(self.parts[0][2]))
        return whole


class Along(NamedTuple):
    """Memory along a size: places, lines of which the first is what was asked, room, and what a model was made for."""

    over: str
    size: Size
    places: np.ndarray[Any, Any]
    lines: tuple[Held, ...]
    usable: float
    capacity: float
    made_for: float | None


def memory_along(est: Answer, over: str | None = None, values: Sequence[float] | None = None) -> Along:
    """Memory of an estimate along its `context`, `batch` or `side`, by default the first that it has.

    `values`: batches for which there is a line, or prompts along the batch; by default those of the estimate and
    multiples of it. Raises UsageError for a size that the model does not have, and for users, whose batch memory sets.
    """
    question = est.question
    size = SIZES[over := _size(question, over)]
    if question.for_users:
        raise UsageError("--users: memory says how many run at once; for memory along a size give --batch")
    lines = _lines(question, over, values)
    limits = [_limit(question, change, size) for change in lines.values()]
    places = _places(question, over, limits[0])
    held = tuple(
        Held(name, _parts(question, over, places, change), last)
        for (name, change), last in zip(lines.items(), limits, strict=True)
    )
    memory = est.memory
    made = question.spec.max_context if over == "context" and isinstance(question.spec, TransformerSpec) else None
    return Along(over, size, places, held, float(memory.usable_bytes), float(memory.capacity_bytes), made)


def _size(question: Question, over: str | None) -> str:
    known = [name for name, size in SIZES.items() if set(size.takes) <= set(question.kind.sizes)]
    if over is None:
        return known[0] if known[0] != "batch" else known[-1]
    one_of("over", over, SIZES)
    if over not in known:
        raise UsageError(f"--over {over}: {question.spec.name} is {question.kind.noun}; it has {' and '.join(known)}")
    return over


def _lines(question: Question, over: str, values: Sequence[float] | None) -> dict[str, dict[str, Any]]:
    """The lines by name, each with what it changes."""
    run = question.run
    if over != "batch":
        batches = values or [float(run.batch) * times for times in _LINES]
        return {f"batch {batch:,.0f}": {"batch": int(batch)} for batch in batches}
    if "height" in question.kind.sizes:
        sides = [_STEP * round(float(run.height) * times / _STEP) for times in _SIDE_LINES]
        return {f"{side:,} pixels": {"height": side, "width": side} for side in sides}
    prompts = values or [float(run.prompt) * times for times in _LINES]
    return {f"prompt {prompt:,.0f}": {"prompt": int(prompt)} for prompt in prompts}


def _memory(question: Question, changed: Mapping[str, Any]) -> Memory:
    """Of the same question with something changed."""
    return evaluate(ask_again(question, changed), Answer).memory


def _limit(question: Question, change: Mapping[str, Any], size: Size) -> float | None:
    """The last that fits with that change; None where all do, or where it is not asked of this kind of run."""
    limits = {limit.name: limit.value for limit in _memory(question, change).limits}
    value = limits.get(size.limit)
    return None if value is None or value >= ENDLESS else float(value)


def _places(question: Question, over: str, last: float | None) -> np.ndarray[Any, Any]:
    """From a thousandth of the highest place to that; pictures in steps."""
    if over == "side":
        highest = min(_BEYOND * (last or question.run.height), _SIDES)
        return np.arange(_SIDE, max(highest, 4 * _SIDE) + _STEP, _STEP, dtype=float)
    if over == "batch":
        highest = max(_BEYOND * (last or 0.0), 8.0 * float(question.run.batch), 8.0)
        return _steps(max(highest / _SPAN, 1.0), highest)
    made = question.spec.max_context if isinstance(question.spec, TransformerSpec) else None
    highest = _BEYOND * last if last else _LONGEST
    if made is not None:
        highest = max(min(highest, _BEYOND_MADE * made), made)
    least = float(question.run.generate) + 1.0
    return _steps(max(highest / _SPAN, least), max(highest, 8.0 * least))


def _steps(low: float, high: float) -> np.ndarray[Any, Any]:
    """Whole numbers in equal ratios."""
    return np.unique(np.round(np.geomspace(low, high, _POINTS)))


def _parts(
    question: Question, over: str, places: np.ndarray[Any, Any], change: Mapping[str, Any]
) -> tuple[tuple[str, str, np.ndarray[Any, Any]], ...]:
    """Titles, notes and bytes of the parts that are held anywhere."""
    grown = {"batch": places} if over == "batch" else dict.fromkeys(("height", "width"), places)
    if over == "context":
        grown = {"prompt": places - float(question.run.generate)}
    memory = _memory(question, {**change, **grown})
    found = ((p.title, p.note, np.broadcast_to(np.asarray(p.bytes, dtype=float), places.shape)) for p in memory.parts)
    return tuple(part for part in found if part[2].any())


def told_parts(held: Held, index: int) -> Iterator[str]:
    """The parts at one place in words, the largest first."""
    for title, _, size in sorted(held.parts, key=lambda part: -part[2][index]):
        if size[index] > 0:
            yield f"{title} {format_si(first_value(size[index]), 'B')}"
