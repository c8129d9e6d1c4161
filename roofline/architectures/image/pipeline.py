"""A pipeline, or one part of it, and a run to phases: text encoders, noise, denoiser, autoencoder.

A phase's component names the part whose parameters its ops hold. The parameters of a part that a phase loads but does
not use (the encoder of an autoencoder that only decodes) stand in an op without work.

Source: diffusers 0.42.1, pipelines/stable_diffusion*, pipelines/flux, pipelines/pixart_alpha.
"""

from __future__ import annotations

from collections.abc import Iterator

from roofline.architectures.image.adapters.pictures import adapter_ops
from roofline.architectures.image.codecs.codec import CODECS, Codec, decode_phase, encode_phase
from roofline.architectures.image.denoiser import (
    CONTROLS,
    Control,
    Denoiser,
    context_tokens,
    control_ops,
    denoiser_ops,
    latent_channels,
)
from roofline.architectures.image.text_encoder import text_encoder_ops
from roofline.errors import UnsupportedError
from roofline.num import Num, floor, maximum
from roofline.specs.image.codecs import AdapterSpec
from roofline.specs.image.parts import ImageSpec, UNetSpec
from roofline.specs.image.pipeline import PipelineSpec
from roofline.specs.image.plain import PlainUNetSpec
from roofline.specs.image.text_encoder import TextEncoderSpec
from roofline.specs.image.transformers import DenoiserSpec
from roofline.workload.constructors_image import Block, Plane
from roofline.workload.run import ImageRun
from roofline.workload.schedulers import denoiser_calls, steps_of_strength
from roofline.workload.workload import Phase, Workload


def image_workload(spec: ImageSpec, run: ImageRun) -> Workload:
    """The phases of an image model for a run, one op per kernel of the reference code with fused attention.

    Raises UnsupportedError for a spec that is no image model.
    """
    if isinstance(spec, PipelineSpec):
        return Workload(tuple(_pipeline_phases(spec, run)))
    if isinstance(spec, CONTROLS):
        latents = Plane(run.batch * run.passes, run.height / spec.scale, run.width / spec.scale)
        ops = control_ops(spec, latents, context_tokens(spec))
        return Workload((Phase("control", tuple(ops), denoiser_calls(run.scheduler, run.steps), "controlnet"),))
    if isinstance(spec, (UNetSpec, PlainUNetSpec, DenoiserSpec)):
        return Workload((_denoise_phase(spec, run, context_tokens(spec), float(spec.scale)),))
    if isinstance(spec, CODECS):
        return Workload((encode_phase(spec, run, 1.0), decode_phase(spec, run)))
    if isinstance(spec, AdapterSpec):
        return Workload((_adapter_phase(spec, run),))
    if isinstance(spec, TextEncoderSpec):
        return Workload((_text_phase("text_encode", "text_encoder", spec, run, float(spec.tokens)),))
    raise UnsupportedError(f"no image architecture for {type(spec).__name__}")


def _pipeline_phases(spec: PipelineSpec, run: ImageRun) -> Iterator[Phase]:
    denoiser, codec = _denoiser(spec.denoiser), None if spec.autoencoder is None else _codec(spec.autoencoder)
    for index, part in enumerate(spec.text_encoders):
        suffix = f"_{index + 1}" if index else ""
        encoder = part.encoder
        if isinstance(encoder, TextEncoderSpec):
            tokens = float(part.tokens or encoder.tokens)
            yield _text_phase(f"text_encode{suffix}", f"text_encoder{suffix}", encoder, run, tokens)
    scale = float(denoiser.scale if codec is None else codec.scale)
    steps: Num = run.steps
    if run.strength is not None:
        steps = maximum(steps_of_strength(run.steps, run.strength), 1.0)
        pictures = _pictures(spec, denoiser, run.strength)
    else:
        pictures = 1.0 if spec.task in ("edit", "inpaint") else 0.0
    if codec is not None and pictures:
        yield encode_phase(codec, run, pictures)
    if isinstance(spec.adapter, AdapterSpec):
        yield _adapter_phase(spec.adapter, run)
    yield _noise_phase(denoiser, run, scale)
    tokens = _last_tokens(spec, denoiser) if spec.context_tokens is None else float(spec.context_tokens)
    control: Control | None = spec.controlnet if isinstance(spec.controlnet, CONTROLS) else None
    base = steps
    if spec.refiner is not None:
        base = floor(steps * (1.0 - spec.refiner.share) + 0.5)
    if control is not None:
        latents = Plane(run.batch * run.passes, run.height / scale, run.width / scale)
        ops = control_ops(control, latents, tokens)
        yield Phase("control", tuple(ops), denoiser_calls(run.scheduler, base), "controlnet")
    phase = _denoise_phase(denoiser, run, tokens, scale, control=control)
    yield Phase(phase.name, phase.ops, denoiser_calls(run.scheduler, base), phase.component, phase.boundary)
    if spec.refiner is not None:
        refine = _denoise_phase(_denoiser(spec.refiner.denoiser), run, tokens, scale)
        yield Phase("refine", refine.ops, denoiser_calls(run.scheduler, steps - base), "refiner", refine.boundary)
    if codec is not None:
        yield decode_phase(codec, run)


def _adapter_phase(spec: AdapterSpec, run: ImageRun) -> Phase:
    """A T2I adapter reads its picture once per run."""
    return Phase("adapt", tuple(adapter_ops(spec, Plane(run.batch, run.height, run.width))), 1.0, "adapter")


def _pictures(spec: PipelineSpec, denoiser: Denoiser, strength: float) -> float:
    """Pictures that are encoded per image: the one to change, and for inpainting the masked one beside it."""
    if spec.task != "inpaint":
        return 1.0
    masked_input = isinstance(denoiser, UNetSpec) and denoiser.in_channels > latent_channels(denoiser)
    return 1.0 if masked_input and strength >= 1.0 else 2.0


def _denoiser(part: object) -> Denoiser:
    if isinstance(part, (UNetSpec, PlainUNetSpec, DenoiserSpec)):
        return part
    raise UnsupportedError(f"the denoiser {part!r} is named, but not resolved")


def _codec(part: object) -> Codec:
    if isinstance(part, CODECS):
        return part
    raise UnsupportedError(f"the autoencoder {part!r} is named, but not resolved")


def _last_tokens(spec: PipelineSpec, denoiser: Denoiser) -> float:
    if spec.text_encoders:
        part = spec.text_encoders[-1]
        if isinstance(part.encoder, TextEncoderSpec):
            return float(part.tokens or part.encoder.tokens)
    return context_tokens(denoiser)


def _text_phase(name: str, component: str, spec: TextEncoderSpec, run: ImageRun, tokens: float) -> Phase:
    """One prompt per image, and as often again without it, as guidance needs."""
    ops = text_encoder_ops(spec, run.batch, tokens)
    boundary = run.batch * tokens * spec.width
    return Phase(name, tuple(ops), min(run.passes, 2.0), component, boundary, tokens=run.batch * tokens)


def _noise_phase(denoiser: Denoiser, run: ImageRun, scale: float) -> Phase:
    """The latents that the seed fixes: batch × channels × height / 8 × width / 8 normal numbers."""
    elements = run.batch * latent_channels(denoiser) * (run.height / scale) * (run.width / scale)
    op = Block("noise").field("noise", "factory", 0.0, elements)
    return Phase("noise", (op,), 1.0, "noise", elements)


def _denoise_phase(
    denoiser: Denoiser, run: ImageRun, tokens: Num, scale: float, *, control: Control | None = None
) -> Phase:
    latents = Plane(run.batch * run.passes, run.height / scale, run.width / scale)
    ops = denoiser_ops(denoiser, latents, tokens, control=control)
    boundary = 2.0 * run.batch * latent_channels(denoiser) * latents.area
    calls = denoiser_calls(run.scheduler, run.steps)
    return Phase("denoise", tuple(ops), calls, "denoiser", boundary, tokens=latents.pixels)
