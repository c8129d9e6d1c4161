"""The MMDiT of Stable Diffusion 3 and 3.5: spec and plane of latents to ops.

Source: diffusers 0.42.1, transformer_sd3.py, JointTransformerBlock in attention.py.
"""

from __future__ import annotations

from typing import NamedTuple

from roofline.architectures.image.blocks import mlp_ops
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
from roofline.specs.image.transformers import MMDiTSpec
from roofline.workload import constructors_image as make
from roofline.workload.constructors_image import Plane, allocated
from roofline.workload.op import Op

_LAYERS, _TIME = "transformer_blocks", "time_text_embed"


class _Streams(NamedTuple):
    """Image and text tokens of the whole batch, the width of both, and what the scales of a layer take."""

    batch: Num
    image: Num
    text: Num
    width: float
    heads: float
    dim: float

    @property
    def x(self) -> Num:
        """Elements of the image stream."""
        return self.image * self.width

    @property
    def t(self) -> Num:
        """Elements of the text stream."""
        return self.text * self.width


def mmdit_ops(spec: MMDiTSpec, latents: Plane, text_tokens: Num) -> list[Op]:
    """One forward pass: latents [b, c, h, w] and a text [b, s, d] to a prediction of the latents' size."""
    patch, batch, width = float(spec.patch), latents.batch, float(spec.width)
    tokens = floor(latents.height / patch) * floor(latents.width / patch)
    s = _Streams(batch, batch * tokens, batch * text_tokens, width, float(spec.heads), float(spec.head_dim))
    grid, waves = tokens * width, batch * spec.frequencies
    ops = patch_ops("pos_embed", batch, tokens, patch, float(spec.in_channels), width)
    ops += [
        make.field("positions.crop", "pos_embed", "copy", grid, grid, live=s.x),
        make.field("positions.add", "pos_embed", "arithmetic", s.x + grid, s.x),
        make.field("tokens", "<top>", "copy", s.x, s.x),
        *make.sinusoid(_TIME, batch, float(spec.frequencies), integer=True, cast=False),
        make.field_fp32("time_narrow", _TIME, "copy", waves, 0.0, write_half=waves),
        *mlp_ops(_TIME, batch, float(spec.frequencies), width, width),
        *mlp_ops(_TIME, batch, float(spec.pooled_width), width, width),
        make.field("time_text_add", _TIME, "arithmetic", 2.0 * batch * width, batch * width),
        make.linear("context_embedder", "context_embedder", s.text, float(spec.text_width), width),
    ]  # fmt: skip
    dual = float(len(spec.dual_attention))
    for count, extra, last in ((dual, True, False), (spec.layers - 1.0 - dual, False, False), (1.0, False, True)):
        if count:
            ops += _layer_ops(s, spec.qk_norm, count, dual=extra, last=last)
    ops += scales_ops("norm_out", "norm_out", batch, width, 2.0)
    ops += modulated_norm_ops("norm_out", "norm_out", batch, s.image, width, s.x)
    outputs = patch * patch * spec.out_channels
    ops += [make.linear("proj_out", "proj_out", s.image, width, outputs), unpatch_op(s.image, outputs)]
    return ops


def _layer_ops(s: _Streams, qk_norm: bool, count: float, *, dual: bool, last: bool) -> list[Op]:
    """`count` layers: joint attention of both streams, then a feed-forward for each; the last has none for the text."""
    x, t, row = s.x, s.t, s.batch * s.width
    scales, text_scales = (9.0 if dual else 6.0), (2.0 if last else 6.0)
    small = allocated(row) + allocated(scales * row) + (0.0 * row if last else allocated(text_scales * row))
    callers = x + t + small
    ops = scales_ops("norm1", _LAYERS, s.batch, s.width, scales, count)
    ops += modulated_norm_ops("norm1", _LAYERS, s.batch, s.image, s.width, callers, count)
    if dual:
        ops += modulate_ops("norm1.dual", _LAYERS, s.batch, s.image, s.width, callers + x, count)
    normed = callers + (2.0 * x if dual else x)
    ops += scales_ops("norm1_context", _LAYERS, s.batch, s.width, text_scales, count)
    ops += modulated_norm_ops("norm1_context", _LAYERS, s.batch, s.text, s.width, normed, count)
    ops += _joint_attention_ops(s, qk_norm, count, normed + t, last=last)
    held = normed + 2.0 * t + (x if last else 0.0)
    ops += gate_ops("attn", _LAYERS, s.batch, s.image, s.width, held + x, count)
    if dual:
        ops += _self_attention_ops(s, qk_norm, count, held + 2.0 * x)
        ops += gate_ops("attn2", _LAYERS, s.batch, s.image, s.width, held + 2.0 * x, count)
        held = held + x
    held = held + 2.0 * x  # the gated attention, and its sum with the input
    ops += modulated_norm_ops("norm2", _LAYERS, s.batch, s.image, s.width, held, count)
    ops += feed_forward_ops("ff", _LAYERS, s.image, s.width, held, count)
    ops += gate_ops("ff", _LAYERS, s.batch, s.image, s.width, held, count)
    if not last:
        held = held + x
        ops += gate_ops("attn_context", _LAYERS, s.batch, s.text, s.width, held - t, count)
        ops += modulated_norm_ops("norm2_context", _LAYERS, s.batch, s.text, s.width, held + t, count)
        ops += feed_forward_ops("ff_context", _LAYERS, s.text, s.width, held + t, count)
        ops += gate_ops("ff_context", _LAYERS, s.batch, s.text, s.width, held + t, count)
    return ops


def _projections(s: _Streams, name: str, rows: Num, qk_norm: bool, count: float, held: Num) -> list[Op]:
    """Queries, keys and values of one stream; queries and keys normed per head where the model does so."""
    x = rows * s.width
    ops = [make.linear(f"{name}_qkv", _LAYERS, rows, s.width, s.width, count=3.0 * count, live=held + x)]
    if qk_norm:
        ops += head_norm_ops(f"{name}_qk_norm", _LAYERS, rows, s.heads, s.dim, held + 2.0 * x, weight_fp32=False,
                             count=2.0 * count)  # fmt: skip
    return ops


def _joint_attention_ops(s: _Streams, qk_norm: bool, count: float, held: Num, *, last: bool) -> list[Op]:
    joint, batch = s.x + s.t, s.batch
    ops = _projections(s, "attn.image", s.image, qk_norm, count, held)
    ops += _projections(s, "attn.text", s.text, qk_norm, count, held + 3.0 * s.x)
    tokens = (s.image + s.text) / batch
    beside = held + 3.0 * s.t
    ops += [
        make.field("attn.join", _LAYERS, "copy", joint, joint, count=3.0 * count, live=beside + s.x),
        make.attention("attn", _LAYERS, batch, s.heads, tokens, tokens, s.dim, count=count, live=beside),
    ]
    beside = beside + 3.0 * joint
    if not last:
        ops += sliced_linear_ops("attn.to_add_out", _LAYERS, batch, s.text, s.width, s.width, beside + s.x, count)
    return ops + sliced_linear_ops("attn.to_out", _LAYERS, batch, s.image, s.width, s.width, beside + 2.0 * s.t, count)


def _self_attention_ops(s: _Streams, qk_norm: bool, count: float, held: Num) -> list[Op]:
    tokens = s.image / s.batch
    return [
        *_projections(s, "attn2.image", s.image, qk_norm, count, held),
        make.attention("attn2", _LAYERS, s.batch, s.heads, tokens, tokens, s.dim, count=count, live=held),
        make.linear("attn2.to_out", _LAYERS, s.image, s.width, s.width, count=count, live=held + 3.0 * s.x),
    ]
