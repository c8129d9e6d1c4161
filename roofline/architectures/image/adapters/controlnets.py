"""ControlNets of transformer denoisers: spec and plane of latents to ops.

Source: diffusers 0.42.1, controlnet_sd3.py, controlnet_flux.py, SD3SingleTransformerBlock in transformer_sd3.py.
"""

from __future__ import annotations

from typing import Final

from roofline.architectures.image.blocks import Tokens
from roofline.architectures.image.flux import (
    condition_ops as flux_condition_ops,
)
from roofline.architectures.image.flux import (
    kept_throughout,
    one_stream_ops,
    position_ops,
    two_stream_ops,
)
from roofline.architectures.image.mmdit import (
    Streams,
    condition_ops,
    latent_ops,
    layer_ops,
    self_attention_ops,
    streams_of,
)
from roofline.architectures.image.modulated_blocks import (
    feed_forward_ops,
    gate_ops,
    modulated_norm_ops,
    patch_ops,
    scales_ops,
)
from roofline.architectures.image.unets.hints import hint_ops
from roofline.num import Num, ceil, floor, minimum
from roofline.specs.image.transformers import FluxControlSpec, MMDiTControlSpec
from roofline.workload import constructors_image as make
from roofline.workload.constructors_image import TOP, Block, Plane, allocated
from roofline.workload.op import Op
from roofline.workload.shapes import FieldShape

_LAYERS: Final = "transformer_blocks"
#: Widths of the convolutions over a picture in pixels that diffusers gives FLUX's ControlNets.
_HINT: Final = (16.0, 16.0, 16.0, 16.0)


def mmdit_control_ops(spec: MMDiTControlSpec, latents: Plane, text_tokens: Num) -> list[Op]:
    """One forward pass: latents, text and a picture's latents to one feature per layer."""
    patch, batch, width = float(spec.patch), latents.batch, float(spec.width)
    image = Tokens(batch, floor(latents.height / patch) * floor(latents.width / patch), width)
    text = Tokens(batch, text_tokens, width)
    streams, x = streams_of(spec, image, text), image.elements
    ops = [*latent_ops(spec, image)] if spec.embeds else []
    ops += condition_ops(spec, batch)
    if spec.joint:
        ops.append(make.linear("context_embedder", "context_embedder", text.rows, float(spec.text_width), width))
    ops += patch_ops("pos_embed_input", image, patch, float(spec.in_channels + spec.extra_channels))
    ops.append(TOP.field("picture_add", "arithmetic", 2.0 * x, x))
    dual = float(len(spec.dual_attention))
    if not spec.joint:
        ops += _single_layer_ops(streams, Block(_LAYERS, float(spec.layers)))
    for count, extra in ((dual, True), (spec.layers - dual, False)) if spec.joint else ():
        if count:
            ops += layer_ops(streams, Block(_LAYERS, count), dual=extra, last=False)
    return ops + _outputs("controlnet_blocks", float(spec.layers), image)


def _single_layer_ops(s: Streams, block: Block) -> list[Op]:
    """Layers of the image's tokens alone."""
    batch, width, x = s.image.batch, s.image.width, s.image.elements
    held = x + allocated(batch * width) + allocated(6.0 * batch * width)
    return [
        *scales_ops("norm1", block, batch, width, 6.0),
        *modulated_norm_ops("norm1", block, s.image, held),
        *self_attention_ops(s._replace(qk_norm=False), block, held + x),
        *gate_ops("attn", block, s.image, held + 2.0 * x),
        *modulated_norm_ops("norm2", block, s.image, held + 2.0 * x),
        *feed_forward_ops("ff", block, s.image, held + 2.0 * x),
        *gate_ops("ff", block, s.image, held + 2.0 * x),
    ]


def _outputs(name: str, layers: float, image: Tokens) -> list[Op]:
    """A dense layer behind every layer, scaled; all features stay until the end."""
    if not layers:
        return []
    block, x = Block(name, layers), image.elements
    held = layers * x
    return [
        block.linear("zero_linear", image.rows, image.width, image.width, live=held),
        block.field("scale", "arithmetic", x, x, live=held),
    ]


def flux_control_ops(spec: FluxControlSpec, latents: Plane, text_tokens: Num) -> list[Op]:
    """One forward pass: packed latents, text and a picture to one feature per layer."""
    patch, batch, width = 2.0 * spec.patch, latents.batch, float(spec.width)
    image = Tokens(batch, ceil(latents.height / patch) * ceil(latents.width / patch), width)
    words = text_tokens + 1.0 if spec.modes is not None else text_tokens
    text, places, x = Tokens(batch, words, width), image.each + words, image.elements
    small, into = kept_throughout(spec, batch, places), float(spec.in_channels)
    ops = [make.linear("x_embedder", "x_embedder", image.rows, into, width)]
    if spec.hint is not None:
        ops += hint_ops(Block("input_hint_block"), _HINT, (3.0, float(spec.hint)), _pixels(latents, spec.scale), x)
    ops.append(make.linear("controlnet_x_embedder", "controlnet_x_embedder", image.rows, into, width))
    ops.append(TOP.field("picture_add", "arithmetic", 2.0 * x, x))
    ops += flux_condition_ops(spec, batch)
    given = batch * text_tokens
    ops.append(make.linear("context_embedder", "context_embedder", given, float(spec.text_width), width))
    ops += [*_mode_ops(spec, batch, text), *position_ops(spec, places)]
    if spec.layers:
        ops += two_stream_ops(spec, image, text, small)
    if spec.single_layers:
        ops += one_stream_ops(spec, Tokens(batch, places, width), small)
    both = (("controlnet_blocks", spec.layers), ("controlnet_single_blocks", spec.single_layers))
    return ops + [op for name, layers in both for op in _outputs(name, float(layers), image)]


def _pixels(latents: Plane, scale: int) -> Plane:
    return Plane(latents.batch, latents.height * float(scale), latents.width * float(scale))


def _mode_ops(spec: FluxControlSpec, batch: Num, text: Tokens) -> list[Op]:
    """The kind of the picture, one token before the text."""
    if spec.modes is None:
        return []
    modes, row = float(spec.modes), batch * text.width
    table = modes * text.width
    amounts = (0.0, 0.0, table, table, minimum(batch, modes) * text.width, 0.0, row)
    shape, name = FieldShape(row, "table"), "controlnet_mode_embedder"
    joined = TOP.field("mode_join", "copy", text.elements, text.elements)
    return [Op("mode", "gather", name, 1.0, *amounts, read_fp32=2.0 * batch, shape=shape), joined]
