"""Any denoiser and its latents to the ops of one forward pass."""

from __future__ import annotations

from typing import TypeAlias

from roofline.architectures.image.dit import dit_ops, pixart_ops
from roofline.architectures.image.flux import flux_ops
from roofline.architectures.image.mmdit import mmdit_ops
from roofline.architectures.image.plain import plain_unet_ops
from roofline.architectures.image.unets.unet import controlnet_ops, unet_ops
from roofline.errors import UnsupportedError
from roofline.num import Num
from roofline.specs.image.parts import ControlNetSpec, UNetSpec, UNetTrunk
from roofline.specs.image.plain import PlainUNetSpec
from roofline.specs.image.transformers import DenoiserSpec, DiTSpec, FluxSpec, MMDiTSpec, PixArtSpec
from roofline.workload.constructors_image import Plane
from roofline.workload.op import Op

Denoiser: TypeAlias = UNetSpec | PlainUNetSpec | DenoiserSpec
_CLIP_TOKENS = 77.0


def denoiser_ops(spec: Denoiser, latents: Plane, tokens: Num, *, control: bool = False) -> list[Op]:
    """One forward pass of a denoiser of any family. Raises UnsupportedError where one cannot be steered."""
    if isinstance(spec, UNetSpec):
        return unet_ops(spec, latents, tokens, control=control)
    if isinstance(spec, PlainUNetSpec) and not control:
        return plain_unet_ops(spec, latents, tokens)
    if control:
        raise UnsupportedError(f"{spec.name}: a ControlNet goes with a UNet")
    if isinstance(spec, DiTSpec):
        return dit_ops(spec, latents)
    if isinstance(spec, PixArtSpec):
        return pixart_ops(spec, latents, tokens)
    if isinstance(spec, MMDiTSpec):
        return mmdit_ops(spec, latents, tokens)
    if isinstance(spec, FluxSpec):
        return flux_ops(spec, latents, tokens)
    raise UnsupportedError(f"no denoiser architecture for {type(spec).__name__}")


def control_ops(spec: ControlNetSpec, latents: Plane, tokens: Num) -> list[Op]:
    """One forward pass of a ControlNet beside its UNet."""
    return controlnet_ops(spec, latents, tokens)


def context_tokens(spec: Denoiser | UNetTrunk) -> float:
    """Text tokens that a denoiser sees where nothing else is said."""
    if isinstance(spec, (PixArtSpec, MMDiTSpec, FluxSpec)):
        return float(spec.text_tokens)
    return float(spec.context_tokens) if isinstance(spec, PlainUNetSpec) else _CLIP_TOKENS


def latent_channels(spec: Denoiser) -> float:
    """Channels of the latents that a denoiser makes, without those of variances, masks or pictures beside."""
    if isinstance(spec, FluxSpec):
        return spec.out_channels / 4.0
    if isinstance(spec, PlainUNetSpec):
        return float(spec.latent_channels)
    if isinstance(spec, (DiTSpec, PixArtSpec)):
        return float(spec.in_channels)
    return float(spec.out_channels)
