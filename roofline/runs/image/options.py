"""What a user asks of an image model, checked: sizes, steps, guidance, scheduler, and which of them a part has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from roofline.errors import UsageError
from roofline.num import Num, all_hold
from roofline.passes.image.offload import PictureOffload
from roofline.runs.checks import whole_number
from roofline.runs.devices.spread import Spread
from roofline.runs.options import OPTIONS
from roofline.specs.image.codecs import AdapterSpec, DeepAutoencoderSpec
from roofline.specs.image.parts import AutoencoderSpec, ImageSpec, TinyAutoencoderSpec, UNetSpec, UNetTrunk
from roofline.specs.image.pipeline import PipelineSpec
from roofline.specs.image.plain import PlainUNetSpec, VQVAESpec
from roofline.specs.image.text_encoder import TextEncoderSpec
from roofline.specs.image.transformers import DenoiserSpec, DiTSpec, FluxShape, MMDiTShape, PixArtSpec
from roofline.workload.run import ImageRun
from roofline.workload.schedulers import find_scheduler

_STEPPED: Final = frozenset({"steps", "guidance", "scheduler", "strength"})
_SIZED: Final = frozenset({"height", "width", "tiling", "slicing"})
_ONCE: Final = (AutoencoderSpec, TinyAutoencoderSpec, VQVAESpec, DeepAutoencoderSpec, AdapterSpec)
_STEPS, _SIDE = 50, 512


def refuse_useless(spec: ImageSpec, given: Mapping[str, Any]) -> None:
    """Raises UsageError for an option that this model has no use for: a part alone has no steps, or no pictures."""
    useless = given.keys() & _STEPPED if not takes_steps(spec) else set()
    useless |= given.keys() & _SIZED if not takes_pixels(spec) else set()
    if "no_safety_checker" in given and not getattr(spec, "safety_checker", False):
        raise UsageError(f"--no-safety-checker: {spec.name} comes without a safety checker")
    if useless:
        raise UsageError(f"{OPTIONS[min(useless)].flag} has no meaning for {spec.name}, a part alone")


def takes_steps(spec: ImageSpec) -> bool:
    """Whether a model denoises in steps: a pipeline, a denoiser or a ControlNet, not a part beside them."""
    return takes_pixels(spec) and not isinstance(spec, _ONCE)


def takes_pixels(spec: ImageSpec) -> bool:
    """Whether a model works on pictures: all but text encoders."""
    return not isinstance(spec, TextEncoderSpec)


def image_run(spec: ImageSpec, given: Mapping[str, Any]) -> ImageRun:
    """The run. Raises UsageError or UnknownNameError."""
    pipeline = spec if isinstance(spec, PipelineSpec) else None
    side = usual_side(spec)
    guidance = _guidance(given.get("guidance", pipeline.guidance if pipeline else 7.5 if takes_steps(spec) else 1.0))
    return ImageRun(
        batch=whole_number("batch", given.get("batch", 1)),
        height=_pixels(spec, "height", given.get("height", pipeline.height if pipeline else side)),
        width=_pixels(spec, "width", given.get("width", pipeline.width if pipeline else side)),
        steps=whole_number("steps", given.get("steps", pipeline.steps if pipeline else _STEPS)),
        passes=_passes(spec, guidance),
        scheduler=find_scheduler(given.get("scheduler", pipeline.scheduler if pipeline else "euler")),
        strength=_strength(given.get("strength", pipeline.strength if pipeline else None)),
        tiled=_tiled(given.get("tiling", False)),
        sliced=bool(given.get("slicing", False)),
        guidance=guidance,
        checked=not given.get("no_safety_checker", False),
    )


def _tiled(value: Any) -> bool:
    """Whether the autoencoder runs in tiles: `vae`, which is all that runs in tiles, or a flag."""
    if value not in (True, False, "vae"):
        raise UsageError(f"--tiling {str(value)[:40]!r}: only the autoencoder runs in tiles: --tiling or --tiling vae")
    return bool(value)


def away_of(spread: Spread) -> PictureOffload | None:
    """What waits in host memory; None where all is on the GPU."""
    return cast("PictureOffload | None", spread.away)


def _strength(value: Any) -> float | None:
    if value is not None and not (isinstance(value, (int, float)) and 0 < float(value) <= 1):
        raise UsageError(f"--strength must be above 0 and at most 1, not {value!r}")
    return float(value) if value is not None else None


def usual_side(spec: ImageSpec) -> int:
    """Pixels that a part alone is usually run at."""
    if isinstance(spec, (UNetTrunk, PlainUNetSpec, DenoiserSpec)):
        return int(spec.sample * spec.scale)
    if isinstance(spec, _ONCE):
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
    if isinstance(spec, PlainUNetSpec) or (isinstance(spec, UNetSpec) and spec.context_width is None):
        return 1.0
    return 2.0 if guidance > 1 and not getattr(spec, "guidance", False) else 1.0


def multiple_of(spec: ImageSpec) -> int:
    """What height and width must be multiples of: the autoencoder's scale, times the patch where there are patches,
    and times the halvings of a UNet that adds what it kept on the way down to planes of exactly that size.
    """
    denoiser = spec.denoiser if isinstance(spec, PipelineSpec) else spec
    scale = int(getattr(denoiser, "scale", 8))
    if isinstance(denoiser, (MMDiTShape, PixArtSpec, DiTSpec)):
        return scale * int(denoiser.patch)
    if isinstance(denoiser, PlainUNetSpec):
        return scale * int(2**denoiser.halvings)
    if isinstance(denoiser, UNetSpec) and denoiser.context_width is None:
        return scale * int(2 ** sum(block.resample for block in denoiser.down))
    return scale * 2 if isinstance(denoiser, FluxShape) else scale


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
    return denoiser.scale * denoiser.patch * denoiser.positions if isinstance(denoiser, MMDiTShape) else None


def refuse_gpus(spec: ImageSpec, given: Mapping[str, Any]) -> None:
    """Raises UsageError where GPUs alone, which share tokens, meet a denoiser without tokens."""
    denoiser = spec.denoiser if isinstance(spec, PipelineSpec) else spec
    gpus = given.get("gpus", 1)
    if gpus != 1 and not given.keys() & {"cp", "dp"} and not isinstance(denoiser, DenoiserSpec):
        tokens = f"{spec.name} has no transformer over tokens that GPUs could share"
        raise UsageError(f"--gpus {gpus}: {tokens}; replicas with a batch each are --dp {gpus}")
