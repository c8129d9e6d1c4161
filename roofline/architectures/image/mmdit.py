"""The MMDiT of Stable Diffusion 3 and 3.5: spec and plane of latents to ops.

Source: diffusers 0.42.1, transformer_sd3.py, JointTransformerBlock in attention.py.
"""

from __future__ import annotations

from typing import NamedTuple

from roofline.architectures.image.blocks import Tokens, mlp_ops, narrow_op, sinusoid_ops
from roofline.architectures.image.modulated_blocks import (
    feed_forward_ops,
    gate_ops,
    head_norm_ops,
    modulate_ops,
    modulated_norm_ops,
    patch_ops,
    scales_ops,
    sliced_linear_ops,
    unpatch_op,
)
from roofline.num import Num, floor
from roofline.specs.image.transformers import MMDiTShape, MMDiTSpec
from roofline.workload import constructors_image as make
from roofline.workload.constructors_image import TOP, Block, Plane, allocated
from roofline.workload.op import Op

_LAYERS, _TIME = "transformer_blocks", "time_text_embed"


class Streams(NamedTuple):
    """Tokens of the image and of the text, the heads that attend to both, and whether these norm queries and keys."""

    image: Tokens
    text: Tokens
    heads: float
    dim: float
    qk_norm: bool


def mmdit_ops(spec: MMDiTSpec, latents: Plane, text_tokens: Num) -> list[Op]:
    """One forward pass: latents [b, c, h, w] and a text [b, s, d] to a prediction of the latents' size."""
    patch, batch, width = float(spec.patch), latents.batch, float(spec.width)
    image = Tokens(batch, floor(latents.height / patch) * floor(latents.width / patch), width)
    text = Tokens(batch, text_tokens, width)
    streams = streams_of(spec, image, text)
    ops = [*latent_ops(spec, image), *condition_ops(spec, batch)]
    ops.append(make.linear("context_embedder", "context_embedder", text.rows, float(spec.text_width), width))
    dual = float(len(spec.dual_attention))
    for count, extra, last in ((dual, True, False), (spec.layers - 1.0 - dual, False, False), (1.0, False, True)):
        if count:
            ops += layer_ops(streams, Block(_LAYERS, count), dual=extra, last=last)
    ops += scales_ops("norm_out", Block("norm_out"), batch, width, 2.0)
    ops += modulated_norm_ops("norm_out", Block("norm_out"), image, image.elements)
    outputs = patch * patch * spec.out_channels
    return [*ops, make.linear("proj_out", "proj_out", image.rows, width, outputs), unpatch_op(image.rows, outputs)]


def streams_of(spec: MMDiTShape, image: Tokens, text: Tokens) -> Streams:
    """Both streams, with the heads of the model."""
    return Streams(image, text, float(spec.heads), float(spec.head_dim), spec.qk_norm)


def latent_ops(spec: MMDiTShape, image: Tokens) -> list[Op]:
    """Patches, and the sum with positions cut out of a table."""
    x, grid, block = image.elements, image.each * image.width, Block("pos_embed")
    return [
        *patch_ops("pos_embed", image, float(spec.patch), float(spec.in_channels)),
        block.field("positions.crop", "copy", grid, grid, live=x),
        block.field("positions.add", "arithmetic", x + grid, x),
        TOP.field("tokens", "copy", x, x),
    ]


def condition_ops(spec: MMDiTShape, batch: Num) -> list[Op]:
    """Time step and pooled text to one row per image."""
    width, frequencies, block = float(spec.width), float(spec.frequencies), Block(_TIME)
    waves, row = batch * spec.frequencies, batch * width
    return [
        *sinusoid_ops(block, batch, frequencies, integer=True),
        narrow_op("time_narrow", block, waves),
        *mlp_ops(block, batch, frequencies, width, width),
        *mlp_ops(block, batch, float(spec.pooled_width), width, width),
        block.field("time_text_add", "arithmetic", 2.0 * batch * width, row),
    ]


def layer_ops(s: Streams, block: Block, *, dual: bool, last: bool) -> list[Op]:
    """Layers: joint attention of both streams, then a feed-forward for each; the last has none for the text."""
    batch, width = s.image.batch, s.image.width
    x, t, row = s.image.elements, s.text.elements, batch * width
    scales, text_scales = (9.0 if dual else 6.0), (2.0 if last else 6.0)
    small = allocated(row) + allocated(scales * row) + (0.0 * row if last else allocated(text_scales * row))
    callers = x + t + small
    ops = scales_ops("norm1", block, batch, width, scales)
    ops += modulated_norm_ops("norm1", block, s.image, callers)
    if dual:
        ops += modulate_ops("norm1.dual", block, s.image, callers + x)
    normed = callers + (2.0 * x if dual else x)
    ops += scales_ops("norm1_context", block, batch, width, text_scales)
    ops += modulated_norm_ops("norm1_context", block, s.text, normed)
    ops += _joint_attention_ops(s, block, normed + t, last=last)
    held = normed + 2.0 * t + (x if last else 0.0)
    ops += gate_ops("attn", block, s.image, held + x)
    if dual:
        ops += self_attention_ops(s, block, held + 2.0 * x)
        ops += gate_ops("attn2", block, s.image, held + 2.0 * x)
        held = held + x
    held = held + 2.0 * x  # the gated attention, and its sum with the input
    ops += modulated_norm_ops("norm2", block, s.image, held)
    ops += feed_forward_ops("ff", block, s.image, held)
    ops += gate_ops("ff", block, s.image, held)
    return ops if last else ops + _text_feed_forward_ops(s.text, block, held + x)


def _text_feed_forward_ops(text: Tokens, block: Block, held: Num) -> list[Op]:
    t = text.elements
    return [
        *gate_ops("attn_context", block, text, held - t),
        *modulated_norm_ops("norm2_context", block, text, held + t),
        *feed_forward_ops("ff_context", block, text, held + t),
        *gate_ops("ff_context", block, text, held + t),
    ]


def _projections(s: Streams, name: str, block: Block, tokens: Tokens, held: Num) -> list[Op]:
    """Queries, keys and values of one stream; queries and keys normed per head where the model does so."""
    rows, width, x = tokens.rows, tokens.width, tokens.elements
    ops = [block.times(3.0).linear(f"{name}_qkv", rows, width, width, live=held + x)]
    if s.qk_norm:
        two, beside = block.times(2.0), held + 2.0 * x
        ops += head_norm_ops(f"{name}_qk_norm", two, rows, s.heads, s.dim, beside, weight_fp32=False)
    return ops


def _joint_attention_ops(s: Streams, block: Block, held: Num, *, last: bool) -> list[Op]:
    batch, x, t = s.image.batch, s.image.elements, s.text.elements
    joint, tokens = x + t, (s.image.rows + s.text.rows) / batch
    beside = held + 3.0 * t
    after = beside + 3.0 * joint
    ops = [
        *_projections(s, "attn.image", block, s.image, held),
        *_projections(s, "attn.text", block, s.text, held + 3.0 * x),
        block.times(3.0).field("attn.join", "copy", joint, joint, live=beside + x),
        block.attention("attn", batch, s.heads, tokens, tokens, s.dim, live=beside),
    ]
    if not last:
        ops += sliced_linear_ops("attn.to_add_out", block, s.text, after + x)
    return ops + sliced_linear_ops("attn.to_out", block, s.image, after + 2.0 * t)


def self_attention_ops(s: Streams, block: Block, held: Num) -> list[Op]:
    """The image's tokens attend to themselves alone."""
    rows, width, batch = s.image.rows, s.image.width, s.image.batch
    tokens = rows / batch
    return [
        *_projections(s, "attn2.image", block, s.image, held),
        block.attention("attn2", batch, s.heads, tokens, tokens, s.dim, live=held),
        block.linear("attn2.to_out", rows, width, width, live=held + 3.0 * s.image.elements),
    ]
