"""The answer to a question about an image model: phases from prompt to picture, memory by part and by phase."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, ClassVar

from roofline.analysis.estimate import Estimate, machine_figures, op_row, phase_estimate, rate_of
from roofline.analysis.expectation import expect
from roofline.analysis.images.notes import image_assumptions, image_warnings
from roofline.analysis.images.options import largest_side, multiple_of
from roofline.analysis.images.question import ImageQuestion, component_bytes, resident_bytes, resident_parts
from roofline.analysis.images.spread import host_links, spread_phase
from roofline.analysis.limits import largest
from roofline.analysis.result import Memory, OpRow, Parameters, PhaseEstimate, Times, Warn, plain
from roofline.analysis.spread.text import placement
from roofline.machine.machine import Machine
from roofline.machine.time import phase_cost
from roofline.num import Num
from roofline.workload.workload import Phase, Workload


@dataclass(frozen=True)
class ImageLatency:
    """Seconds: for one step of the denoiser (with a ControlNet where there is one), and from prompt to pictures.

    `transfer` is the part of the total in which weights that wait in host memory are fetched; None where none do.
    """

    step: Times | None
    total: Times
    transfer: Times | None = None
    ttft: ClassVar[None] = None
    tpot: ClassVar[None] = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        step = self.step.to_dict() if self.step is not None else None
        transfer = {"transfer_s": self.transfer.to_dict()} if self.transfer is not None else {}
        return {"ttft_s": None, "tpot_s": None, "step_s": step, "total_s": self.total.to_dict()} | transfer


@dataclass(frozen=True)
class ImageThroughput:
    """Pictures per second; of a text encoder alone, prompts per second."""

    images: Times | None
    prompts: Times | None = None
    output_tokens: ClassVar[None] = None
    tokens: ClassVar[None] = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        images = self.images.to_dict() if self.images is not None else None
        prompts = {"prompts_per_s": self.prompts.to_dict()} if self.prompts is not None else {}
        return {"output_tokens_per_s": None, "tokens_per_s": None, "images_per_s": images} | prompts


@dataclass(frozen=True)
class ImageMemory(Memory):
    """Bytes on the GPU, and which part and which phase needs how much."""

    components: dict[str, float] = field(default_factory=dict)
    peaks: dict[str, Num] = field(default_factory=dict)
    find_max_side: Any = field(default=None, repr=False, compare=False)

    @property
    def offloaded_bytes(self) -> Num:
        """What is needed when only the part at work is on the GPU."""
        return resident_bytes(self.components, self.peaks, "model") + self.runtime_bytes

    @cached_property
    def max_side(self) -> int | None:
        """Pixels per side of the largest square picture that fits at this batch, 0 where none does.

        None for a text encoder alone.
        """
        return int(self.find_max_side()) if self.find_max_side is not None else None

    @property
    def max_side_px(self) -> int | None:
        """`max_side` under its name in JSON."""
        return self.max_side

    @property
    def model_offload_bytes(self) -> Num:
        """`offloaded_bytes` under its name in JSON."""
        return self.offloaded_bytes

    @property
    def components_bytes(self) -> dict[str, float]:
        """`components` under its name in JSON."""
        return self.components

    @property
    def peaks_bytes(self) -> dict[str, Num]:
        """`peaks` under its name in JSON."""
        return self.peaks

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return super().to_dict() | {
            "max_context": None, "max_side_px": self.max_side, "model_offload_bytes": plain(self.offloaded_bytes),
            "components_bytes": {name: plain(value) for name, value in self.components.items()},
            "peaks_bytes": {name: plain(value) for name, value in self.peaks.items()},
        }  # fmt: skip


@dataclass(frozen=True, repr=False)
class ImageEstimate(Estimate):
    """The answer. `to_dict()` is the JSON of the command line; times and bytes are SI."""

    question: ImageQuestion  # type: ignore[assignment]
    memory: ImageMemory
    latency: ImageLatency  # type: ignore[assignment]
    throughput: ImageThroughput  # type: ignore[assignment]

    def _op_rows(self, phase: Phase) -> Iterator[OpRow]:
        precision, machine = self.question.precision_of(phase), self.question.machine()
        for op in phase.ops:
            if op.kind == "collective":
                yield self._exchange_row(op)
            else:
                yield op_row(op, precision, machine, float(op.count))

    @cached_property
    def warnings(self) -> list[Warn]:
        """What the user should know, with codes."""
        return image_warnings(self)

    @cached_property
    def assumptions(self) -> list[str]:
        """Everything that was assumed rather than asked."""
        return image_assumptions(self)

    @cached_property
    def machine(self) -> dict[str, Any]:
        """The machine's own figures for the format of the phase that takes longest."""
        slowest = max(self.phases, key=lambda phase: largest_of(phase.repeat * phase.times.bound))
        return machine_figures(self.question, self.question.precision_of(self.workload[slowest.name]))

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """Everything as resolved."""
        q, run = self.question, self.question.run
        sized, stepped = q.takes_pixels, q.takes_steps
        return {
            "model": q.spec.name, "model_file": q.model_origin.path, "gpu": q.gpu.name, "gpu_file": q.gpu_origin.path,
            **placement(q), "batch": plain(run.batch),
            "height": plain(run.height) if sized else None, "width": plain(run.width) if sized else None,
            "steps": plain(run.steps) if stepped else None, "guidance": q.guidance if stepped else None,
            "scheduler": run.scheduler if stepped else None, "strength": run.strength,
            "tiling": run.tiled, "slicing": run.sliced, "offload": q.offload if q.offload != "none" else None,
            "runtime_reserve_bytes": plain(q.reserve), "weights": q.precision.label,
            "activations": q.precision.activations.name, "fusion": q.asked_fusion, "level": q.fusion,
            "engine": q.engine,
        }  # fmt: skip

    def __str__(self) -> str:
        from roofline.report.tables.pictures import sentence

        return sentence(self)

    __repr__ = __str__
    __hash__ = Estimate.__hash__


def largest_of(value: Num) -> float:
    """A number, or the largest of a grid."""
    return value if isinstance(value, float) else float(value.max())


def answer_image(question: ImageQuestion) -> ImageEstimate:
    """Evaluate a question about an image model."""
    ideal = question.ideal_workload()
    workload = question.workload()
    machine = question.machine()
    phases = tuple(_phase(question, phase, ideal, machine) for phase in workload.phases)
    total = phases[0].times * phases[0].repeat
    for phase in phases[1:]:
        total = total + phase.times * phase.repeat
    steps = [phase.times for phase in phases if phase.name in ("control", "denoise")]
    step = steps[0] + steps[1] if len(steps) > 1 else (steps[0] if steps else None)
    weights, peaks = component_bytes(question, workload)
    transfer = _transfer(question, sum(weights.values()))
    if transfer is not None:
        total = total + transfer
    held, active = resident_parts(weights, peaks, question.offload)
    memory = ImageMemory(
        weights_bytes=held, kv_cache_bytes=0.0, kv_cache_bytes_per_token=0.0, state_bytes=0.0,
        activation_peak_bytes=active, runtime_bytes=question.reserve,
        capacity_bytes=machine.capacity, find_max_batch=partial(_max_batch, question, machine),
        find_max_context=int, components=weights, peaks=peaks,
        find_max_side=partial(_max_side, question, machine) if question.takes_pixels else None,
    )  # fmt: skip
    parameters = workload.parameters
    rate = rate_of(question.run.batch * placement(question)["dp"], total)
    return ImageEstimate(
        question=question, workload=workload,
        parameters=Parameters(parameters, parameters, workload.embedding_parameters), memory=memory, phases=phases,
        latency=ImageLatency(step, total, transfer),
        throughput=ImageThroughput(rate) if question.takes_pixels else ImageThroughput(None, rate),
    )  # fmt: skip


def _transfer(question: ImageQuestion, weights: float) -> Times | None:
    """Seconds in which the weights of all parts come from host memory, once per run; None without offload or link."""
    if question.offload == "none":
        return None
    fabric = question.spread.fabric if question.spread is not None else host_links(question.gpu)
    if fabric is None or fabric.host is None:
        return None
    seconds = weights / float(fabric.host.bandwidth)
    return Times(*[seconds] * 5)


def _phase(question: ImageQuestion, phase: Phase, ideal: Workload, machine: Machine) -> PhaseEstimate:
    reference = None if question.fusion == "flash" else ideal[phase.name]
    precision = question.precision_of(phase)
    expectation = expect(question.gpu, question.engine, machine, question.run.batch)
    if question.spread is not None:
        return spread_phase(phase, question.spread, machine, precision, reference, expectation)
    return phase_estimate(phase, phase_cost(phase, precision, machine, reference), precision, expectation)


def _max_batch(question: ImageQuestion, machine: Machine) -> int:
    run = question.run
    return largest(lambda n: float(question.memory_bytes(replace(run, batch=float(n)))), float(machine.capacity))


def _max_side(question: ImageQuestion, machine: Machine) -> int:
    """In steps of what the model's sizes must be multiples of, at least 64 pixels."""
    step, most = multiple_of(question.spec), largest_side(question.spec)
    run = question.run

    def needed(n: int) -> float:
        side = float(n * step)
        return float(question.memory_bytes(replace(run, height=side, width=side)))

    side = largest(needed, float(machine.capacity)) * step
    return side if most is None else min(side, most)
