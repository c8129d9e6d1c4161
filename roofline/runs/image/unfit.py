"""Parts of an image pipeline that cannot work together: widths and channels that must be equal and are not.

Source: diffusers 0.42.1, what the pipelines' calls and the denoisers' forward passes give to each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from roofline.answer.phase import Warn
from roofline.specs.image.codecs import AdapterSpec
from roofline.specs.image.parts import ControlNetSpec, ImageSpec, UNetSpec, UNetTrunk
from roofline.specs.image.pipeline import PipelineSpec
from roofline.specs.image.plain import PlainUNetSpec
from roofline.specs.image.text_encoder import TextEncoderSpec
from roofline.specs.image.transformers import DenoiserSpec, FluxShape, MMDiTControlSpec, MMDiTShape, PixArtSpec

#: Latent elements in a token of FLUX: a patch of 2×2.
_PATCH: Final = 4
#: FLUX's fill model reads, beside the latents, the masked picture's and a mask at the pixels of every latent: 4 times.
_FILL: Final = 6


def unfit_parts(spec: ImageSpec) -> Iterator[Warn]:
    """A warning, with both numbers, for each pair of parts that do not fit."""
    if not isinstance(spec, PipelineSpec) or not isinstance(spec.denoiser, ImageSpec):
        return
    texts = [part.encoder for part in spec.text_encoders if isinstance(part.encoder, TextEncoderSpec)]
    for said in (*_latents(spec), *_texts(spec.denoiser, texts), *_steering(spec)):
        yield Warn("parts-unfit", f"{said}: such parts do not run together; each is counted as its own file says")


def _latents(spec: PipelineSpec) -> Iterator[str]:
    """Latents that the denoiser makes, and that it reads: alone, or beside a picture's, a mask or a depth."""
    denoiser, codec = spec.denoiser, spec.autoencoder
    if isinstance(codec, (str, type(None))) or not isinstance(denoiser, (UNetSpec, DenoiserSpec)):
        return
    own = codec.latent_channels
    patch = _PATCH if isinstance(denoiser, FluxShape) else 1
    reads = {own, own + 1, own + 3, 2 * own, 2 * own + 1} | ({_FILL * own} if patch > 1 else set())
    shown = f" (a token of {patch} times its {own} channels)" if patch > 1 else ""
    if denoiser.in_channels not in {patch * count for count in reads}:
        yield f"the denoiser reads {denoiser.in_channels} channels, the autoencoder's latents have {patch * own}{shown}"
    elif denoiser.out_channels not in (patch * own, 2 * patch * own):
        yield f"the denoiser makes {denoiser.out_channels} channels, the autoencoder reads {patch * own}{shown}"


def _texts(denoiser: ImageSpec, texts: list[TextEncoderSpec]) -> Iterator[str]:
    """Widths of the text and of its pooled embedding."""
    if not texts:
        return
    clips = [each for each in texts if each.kind == "clip"]
    others = [each for each in texts if each.kind != "clip"]
    if isinstance(denoiser, (MMDiTShape, FluxShape)):
        for each in others:
            yield from _text(denoiser.text_width, each.width)
        yield from _pooled(denoiser.pooled_width, clips)
        return
    total = sum(each.width for each in texts)
    for width in _read_widths(denoiser):
        yield from _text(width, total)
    if isinstance(denoiser, UNetSpec) and denoiser.added_conditions is not None:
        yield from _pooled(denoiser.added_conditions.pooled_width, texts[-1:])


def _text(read: int, made: int) -> Iterator[str]:
    if read != made:
        yield f"the denoiser reads a text of width {read}, the text encoders make {made}"


def _pooled(read: int, encoders: list[TextEncoderSpec]) -> Iterator[str]:
    """The pooled texts of these encoders, side by side."""
    made = sum(each.projection or each.width for each in encoders)
    if encoders and made != read:
        yield f"the denoiser reads a pooled text of width {read}, the text encoders make {made}"


def _read_widths(denoiser: ImageSpec) -> list[int]:
    """Widths of the text that a denoiser reads, each once."""
    if isinstance(denoiser, PixArtSpec):
        return [denoiser.text_width]
    if isinstance(denoiser, PlainUNetSpec) or not isinstance(denoiser, UNetSpec) or denoiser.context_width is None:
        return []
    into = denoiser.context_input
    if into is not None:
        return [into.width] if into.kind == "text" else []
    blocks = [each for each in (*denoiser.down, *denoiser.up) if each.attention == "added" or any(each.depths)]
    widths = {each.context_width or denoiser.context_width for each in blocks}
    mid = denoiser.mid
    if mid is not None and mid.heads is not None and mid.attention != "self":
        widths.add(mid.context_width or denoiser.down[-1].context_width or denoiser.context_width)
    return sorted(widths)


def _steering(spec: PipelineSpec) -> Iterator[str]:
    """What a ControlNet or an adapter adds to the denoiser, and the text that both read."""
    denoiser, control, adapter = spec.denoiser, spec.controlnet, spec.adapter
    if isinstance(control, ControlNetSpec) and isinstance(denoiser, UNetSpec):
        if control.context_width != denoiser.context_width:
            yield (
                f"the ControlNet reads a text of width {control.context_width}, the UNet one of "
                f"{denoiser.context_width}"
            )
        if _levels(control) != _levels(denoiser):
            made, read = _shown(_levels(control)), _shown(_levels(denoiser))
            yield f"the ControlNet's blocks have {made} channels, the UNet's {read}"
    elif isinstance(control, DenoiserSpec) and isinstance(denoiser, DenoiserSpec):
        if control.width != denoiser.width:
            yield f"the ControlNet's tokens have width {control.width}, the denoiser's {denoiser.width}"
        yield from _joint_text(control, denoiser)
    if isinstance(adapter, AdapterSpec) and isinstance(denoiser, UNetSpec):
        given, taken = adapter.channels, _levels(denoiser)
        if given[: len(taken)] != taken[: len(given)]:
            yield f"the adapter makes {_shown(given)} channels, the UNet's blocks have {_shown(taken)}"


def _joint_text(control: DenoiserSpec, denoiser: DenoiserSpec) -> Iterator[str]:
    """Transformers whose layers read the text as well."""
    known = (MMDiTShape, FluxShape)
    if isinstance(control, MMDiTControlSpec) and not control.joint:
        return
    if isinstance(control, known) and isinstance(denoiser, known) and control.text_width != denoiser.text_width:
        yield f"the ControlNet reads a text of width {control.text_width}, the denoiser one of {denoiser.text_width}"


def _levels(trunk: UNetTrunk) -> tuple[int, ...]:
    return tuple(block.channels for block in trunk.down)


def _shown(channels: tuple[int, ...]) -> str:
    return ", ".join(str(count) for count in channels)
