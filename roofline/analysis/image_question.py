"""A question about an image model, resolved: sizes, steps, guidance and scheduler, and the format of each phase."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, cast

from roofline.analysis.image_spread import SPREADS, spread_of_pictures
from roofline.analysis.load import Origin
from roofline.analysis.options import one_of, whole_number
from roofline.analysis.question import IMAGE_OPTIONS, machine_of
from roofline.analysis.spread import Spread
from roofline.architectures.image_pipeline import image_workload
from roofline.errors import UsageError
from roofline.machine.machine import Machine
from roofline.num import Num, all_hold, maximum
from roofline.passes.image_levels import LEVELS, OF_FUSION, Level, image_level, without_casts
from roofline.passes.image_parallel import split_pictures
from roofline.specs.base import Spec
from roofline.specs.diffusion import AutoencoderSpec, ImageSpec, TinyAutoencoderSpec, UNetTrunk
from roofline.specs.diffusion_plain import PlainUNetSpec, VQVAESpec
from roofline.specs.diffusion_transformer import DenoiserSpec, MMDiTSpec, PixArtSpec
from roofline.specs.gpu import GPUSpec
from roofline.specs.pipeline import PipelineSpec
from roofline.workload.precision import Precision
from roofline.workload.run import ImageRun
from roofline.workload.schedulers import find_scheduler
from roofline.workload.workload import Phase, Workload

_OPTIONS: Final = IMAGE_OPTIONS | SPREADS | {"offload"}
OFFLOADS: Final = ("none", "model")
_STEPS, _SIDE = 50, 512


@dataclass(frozen=True)
class ImageQuestion:
    """What is asked of an image model, with names resolved to specs and options to values.

    `fusion` is a level of execution; `offload`: `model` keeps one part at a time on the GPU.
    """

    spec: ImageSpec
    model_origin: Origin
    gpu: GPUSpec
    gpu_origin: Origin
    run: ImageRun
    guidance: float
    precision: Precision
    fusion: Level
    engine: str
    offload: str = "none"
    spread: Spread | None = None

    def ideal_workload(self, run: ImageRun | None = None) -> Workload:
        """The phases as built: one op per kernel, attention fused; on several devices those of the first."""
        run = run or self.run
        whole = cached_workload(self.spec, run)
        return whole if self.spread is None else split_pictures(whole, self.spread.plan.cp, run.batch * run.passes)

    def workload(self, run: ImageRun | None = None) -> Workload:
        """The phases at the chosen level of execution; where everything is fp32, without casts."""
        workload = image_level(self.ideal_workload(run), self.fusion)
        if self.precision.activations.bits < 32:
            return workload
        phases = (replace(phase, ops=tuple(without_casts(phase.ops))) for phase in workload.phases)
        return Workload(tuple(phases))

    def machine(self) -> Machine:
        """The machine as arrays of peaks."""
        return machine_of(self.gpu)

    def precision_of(self, phase: Phase) -> Precision:
        """The format of a phase: the autoencoder's own where fp16 overflows it, matrices that stay in fp32."""
        return phase_precision(self.spec, self.precision, phase.component)

    def memory_bytes(self, run: ImageRun) -> Num:
        """Bytes that a run needs on the GPU."""
        workload = self.workload(run)
        weights, peaks = component_bytes(self, workload)
        return resident_bytes(weights, peaks, self.offload)


def component_bytes(question: ImageQuestion, workload: Workload) -> tuple[dict[str, float], dict[str, Num]]:
    """Bytes of the weights of each part, and of the most activation memory of any of its phases."""
    weights: dict[str, float] = {}
    peaks: dict[str, Num] = {}
    for phase in workload.phases:
        precision = question.precision_of(phase)
        name = phase.component
        if name not in weights:
            weights[name] = sum(op.count * precision.held_bytes(op) for op in phase.ops if op.params)
        peaks[name] = maximum(peaks.get(name, 0.0), phase.peak(precision.live_bytes))
    return weights, peaks


def resident_bytes(weights: Mapping[str, float], peaks: Mapping[str, Num], offload: str) -> Num:
    """All weights and the largest peak; with `model` offload, the largest part with its own peak."""
    total: Num = 0.0
    for name, peak in peaks.items():
        total = maximum(total, peak + weights[name] if offload == "model" else peak)
    return total if offload == "model" else total + sum(weights.values())


@lru_cache(maxsize=256)
def _overridden(label: str, activations: str, op: str) -> Precision:
    return Precision.of(label, activations, overrides={op: "fp32"})


@lru_cache(maxsize=256)
def _plain(label: str) -> Precision:
    return Precision.of(label)


def phase_precision(spec: ImageSpec, precision: Precision, component: str) -> Precision:
    """The format in which one part of a pipeline runs.

    What is stored in fp32 is multiplied in TF32 where the GPU has it: PyTorch's default for convolutions, and at worst
    too fast for the matrix products beside them.
    """
    if precision.activations.name == "fp32" and precision.weights.name == "fp32":
        return _plain("tf32")
    if not isinstance(spec, PipelineSpec) or precision.activations.name != "fp16":
        return precision
    if component == "autoencoder" and spec.upcast_autoencoder:
        return _plain("tf32")
    if component.startswith("text_encoder") and spec.keep_fp32 and precision.weights.name == "fp16":
        return _overridden(precision.label, precision.activations.name, spec.keep_fp32[0])
    return precision


_WORKLOADS: dict[tuple[int, ImageRun], tuple[ImageSpec, Workload]] = {}


def cached_workload(spec: ImageSpec, run: ImageRun) -> Workload:
    """The workload of a spec and a run of single values, made once: it depends on neither GPU nor format."""
    if not all(isinstance(value, float) for value in (run.batch, run.height, run.width, run.steps)):
        return image_workload(spec, run)
    key = (id(spec), run)
    known = _WORKLOADS.get(key)
    if known is None or known[0] is not spec:
        if len(_WORKLOADS) > 512:
            _WORKLOADS.clear()
        known = _WORKLOADS[key] = (spec, image_workload(spec, run))
    return known[1]


def ask_image(
    spec: Spec, model: Origin, gpu: tuple[GPUSpec, Origin], batch: Any, formats: tuple[str | None, str | None],
    fusion: str, engine: str, options: Mapping[str, Any],
) -> ImageQuestion:  # fmt: skip
    """Resolve and check a question about an image model. `formats` are those of weights and activations.

    Raises UsageError or UnknownNameError.
    """
    if not isinstance(spec, ImageSpec):
        raise UsageError(f"{type(spec).__name__} is neither a language model nor an image model")
    given = {name: value for name, value in options.items() if value is not None and value is not False}
    unknown = given.keys() - _OPTIONS
    if unknown:
        raise UsageError(f"--{min(unknown)} is not modelled for image models; several GPUs share tokens (--cp) or "
                         "batches (--dp)")  # fmt: skip
    run, guidance = _run(spec, batch, given)
    words = dict.fromkeys(("eager", *LEVELS))
    level = cast("Level", OF_FUSION.get(one_of("fusion", fusion, words), fusion))
    offload = one_of("offload", given.get("offload", "none"), OFFLOADS)
    precision = Precision.of(formats[0] or _own_dtype(spec, gpu[0]), formats[1])
    spread = spread_of_pictures(gpu[0], given)
    return ImageQuestion(spec, model, *gpu, run, guidance, precision, level, engine, offload, spread)


def _own_dtype(spec: ImageSpec, gpu: GPUSpec) -> str:
    """The model's own format; fp16 for a bf16 model on a GPU that multiplies fp16 but not bf16."""
    served = machine_of(gpu).served_by["bf16"][0]
    return "fp16" if spec.dtype == "bf16" and served in ("fp16", "vector.fp16") else spec.dtype


def _run(spec: ImageSpec, batch: Any, given: Mapping[str, Any]) -> tuple[ImageRun, float]:
    pipeline = spec if isinstance(spec, PipelineSpec) else None
    side = _side(spec)
    guidance = _guidance(given.get("guidance", pipeline.guidance if pipeline else 7.5))
    strength = given.get("strength", pipeline.strength if pipeline else None)
    if strength is not None and not (isinstance(strength, (int, float)) and 0 < float(strength) <= 1):
        raise UsageError(f"--strength must be above 0 and at most 1, not {strength!r}")
    run = ImageRun(
        batch=whole_number("batch", batch),
        height=_pixels(spec, "height", given.get("height", pipeline.height if pipeline else side)),
        width=_pixels(spec, "width", given.get("width", pipeline.width if pipeline else side)),
        steps=whole_number("steps", given.get("steps", pipeline.steps if pipeline else _STEPS)),
        passes=_passes(spec, guidance),
        scheduler=find_scheduler(given.get("scheduler", pipeline.scheduler if pipeline else "euler")),
        strength=float(strength) if strength is not None else None,
        tiled=bool(given.get("tiling", False)),
        sliced=bool(given.get("slicing", False)),
    )
    return run, guidance


def _side(spec: ImageSpec) -> int:
    """Pixels that a part alone is usually run at."""
    if isinstance(spec, (UNetTrunk, PlainUNetSpec, DenoiserSpec)):
        return int(spec.sample * spec.scale)
    if isinstance(spec, (AutoencoderSpec, TinyAutoencoderSpec, VQVAESpec)):
        return int(spec.sample)
    return _SIDE


def _guidance(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 100:
        raise UsageError(f"--guidance must be a number from 0 to 100, not {value!r}")
    return float(value)


def _passes(spec: ImageSpec, guidance: float) -> float:
    """Copies of the batch per step: guidance above 1 needs one more, unless the denoiser takes it as an input."""
    if isinstance(spec, PipelineSpec):
        return float(spec.passes) if guidance > 1 and not spec.embedded_guidance else 1.0
    if isinstance(spec, PlainUNetSpec):
        return 1.0
    return 2.0 if guidance > 1 and not getattr(spec, "guidance", False) else 1.0


def multiple_of(spec: ImageSpec) -> int:
    """What height and width must be multiples of: the autoencoder's scale, times the patch where there are patches."""
    denoiser = spec.denoiser if isinstance(spec, PipelineSpec) else spec
    scale = int(getattr(denoiser, "scale", 8))
    if isinstance(denoiser, (MMDiTSpec, PixArtSpec)):
        return scale * int(denoiser.patch)
    return scale * 2 if getattr(denoiser, "family", "") == "flux" else scale


def _pixels(spec: ImageSpec, name: str, value: Any) -> Num:
    number = whole_number(name, value)
    step = multiple_of(spec)
    if not all_hold(number % step == 0):
        low = float(number if isinstance(number, float) else number[number % step != 0].flat[0])
        down = max(int(low // step) * step, step)
        raise UsageError(
            f"--{name} must be a multiple of {step} for {getattr(spec, 'name', 'this model')}, not {low:g}: the "
            f"pipeline refuses it or rounds it down. Nearest: {down} or {down + step}."
        )
    return number
