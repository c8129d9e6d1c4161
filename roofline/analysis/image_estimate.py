"""The answer to a question about an image model: phases from prompt to picture, memory by part and by phase."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, Final

from roofline.analysis.estimate import Estimate, op_row, phase_estimate, rate_of
from roofline.analysis.expectation import expect, expectation_notes, expectation_warnings
from roofline.analysis.image_question import ImageQuestion, component_bytes, multiple_of, resident_bytes
from roofline.analysis.image_spread import picture_notes, spread_phase
from roofline.analysis.limits import largest
from roofline.analysis.result import Memory, OpRow, Parameters, PhaseEstimate, Times, Warn, plain
from roofline.analysis.spread_text import placement
from roofline.machine.machine import Machine
from roofline.machine.time import phase_cost
from roofline.num import Num
from roofline.workload.workload import Phase, Workload

_LEVELS: Final = {
    "math": "attention on the framework's fallback path in fp32, its scores in memory",
    "classic": "kernels of diffusers run eagerly, attention with its scores in memory",
    "slice-auto": "kernels of diffusers run eagerly, attention for half of the heads at a time",
    "slice-max": "kernels of diffusers run eagerly, attention for one head at a time",
    "flash": "kernels of diffusers run eagerly, with fused attention, as an operator-level counter sees them",
    "cuda": "kernels of diffusers run eagerly, with the second read of group norms and the kernels that add biases",
    "compiled": "element-wise chains joined; convolutions, matrix products and attention stay library calls",
    "operands": "matrix products, convolutions and attention alone",
}


@dataclass(frozen=True)
class ImageLatency:
    """Seconds: for one step of the denoiser (with a ControlNet where there is one), and from prompt to pictures."""

    step: Times | None
    total: Times

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        step = self.step.to_dict() if self.step is not None else None
        return {"ttft_s": None, "tpot_s": None, "step_s": step, "total_s": self.total.to_dict()}


@dataclass(frozen=True)
class ImageThroughput:
    """Pictures per second."""

    images: Times

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"output_tokens_per_s": None, "tokens_per_s": None, "images_per_s": self.images.to_dict()}


@dataclass(frozen=True)
class ImageMemory(Memory):
    """Bytes on the GPU, and which part and which phase needs how much."""

    components: dict[str, float] = field(default_factory=dict)
    peaks: dict[str, Num] = field(default_factory=dict)
    offload: str = "none"
    find_max_side: Any = field(default=None, repr=False, compare=False)

    @property
    def total_bytes(self) -> Num:
        """All that must be on the GPU at once."""
        return resident_bytes(self.components, self.peaks, self.offload)

    @property
    def offloaded_bytes(self) -> Num:
        """What is needed when only the part at work is on the GPU."""
        return resident_bytes(self.components, self.peaks, "model")

    @cached_property
    def max_side(self) -> int:
        """Pixels per side of the largest square picture that fits at this batch, 0 where none does."""
        return int(self.find_max_side())

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
        q, memory = self.question, self.memory
        found = []
        if not memory.fits:
            found.append(
                Warn("does-not-fit", f"{q.spec.name} needs {float(memory.total_bytes) / 1e9:,.1f} GB, {q.gpu.name} has "
                     f"{float(memory.capacity_bytes) / 1e9:,.1f} GB; {_remedy(memory)}")
            )  # fmt: skip
        dtype = q.precision.matrix_dtype()
        unit = q.machine().served_by[dtype][0].removeprefix("vector.")
        if unit != dtype:
            found.append(Warn("dtype-fallback", f"{q.gpu.name} has no {dtype} units: computed at the {unit} rate"))
        found += expectation_warnings(q.gpu, q.engine)
        if q.gpu.unverified:
            found.append(Warn("unverified-hardware", f"{q.gpu.name}: not verified: {'; '.join(q.gpu.unverified)}"))
        for spec in (q.spec, getattr(q.spec, "denoiser", None)):
            if getattr(spec, "unverified", ()):
                text = "; ".join(spec.unverified)  # type: ignore[union-attr]
                found.append(Warn("unverified-model", f"{spec.name}: not verified: {text}"))  # type: ignore[union-attr]
        return found

    @cached_property
    def assumptions(self) -> list[str]:
        """Everything that was assumed rather than asked."""
        q = self.question
        notes = []
        if q.model_origin.alias and q.model_origin.alias.lower() != q.spec.name:
            notes.append(f"model {q.model_origin.alias} is {q.spec.name} ({q.spec.title})")
        if q.gpu_origin.alias:
            notes.append(f"GPU {q.gpu_origin.alias} is {q.gpu.name} ({q.gpu.title})")
        calls = self.workload.phases
        denoise = next((phase for phase in calls if phase.name == "denoise"), None)
        if denoise is not None:
            steps, times = _count(q.run.steps), _count(denoise.repeat)
            notes.append(f"scheduler {q.run.scheduler}: {steps} steps are {times} calls of the denoiser")
            notes.append(f"guidance {q.guidance:g}: every call sees {q.run.passes:g} × the batch")
        for phase in calls:
            own = q.precision_of(phase)
            if own is not q.precision:
                notes.append(f"{phase.name} in {own.label}, activations {own.activations.name}")
        notes += [
            f"weights {q.precision.label}, activations {q.precision.activations.name}",
            f"level {q.fusion}: {_LEVELS[q.fusion]}",
            "both prompts are encoded; the scheduler's own arithmetic and the safety checker are left out",
            f"offload {q.offload}: {'all parts stay on the GPU' if q.offload == 'none' else 'one part at a time'}; no "
            "allocator slack, no library workspace",
            "nominal dense peaks and nominal memory bandwidth",
            *expectation_notes(q.gpu, q.engine),
            *picture_notes(q),
        ]
        return notes

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """Everything as resolved."""
        q, run = self.question, self.question.run
        return {
            "model": q.spec.name, "model_file": q.model_origin.path, "gpu": q.gpu.name, "gpu_file": q.gpu_origin.path,
            **placement(q), "batch": plain(run.batch), "height": plain(run.height), "width": plain(run.width),
            "steps": plain(run.steps), "guidance": q.guidance, "scheduler": run.scheduler, "strength": run.strength,
            "tiling": run.tiled, "slicing": run.sliced, "offload": q.offload if q.offload != "none" else None,
            "weights": q.precision.label, "activations": q.precision.activations.name, "fusion": q.fusion, "engine": q.engine,
        }  # fmt: skip

    def __str__(self) -> str:
        from roofline.report.image_text import sentence

        return sentence(self)

    __repr__ = __str__
    __hash__ = Estimate.__hash__


def _count(value: Num) -> str:
    return f"{value:g}" if isinstance(value, float) else "/".join(f"{v:g}" for v in value.flat)


def _remedy(memory: ImageMemory) -> str:
    if memory.offloaded_bytes <= memory.capacity_bytes:
        return "with one part at a time on the GPU (--offload model) it fits"
    return "not even one part at a time fits (smaller picture, --tiling, --slicing, narrower --weights)"


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
    memory = ImageMemory(
        weights_bytes=sum(weights.values()), kv_cache_bytes=0.0, kv_cache_bytes_per_token=0.0, state_bytes=0.0,
        activation_peak_bytes=resident_bytes(weights, peaks, "none") - sum(weights.values()), runtime_bytes=0.0,
        capacity_bytes=machine.capacity, find_max_batch=partial(_max_batch, question, machine),
        find_max_context=int, components=weights, peaks=peaks, offload=question.offload,
        find_max_side=partial(_max_side, question, machine),
    )  # fmt: skip
    parameters = workload.parameters
    pictures = question.run.batch * placement(question)["dp"]
    return ImageEstimate(
        question=question, workload=workload,
        parameters=Parameters(parameters, parameters, workload.embedding_parameters), memory=memory, phases=phases,
        latency=ImageLatency(step, total), throughput=ImageThroughput(rate_of(pictures, total)),
    )  # fmt: skip


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
    step = multiple_of(question.spec)
    run = question.run

    def needed(n: int) -> float:
        side = float(n * step)
        return float(question.memory_bytes(replace(run, height=side, width=side)))

    return largest(needed, float(machine.capacity)) * step
