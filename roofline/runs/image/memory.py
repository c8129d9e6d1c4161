"""What an image model's run holds in memory: weights and activations by part, and how far it can grow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial

from roofline.answer.memory import Component, Limit, Memory, Part
from roofline.num import Num, first_value, maximum, where
from roofline.runs.image.options import largest_side, multiple_of, takes_pixels
from roofline.runs.kind import Needs, Question, Stages
from roofline.runs.limits import largest
from roofline.specs.image.parts import ImageSpec
from roofline.workload.run import ImageRun
from roofline.workload.workload import Workload


def components_of(question: Question, workload: Workload) -> tuple[Component, ...]:
    """The parts of the model: bytes of their weights, and of the most activation memory of any of their phases."""
    weights: dict[str, float] = {}
    peaks: dict[str, Num] = {}
    for phase in workload.phases:
        precision, name = question.precision_of(phase), phase.component
        if name not in weights:
            weights[name] = sum(op.count * precision.held_bytes(op) for op in phase.ops if op.params)
        peaks[name] = maximum(peaks.get(name, 0.0), phase.live_peak(precision))
    return tuple(Component(name, held, peaks[name]) for name, held in weights.items())


def resident(components: Iterable[Component], away: bool) -> tuple[Num, Num]:
    """Bytes of weights and of activations on the GPU where it is fullest.

    All weights and the largest peak; where one part at a time is there, those of the part that needs most.
    """
    held: Num = 0.0
    active: Num = 0.0
    for _, weights, peak in components:
        if away:
            larger = peak + weights > held + active
            held, active = where(larger, weights, held), where(larger, peak, active)
        else:
            held, active = held + weights, maximum(active, peak)
    return held, active


def image_bytes(question: Question, stages: Stages) -> Num:
    """Bytes that a run needs on the GPU."""
    held, active = resident(components_of(question, stages.each[0].workload), question.spread.away is not None)
    return held + active + question.spread.reserve.bytes


def image_memory(question: Question, stages: Stages, needs: Needs) -> Memory:
    """Bytes on the GPU, and which part and which phase needs how much."""
    components, reserve = components_of(question, stages.each[0].workload), question.spread.reserve.bytes
    held, active = resident(components, question.spread.away is not None)
    alone = resident(components, away=True)
    parts = (
        Part("weights_bytes", "weights", held),
        Part("kv_cache_bytes", "KV-cache", 0.0, beside=(("kv_cache_bytes_per_token", 0.0),)),
        Part("state_bytes", "state", 0.0),
        Part("activation_peak_bytes", "activations", active),
        Part("runtime_bytes", "runtime", reserve),
    )
    capacity = question.machine().capacity
    instead = (("--offload model", "model_offload_bytes", alone[0] + alone[1] + reserve),)
    return Memory(parts, capacity, tuple(_limits(question, needs, float(first_value(capacity)))), components, instead)


def _limits(question: Question, needs: Needs, capacity: float) -> Iterator[Limit]:
    pixels = takes_pixels(question.spec)
    yield Limit(
        "max_batch",
        partial(_max_batch, question.run, needs, capacity),
        "largest batch {:,}".format,
        ("batch {:,} at this size" if pixels else "batch {:,}").format,
    )
    yield Limit(
        "max_side_px",
        partial(_max_side, question.run, question.spec, needs, capacity) if pixels else _no_pictures,
        "largest square {:,} px".format,
        "pictures of {0:,} × {0:,} px".format,
    )


def _no_pictures() -> None:
    """A text encoder alone makes none."""


def _max_batch(run: ImageRun, needs: Needs, capacity: float) -> int:
    return largest(lambda n: float(needs(replace(run, batch=float(n)))), capacity)


def _max_side(run: ImageRun, spec: ImageSpec, needs: Needs, capacity: float) -> int:
    """In steps of what the model's sizes must be multiples of."""
    step, most = multiple_of(spec), largest_side(spec)

    def needed(n: int) -> float:
        side = float(n * step)
        return float(needs(replace(run, height=side, width=side)))

    side = largest(needed, capacity) * step
    return side if most is None else min(side, most)
