"""What a user asks of an image model, checked: sizes, steps, guidance, scheduler, and which of them a part has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from roofline.analysis.images.spread import SPREADS
from roofline.analysis.options import whole_number
from roofline.analysis.question import DEFAULT_GENERATE, DEFAULT_PROMPT, IMAGE_OPTIONS
from roofline.errors import UsageError
from roofline.num import Num, all_hold
from roofline.specs.image.parts import AutoencoderSpec, ImageSpec, TinyAutoencoderSpec, UNetTrunk
from roofline.specs.image.pipeline import PipelineSpec
from roofline.specs.image.plain import PlainUNetSpec, VQVAESpec
from roofline.specs.image.text_encoder import TextEncoderSpec
from roofline.specs.image.transformers import DenoiserSpec, MMDiTSpec, PixArtSpec
from roofline.workload.run import ImageRun
from roofline.workload.schedulers import find_scheduler

OPTIONS: Final = IMAGE_OPTIONS | SPREADS | {"offload", "runtime_reserve"}
#: What only language models take, and what stands there where nothing was asked.
TEXT_DEFAULTS: Final = {
    "prompt": DEFAULT_PROMPT, "generate": DEFAULT_GENERATE, "kv_cache": None, "logits": "last", "latent": "absorbed",
    "work": "ideal", "kv_layout": "ideal",
}  # fmt: skip
_STEPPED: Final = frozenset({"steps", "guidance", "scheduler", "strength"})
_SIZED: Final = frozenset({"height", "width", "tiling", "slicing"})
_AUTOENCODERS: Final = (AutoencoderSpec, TinyAutoencoderSpec, VQVAESpec)
_STEPS, _SIDE = 50, 512


def given_options(spec: ImageSpec, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given. Raises UsageError for one that this model has no use for."""
    given = {}
    for name, value in options.items():
        if name in TEXT_DEFAULTS:
            default = TEXT_DEFAULTS[name]
            if value is not None and (hasattr(value, "tolist") or value != default):
                raise UsageError(f"{_flag(name)} goes with language models, and {spec.name} is an image model")
        elif value is not None and value is not False:
            given[name] = value
    unknown = given.keys() - OPTIONS
    if unknown:
        raise UsageError(f"{_flag(min(unknown))} is not modelled for image models; several GPUs share tokens (--cp) or "
                         "batches (--dp)")  # fmt: skip
    useless = given.keys() & ((frozenset() if takes_steps(spec) else _STEPPED)
                              | (frozenset() if takes_pixels(spec) else _SIZED))  # fmt: skip
    if useless:
        raise UsageError(f"{_flag(min(useless))} has no meaning for {spec.name}, a part alone")
    return given


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def takes_steps(spec: ImageSpec) -> bool:
    """Whether a model denoises in steps: a pipeline, a denoiser or a ControlNet, not a part beside them."""
    return takes_pixels(spec) and not isinstance(spec, _AUTOENCODERS)


def takes_pixels(spec: ImageSpec) -> bool:
    """Whether a model works on pictures: all but text encoders."""
    return not isinstance(spec, TextEncoderSpec)


def image_run(spec: ImageSpec, batch: Any, given: Mapping[str, Any]) -> tuple[ImageRun, float]:
    """The run and the guidance scale. Raises UsageError or UnknownNameError."""
    pipeline = spec if isinstance(spec, PipelineSpec) else None
    side = _side(spec)
    usual = 7.5 if takes_steps(spec) else 1.0
    guidance = _guidance(given.get("guidance", pipeline.guidance if pipeline else usual))
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
    if isinstance(spec, _AUTOENCODERS):
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
    most = largest_side(spec)
    if most is not None and not all_hold(number <= most):
        raise UsageError(f"--{name}: the denoiser of {spec.name} has positions for {most:,} px at most")
    return number


def largest_side(spec: ImageSpec) -> int | None:
    """Pixels per side that the denoiser has learnt positions for; None where positions are computed."""
    denoiser = spec.denoiser if isinstance(spec, PipelineSpec) else spec
    return denoiser.scale * denoiser.patch * denoiser.positions if isinstance(denoiser, MMDiTSpec) else None


def spread_options(spec: ImageSpec, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The options as given. Raises UsageError where GPUs alone, which share tokens, meet a denoiser without tokens."""
    denoiser = spec.denoiser if isinstance(spec, PipelineSpec) else spec
    gpus = given.get("gpus", 1)
    if gpus != 1 and not given.keys() & {"cp", "dp"} and not isinstance(denoiser, DenoiserSpec):
        raise UsageError(f"--gpus {gpus}: {spec.name} has no transformer over tokens that GPUs could share; replicas "
                         f"with a batch each are --dp {gpus}")  # fmt: skip
    return given
