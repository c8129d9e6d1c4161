"""Any denoiser and its latents to the ops of one forward pass."""

from __future__ import annotations

from typing import TypeAlias

from roofline.architectures.image.adapters.controlnets import flux_control_ops, mmdit_control_ops
from roofline.architectures.image.dit import dit_ops, pixart_ops
from roofline.architectures.image.flux import flux_ops
from roofline.architectures.image.mmdit import mmdit_ops
from roofline.architectures.image.plain import plain_unet_ops
from roofline.architectures.image.unets.unet import controlnet_ops, unet_ops
from roofline.errors import UnsupportedError
from roofline.num import Num, floor
from roofline.specs.image.parts import ControlNetSpec, UNetSpec, UNetTrunk
from roofline.specs.image.plain import PlainUNetSpec
from roofline.specs.image.transformers import (
    DenoiserSpec,
    DiTSpec,
    FluxControlSpec,
    FluxShape,
    FluxSpec,
    MMDiTControlSpec,
    MMDiTShape,
    MMDiTSpec,
    PixArtSpec,
)
from roofline.workload.constructors_image import Block, Plane
from roofline.workload.op import Op

Denoiser: TypeAlias = UNetSpec | PlainUNetSpec | DenoiserSpec
Control: TypeAlias = ControlNetSpec | MMDiTControlSpec | FluxControlSpec
#: Kinds of ControlNets, for `isinstance`.
CONTROLS = (ControlNetSpec, MMDiTControlSpec, FluxControlSpec)
_CLIP_TOKENS = 77.0


def denoiser_ops(spec: Denoiser, latents: Plane, tokens: Num, *, control: Control | None = None) -> list[Op]:
    """One forward pass of a denoiser of any family, beside a ControlNet where one steers it.

    Raises UnsupportedError where the two do not go together.
    """
    if control is not None and not _goes_with(spec, control):
        raise UnsupportedError(f"{control.name} is no ControlNet of {spec.name}: it goes with another kind of denoiser")
    if isinstance(spec, UNetSpec):
        return unet_ops(spec, latents, tokens, control=control is not None)
    if isinstance(spec, PlainUNetSpec):
        return plain_unet_ops(spec, latents, tokens)
    if isinstance(spec, DiTSpec):
        return dit_ops(spec, latents)
    if isinstance(spec, PixArtSpec):
        return pixart_ops(spec, latents, tokens)
    beside = _added(spec, latents) if control is not None else []
    if isinstance(spec, MMDiTSpec):
        return mmdit_ops(spec, latents, tokens) + beside
    if isinstance(spec, FluxSpec):
        return flux_ops(spec, latents, tokens) + beside
    raise UnsupportedError(f"no denoiser architecture for {type(spec).__name__}")


def _goes_with(spec: Denoiser, control: Control) -> bool:
    """Whether a ControlNet steers denoisers of this kind."""
    pairs = ((UNetSpec, ControlNetSpec), (MMDiTSpec, MMDiTControlSpec), (FluxSpec, FluxControlSpec))
    return any(isinstance(spec, one) and isinstance(control, other) for one, other in pairs)


def _added(spec: DenoiserSpec, latents: Plane) -> list[Op]:
    """What a ControlNet gives, added to the image's tokens behind every layer, but for the last of an MMDiT."""
    flux = isinstance(spec, FluxShape)
    patch = float(spec.patch) * (2.0 if flux else 1.0)
    x = latents.batch * floor(latents.height / patch) * floor(latents.width / patch) * float(spec.width)
    layers = spec.layers + float(spec.single_layers) if isinstance(spec, FluxShape) else spec.layers - 1.0
    return [Block("transformer_blocks", float(layers)).field("control.add", "arithmetic", 2.0 * x, x, live=x)]


def control_ops(spec: Control, latents: Plane, tokens: Num) -> list[Op]:
    """One forward pass of a ControlNet beside its denoiser."""
    if isinstance(spec, MMDiTControlSpec):
        return mmdit_control_ops(spec, latents, tokens)
    if isinstance(spec, FluxControlSpec):
        return flux_control_ops(spec, latents, tokens)
    return controlnet_ops(spec, latents, tokens)


def context_tokens(spec: Denoiser | UNetTrunk) -> float:
    """Text tokens that a denoiser sees where nothing else is said."""
    if isinstance(spec, (PixArtSpec, MMDiTShape, FluxShape)):
        return float(spec.text_tokens)
    return float(spec.context_tokens) if isinstance(spec, PlainUNetSpec) else _CLIP_TOKENS


def latent_channels(spec: Denoiser) -> float:
    """Channels of the latents that a denoiser makes, without those of variances, masks or pictures beside."""
    if isinstance(spec, FluxShape):
        return spec.out_channels / 4.0
    if isinstance(spec, PlainUNetSpec):
        return float(spec.latent_channels)
    if isinstance(spec, (DiTSpec, PixArtSpec)):
        return float(spec.in_channels)
    return float(spec.out_channels)
