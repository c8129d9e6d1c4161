"""What is said beside the numbers of an image model: what was assumed, and what the user should know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from roofline.analysis.expectation import expectation_notes, expectation_warnings
from roofline.analysis.images.spread import picture_notes
from roofline.analysis.question import alias_notes
from roofline.analysis.result import Warn, counted
from roofline.analysis.unverified import unverified_hardware
from roofline.machine.engine import IDEAL, read_engine
from roofline.num import all_hold
from roofline.specs.image.pipeline import PipelineSpec
from roofline.specs.image.transformers import FluxSpec, MMDiTSpec
from roofline.workload.precision import Precision
from roofline.workload.schedulers import TRAINED_STEPS, flow_state

if TYPE_CHECKING:
    from roofline.analysis.images.estimate import ImageEstimate, ImageMemory
    from roofline.analysis.images.question import ImageQuestion

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


def image_warnings(est: ImageEstimate) -> list[Warn]:
    """What the user should know, with codes."""
    q, memory = est.question, est.memory
    found = []
    if not memory.fits:
        found.append(
            Warn("does-not-fit", f"{q.spec.name} needs {float(memory.total_bytes) / 1e9:,.1f} GB, {q.gpu.name} has "
                 f"{float(memory.capacity_bytes) / 1e9:,.1f} GB; {_remedy(memory)}")
        )  # fmt: skip
    dtype = q.precision.matrix_dtype()
    unit = q.machine().served_by[dtype][0].removeprefix("vector.")
    if unit != dtype and est.machine["peak_dtype"] == dtype:
        found.append(Warn("dtype-fallback", f"{q.gpu.name} has no {dtype} units: computed at the {unit} rate"))
    if q.takes_steps:
        found += _scheduler_warnings(q)
    found += expectation_warnings(q.gpu, q.engine)
    if _of_language_models(q.engine):
        found.append(
            Warn("engine-of-language-models", f"engine {q.engine} was fitted to runs of language models: for pictures "
                 "its expected time and interval are an extrapolation; pytorch-eager and pytorch-compile ran pictures")
        )  # fmt: skip
    if q.gpu.unverified:
        dtypes = {q.precision_of(phase).matrix_dtype() for phase in est.workload.phases}
        links = q.spread is not None or q.offload != "none"
        found += unverified_hardware(q.gpu, q.machine(), dtypes, links, q.engine != "ideal")
    for spec in (q.spec, getattr(q.spec, "denoiser", None)):
        if getattr(spec, "unverified", ()):
            text = "; ".join(spec.unverified)  # type: ignore[union-attr]
            found.append(Warn("unverified-model", f"{spec.name}: not verified: {text}"))  # type: ignore[union-attr]
    return found


def _of_language_models(engine: str) -> bool:
    """Whether an engine of the library runs other models than pictures; its title says so."""
    bundled = engine != IDEAL and not engine.endswith((".yaml", ".yml"))
    return bundled and not any(words in read_engine(engine).title for words in ("image models", "diffusers"))


def _remedy(memory: ImageMemory) -> str:
    if memory.offloaded_bytes <= memory.capacity_bytes:
        return "with one part at a time on the GPU (--offload model) it fits"
    return "not even one part at a time fits (smaller picture, --tiling, --slicing, narrower --weights)"


def _scheduler_warnings(q: ImageQuestion) -> Iterator[Warn]:
    """Schedulers that do not go with what the model learnt, and more steps than it learnt."""
    denoiser = q.spec.denoiser if isinstance(q.spec, PipelineSpec) else q.spec
    flows, name = isinstance(denoiser, (FluxSpec, MMDiTSpec)), q.run.scheduler
    state = flow_state(name)
    if flows and state == "never":
        yield Warn("scheduler-unfit", f"{q.spec.name} predicts flows, and {name} integrates noise: time is as asked, "
                   "pictures would be noise; flow-euler is the usual one")  # fmt: skip
    elif not flows and state == "only":
        yield Warn("scheduler-unfit", f"{q.spec.name} predicts noise, and {name} integrates flows: time is as asked, "
                   "pictures would be noise")  # fmt: skip
    if not flows and not all_hold(q.run.steps <= TRAINED_STEPS):
        yield Warn("steps-beyond-training", f"more than the {TRAINED_STEPS:,} time steps that noise was learnt at: "
                   "schedulers refuse that or repeat steps")  # fmt: skip


def image_assumptions(est: ImageEstimate) -> list[str]:
    """Everything that was assumed rather than asked."""
    q = est.question
    notes = alias_notes(q)
    calls = est.workload.phases
    denoise = next((phase for phase in calls if phase.name == "denoise"), None)
    if denoise is not None:
        steps, times = counted(q.run.steps, "step"), counted(denoise.repeat, "call")
        are = "is" if isinstance(q.run.steps, float) and q.run.steps == 1 else "are"
        notes.append(f"scheduler {q.run.scheduler}: {steps} {are} {times} of the denoiser")
        notes.append(f"guidance {q.guidance:g}: every call sees {q.run.passes:g} × the batch")
    for phase in calls:
        own = q.precision_of(phase)
        if own is not q.precision:
            notes.append(f"{phase.name} in {format_words(own)}")
    asked = f" (fusion {q.asked_fusion})" if q.asked_fusion != q.fusion else ""
    return [
        *notes,
        f"weights {q.precision.label}, activations {q.precision.activations.name}; {_products(q)}",
        f"level {q.fusion}{asked}: {_LEVELS[q.fusion]}",
        *(["both prompts are encoded; the scheduler's own arithmetic and the safety checker are left out"]
          if isinstance(q.spec, PipelineSpec) else []),
        _offload_note(est),
        "nominal dense peaks and nominal memory bandwidth; "
        + (f"{q.reserve / 1e9:.3g} GB reserved for the runtime: {q.reserve_source}" if q.reserve
           else "no memory reserved for the runtime (--runtime-reserve)"),
        *expectation_notes(q.gpu, q.engine),
        *picture_notes(q),
    ]  # fmt: skip


def _products(q: ImageQuestion) -> str:
    """In which format matrices are multiplied: TF32 where everything is stored in fp32."""
    if q.precision.weights.name == q.precision.activations.name == "fp32":
        return "matrices multiplied in tf32 where the GPU has it, as PyTorch does in convolutions"
    return f"matrices multiplied in {q.precision.matrix_dtype()}"


def _offload_note(est: ImageEstimate) -> str:
    q = est.question
    if q.offload == "none":
        return "offload none: all parts stay on the GPU; no allocator slack, no library workspace"
    text = "offload model: one part at a time on the GPU; no allocator slack, no library workspace; "
    if est.latency.transfer is None:
        return text + "no link to the host is described for this GPU, so fetching the parts costs no time here"
    return text + (f"{sum(est.memory.components.values()) / 1e9:.3g} GB of weights cross the link to the host once per "
                   "run, not hidden behind work; they stay in host memory, so nothing is copied back")  # fmt: skip


def format_words(precision: Precision) -> str:
    """The format of a phase in words: `fp32, multiplied in tf32`, `fp16 with wo in fp32`."""
    name = precision.activations.name
    if name == "tf32":
        return "fp32, multiplied in tf32"
    if precision.overrides:
        return f"{name} with " + ", ".join(f"{op} in {dtype.name}" for op, dtype in precision.overrides.items())
    return f"weights {precision.label}, activations {name}"
