"""A question about an image model, resolved: sizes, steps, guidance and scheduler, and the format of each phase."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, cast

from roofline.analysis.images.options import given_options, image_run, spread_options, takes_pixels, takes_steps
from roofline.analysis.images.spread import spread_of_pictures
from roofline.analysis.load import Origin
from roofline.analysis.options import one_of
from roofline.analysis.question import machine_of
from roofline.analysis.spread.spread import Spread, read_reserve
from roofline.architectures.image.pipeline import image_workload
from roofline.errors import UsageError
from roofline.machine.engine import find_engine, sums_in_half
from roofline.machine.machine import Machine
from roofline.num import Num, maximum, where
from roofline.passes.image.levels import LEVELS, OF_FUSION, Level, image_level, without_casts
from roofline.passes.parallel.pictures import split_pictures
from roofline.specs.base import Spec
from roofline.specs.gpu import GPUSpec
from roofline.specs.image.parts import ImageSpec
from roofline.specs.image.pipeline import PipelineSpec
from roofline.workload.precision import Precision
from roofline.workload.run import ImageRun
from roofline.workload.workload import Phase, Workload

OFFLOADS: Final = ("none", "model")


@dataclass(frozen=True)
class ImageQuestion:
    """What is asked of an image model, with names resolved to specs and options to values.

    `fusion` is a level of execution, `asked_fusion` the word for it that was given; `offload`: `model` keeps one part
    at a time on the GPU; `reserve`: bytes that the runtime keeps.
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
    asked_fusion: str = "flash"
    reserve: float = 0.0
    reserve_source: str = ""

    @property
    def takes_steps(self) -> bool:
        """Whether there are denoising steps, and with them a scheduler and guidance."""
        return takes_steps(self.spec)

    @property
    def takes_pixels(self) -> bool:
        """Whether there are pictures, with a height and a width."""
        return takes_pixels(self.spec)

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
        """The machine as arrays of peaks, at the rate at which the engine's products are summed."""
        return machine_of(self.gpu, sums_in_half(self.engine))

    def precision_of(self, phase: Phase) -> Precision:
        """The format of a phase: the autoencoder's own where fp16 overflows it, matrices that stay in fp32."""
        found = phase_precision(self.spec, self.precision, phase.component)
        used = found is self.precision or not found.overrides or any(op.name in found.overrides for op in phase.ops)
        return found if used else self.precision

    def memory_bytes(self, run: ImageRun) -> Num:
        """Bytes that a run needs on the GPU."""
        workload = self.workload(run)
        weights, peaks = component_bytes(self, workload)
        return resident_bytes(weights, peaks, self.offload) + self.reserve


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


def resident_parts(weights: Mapping[str, float], peaks: Mapping[str, Num], offload: str) -> tuple[Num, Num]:
    """Bytes of weights and of activations on the GPU where it is fullest.

    All weights and the largest peak; with `model` offload, those of the part that needs most.
    """
    if offload != "model":
        largest: Num = 0.0
        for peak in peaks.values():
            largest = maximum(largest, peak)
        return sum(weights.values()), largest
    held: Num = 0.0
    active: Num = 0.0
    for name, peak in peaks.items():
        larger = peak + weights[name] > held + active
        held, active = where(larger, weights[name], held), where(larger, peak, active)
    return held, active


def resident_bytes(weights: Mapping[str, float], peaks: Mapping[str, Num], offload: str) -> Num:
    """Bytes on the GPU where it is fullest."""
    held, active = resident_parts(weights, peaks, offload)
    return held + active


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


#: What `generic` means for pictures: the engine with most runs of image models behind it.
GENERIC: Final = "pytorch-eager"


def ask_image(
    spec: Spec, model: Origin, gpu: tuple[GPUSpec, Origin], batch: Any, formats: tuple[str | None, str | None],
    fusion: str, engine: str, options: Mapping[str, Any],
) -> ImageQuestion:  # fmt: skip
    """Resolve and check a question about an image model. `formats` are those of weights and activations.

    Raises UsageError or UnknownNameError.
    """
    if not isinstance(spec, ImageSpec):
        raise UsageError(f"{type(spec).__name__} is neither a language model nor an image model")
    given = given_options(spec, options)
    run, guidance = image_run(spec, batch, given)
    words = dict.fromkeys(("eager", *LEVELS))
    level = cast("Level", OF_FUSION.get(one_of("fusion", fusion, words), fusion))
    offload = one_of("offload", given.get("offload", "none"), OFFLOADS)
    precision = Precision.of(formats[0] or _own_dtype(spec, gpu[0]), formats[1])
    reserve, source = read_reserve(given.get("runtime_reserve"), gpu[0].memory.capacity)
    runs_on = find_engine(GENERIC if engine == "generic" else engine)
    return ImageQuestion(
        spec, model, *gpu, run, guidance, precision, level, runs_on, offload,
        spread_of_pictures(gpu[0], spread_options(spec, given)), fusion, reserve, source,
    )  # fmt: skip


def _own_dtype(spec: ImageSpec, gpu: GPUSpec) -> str:
    """The model's own format; fp16 for a bf16 model on a GPU that multiplies fp16 but not bf16."""
    served = machine_of(gpu).served_by["bf16"][0]
    return "fp16" if spec.dtype == "bf16" and served in ("fp16", "vector.fp16") else spec.dtype
