"""What an image model's run holds in memory: weights and activations by part, and how far it can grow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Final, NamedTuple

from roofline.answer.memory import Component, Limit, Memory, Part
from roofline.num import Num, any_holds, first_value, maximum, where
from roofline.passes.image.offload import PictureOffload, on_gpu
from roofline.passes.image.workspace import peak_with_workspace, reserved_bytes
from roofline.runs.execution import Stages
from roofline.runs.image.held import checker_bytes, context_bytes, has_no_host, stages_copies
from roofline.runs.image.options import away_of, largest_side, multiple_of, takes_pixels
from roofline.runs.kind import Needs, Question
from roofline.runs.limits import largest, one_value
from roofline.specs.image.parts import ImageSpec
from roofline.workload.precision import Precision
from roofline.workload.run import ImageRun
from roofline.workload.workload import Phase, Workload

#: Where the searches for the largest picture and batch end.
MOST_PIXELS: Final = 16_384
MOST_PICTURES: Final = 2**20
#: The ways of offload that every answer says the need of.
_INSTEAD: Final = (
    ("--offload model", "model_offload_bytes", PictureOffload("model", "pageable")),
    ("--offload group", "group_offload_bytes", PictureOffload("group", "pinned")),
    ("--offload leaf", "leaf_offload_bytes", PictureOffload("leaf", "pageable")),
)


class Resident(NamedTuple):
    """Bytes on the GPU where it is fullest: weights, activations, buffers of kernels beyond those."""

    weights: Num
    activations: Num
    workspace: Num

    @property
    def total(self) -> Num:
        """All of them."""
        return self.weights + self.activations + self.workspace


def components_of(question: Question, workload: Workload) -> tuple[Component, ...]:
    """The parts of the model: bytes of their weights, and of the most activation memory of any of their phases."""
    weights: dict[str, float] = {}
    peaks: dict[str, Num] = {}
    fullest: dict[str, Num] = {}
    staged = stages_copies(question)
    copied = any_holds(staged)
    for phase in workload.phases:
        precision, name = question.precision_of(phase), phase.component
        if name not in weights:
            weights[name] = phase.kept(("weights", precision), partial(_held, phase, precision))
        peak = phase.live_peak(precision)
        peaks[name] = maximum(peaks.get(name, 0.0), peak)
        full = where(staged, peak_with_workspace(phase, precision), peak) if copied else peak
        fullest[name] = maximum(fullest.get(name, 0.0), full)
    return tuple(Component(name, held, peaks[name], fullest[name] - peaks[name]) for name, held in weights.items())


def _held(phase: Phase, precision: Precision) -> float:
    return sum(op.count * precision.held_bytes(op) for op in phase.ops if op.params)


def resident(
    question: Question, workload: Workload, components: tuple[Component, ...], away: PictureOffload | None
) -> Resident:
    """What is on the GPU where it is fullest.

    All weights and the largest peak; with offload the weights that are there at once, and the peak, of the part that
    needs most.
    """
    if away is None:
        active: Num = 0.0
        full: Num = 0.0
        for part in components:
            active, full = maximum(active, part.activations), maximum(full, part.activations + part.workspace)
        return Resident(sum(part.weights for part in components), active, full - active)
    found = Resident(0.0, 0.0, 0.0)
    for part in components:
        phases = (phase for phase in workload.phases if phase.component == part.name)
        held = max(on_gpu(away, phase, question.precision_of(phase)) for phase in phases)
        one = Resident(held, part.activations, part.workspace)
        larger = one.total > found.total
        found = Resident(*(where(larger, mine, other) for mine, other in zip(one, found, strict=True)))
    return found


def image_bytes(question: Question, stages: Stages) -> Num:
    """Bytes that a run needs on the GPU."""
    workload = stages.each[0].workload
    found = resident(question, workload, components_of(question, workload), away_of(question.spread))
    return found.total + _beside(question)


def _beside(question: Question) -> float:
    """Bytes that do not depend on the run: safety checker, the driver's own, what the runtime keeps."""
    return checker_bytes(question) + context_bytes(question) + question.spread.reserve.bytes


def image_memory(question: Question, stages: Stages, needs: Needs) -> Memory:
    """Bytes on the GPU, and which part and which phase needs how much."""
    workload = stages.each[0].workload
    components = components_of(question, workload)
    here, beside = resident(question, workload, components, away_of(question.spread)), _beside(question)
    parts = (
        _weights(question, components, here),
        Part("kv_cache_bytes", "KV-cache", 0.0, beside=(("kv_cache_bytes_per_token", 0.0),)),
        Part("state_bytes", "state", 0.0),
        Part("activation_peak_bytes", "activations", here.activations),
        Part("workspace_bytes", "workspace of convolutions", here.workspace),
        Part("safety_checker_bytes", "safety checker", checker_bytes(question)),
        Part("context_bytes", "driver and libraries", context_bytes(question)),
        Part("runtime_bytes", "runtime", question.spread.reserve.bytes, beside=_reserved(question, workload, here)),
    )
    machine = question.machine()
    seen = question.execution.seen(machine)
    limits = tuple(_limits(question, needs, float(first_value(seen))))
    instead = tuple(
        (
            option,
            name,
            None if has_no_host(question.gpu) else resident(question, workload, components, away).total + beside,
        )
        for option, name, away in _INSTEAD
    )
    return Memory(parts, machine.capacity, limits, components, instead, usable=seen)


def _weights(question: Question, components: tuple[Component, ...], here: Resident) -> Part:
    """The weights on the GPU; with offload, what waits for it in host memory: a copy of all weights."""
    away = away_of(question.spread)
    if away is None:
        return Part("weights_bytes", "weights", here.weights)
    held = sum(part.weights for part in components)
    return Part("weights_bytes", "weights", here.weights, f"in host memory, {away.copies}", (("host_bytes", held),))


def _reserved(question: Question, workload: Workload, here: Resident) -> tuple[tuple[str, Num], ...]:
    """What an allocator of the framework keeps where there is room: weights, and blocks of every size there was."""
    staged = stages_copies(question)
    if not any_holds(staged):
        return (("allocator_reserved_bytes", here.total),)
    each = tuple(question.precision_of(phase) for phase in workload.phases)
    first, *_ = workload.phases
    kept = first.kept(("reserved", each), lambda: reserved_bytes(zip(workload.phases, each, strict=True)))
    return (("allocator_reserved_bytes", where(staged, here.weights + checker_bytes(question) + kept, here.total)),)


def _limits(question: Question, needs: Needs, capacity: float) -> Iterator[Limit]:
    pixels = takes_pixels(question.spec)
    yield Limit(
        "max_batch",
        partial(_max_batch, question.run, needs, capacity),
        partial(_most_words, "largest batch {:,}", MOST_PICTURES),
        ("batch {:,} at this size" if pixels else "batch {:,}").format,
    )
    yield Limit(
        "max_side_px",
        partial(_max_side, question.run, question.spec, needs, capacity) if pixels else _no_pictures,
        partial(_most_words, "largest square {:,} px", MOST_PIXELS),
        "pictures of {0:,} × {0:,} px".format,
    )


def _most_words(words: str, most: int, found: int) -> str:
    """What fits at most, or more where the search ended at its bound, not at the memory."""
    return words.format(found) + (" or more" if found >= most else "")


def _no_pictures() -> None:
    """A text encoder alone makes none."""


def _max_batch(run: ImageRun, needs: Needs, capacity: float) -> int:
    return largest(lambda n: one_value(needs(replace(run, batch=float(n)))), capacity, MOST_PICTURES)


def _max_side(run: ImageRun, spec: ImageSpec, needs: Needs, capacity: float) -> int:
    """In steps of what the model's sizes must be multiples of, at most what it has positions for, or MOST_PIXELS."""
    step, most = multiple_of(spec), largest_side(spec) or MOST_PIXELS

    def needed(n: int) -> float:
        side = float(n * step)
        return one_value(needs(replace(run, height=side, width=side)))

    return largest(needed, capacity, max(most // step, 1)) * step
