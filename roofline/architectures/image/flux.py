"""FLUX: spec and plane of latents to ops.

Source: diffusers 0.42.1, transformer_flux.py, FluxPosEmbed and apply_rotary_emb in embeddings.py.
"""

from __future__ import annotations

from roofline.architectures.image.blocks import mlp_ops, more_than_one
from roofline.architectures.image.modulated_blocks import (
    feed_forward_ops,
    gate_ops,
    head_norm_ops,
    modulated_norm_ops,
    scales_ops,
)
from roofline.num import Num, ceil
from roofline.specs.image.transformers import FluxSpec
from roofline.workload import constructors_image as make
from roofline.workload.constructors_image import Plane, allocated
from roofline.workload.op import Op

_TWO, _ONE, _TIME = "transformer_blocks", "single_transformer_blocks", "time_text_embed"


def flux_ops(spec: FluxSpec, latents: Plane, text_tokens: Num) -> list[Op]:
    """One forward pass: patches [b, h w / 4, 64] and a text [b, s, d] to a prediction of the patches."""
    patch = 2.0 * spec.patch  # the pipeline packs 2×2 latents into one token
    batch, width, dim = latents.batch, float(spec.width), float(spec.head_dim)
    tokens = ceil(latents.height / patch) * ceil(latents.width / patch)
    image, text = batch * tokens, batch * text_tokens
    places = tokens + text_tokens
    row = batch * width
    small = (
        allocated(row)
        + 4.0 * places * dim
        + allocated(3.0 * places)
        + (2.0 if spec.guidance else 1.0) * make.ALLOCATION
    )
    ops = [make.linear("x_embedder", "x_embedder", image, float(spec.in_channels), width)]
    ops += _condition_ops(spec, batch)
    ops.append(make.linear("context_embedder", "context_embedder", text, float(spec.text_width), width))
    ops += _position_ops(spec, places)
    if spec.layers:
        ops += _two_stream_ops(spec, batch, image, text, places, small)
    if spec.single_layers:
        ops += _one_stream_ops(spec, batch, image + text, places, small)
    ops += scales_ops("norm_out", "norm_out", batch, width, 2.0)
    ops += modulated_norm_ops("norm_out", "norm_out", batch, image, width, image * width + small)
    ops.append(make.linear("proj_out", "proj_out", image, width, float(spec.out_channels)))
    return ops


def _condition_ops(spec: FluxSpec, batch: Num) -> list[Op]:
    """Time step, guidance scale where the model takes it, and pooled text to one row per image."""
    width, waves = float(spec.width), float(spec.frequencies)
    row = batch * width
    ops = [make.field("time_scale", "<top>", "arithmetic", batch, batch)]
    if spec.guidance:
        ops.append(make.field_fp32("guidance_cast", "<top>", "copy", batch, 0.0, write_half=batch))
        ops.append(make.field("guidance_scale", "<top>", "arithmetic", batch, batch))
    for _ in range(2 if spec.guidance else 1):
        ops += make.sinusoid(_TIME, batch, waves, integer=False, cast=False)
        ops.append(make.field_fp32("time_narrow", _TIME, "copy", batch * waves, 0.0, write_half=batch * waves))
        ops += mlp_ops(_TIME, batch, waves, width, width)
    ops += mlp_ops(_TIME, batch, float(spec.pooled_width), width, width)
    adds = 2.0 if spec.guidance else 1.0
    return [*ops, make.field("condition_add", _TIME, "arithmetic", 2.0 * row, row, count=adds)]


def _position_ops(spec: FluxSpec, places: Num) -> list[Op]:
    """Cosines and sines of three coordinates per token, in fp64 (two elements of 4 bytes each)."""
    block = "pos_embed"
    ops = [
        make.field("ids", "<top>", "copy", 3.0 * places, 3.0 * places),
        make.field_fp32("ids.widen", block, "copy", 0.0, 3.0 * places, read_half=3.0 * places),
    ]
    for dim in spec.rotary:
        half = dim / 2.0
        grid = 2.0 * places * half
        ops += [
            make.field_fp32("frequencies", block, "factory", 0.0, 2.0 * half),
            make.field_fp32("frequencies", block, "arithmetic", 2.0 * half, 2.0 * half, count=5.0),
            make.field_fp32("angles", block, "arithmetic", places + 2.0 * half, grid),
            make.field_fp32("waves", block, "arithmetic", grid, grid, count=2.0),
            make.field_fp32("waves.repeat", block, "copy", grid, 2.0 * grid, count=2.0),
            make.field_fp32("waves.narrow", block, "copy", 2.0 * grid, grid, count=2.0),
        ]
    every = places * float(sum(spec.rotary))
    return [*ops, make.field_fp32("waves.concat", block, "copy", every, every, count=2.0)]


def _rotary_ops(block: str, x: Num, waves: Num, held: Num, count: float) -> list[Op]:
    """Queries or keys [b, n, h, d] rotated in fp32: x cos + rotated(x) sin, in eight kernels. `held` includes x."""
    half = x / 2.0
    return [
        make.field("rotary.negate", block, "arithmetic", half, half, count=count, live=held - half),
        make.field("rotary.stack", block, "copy", x, x, count=count, live=held - half),
        make.field_fp32("rotary.widen", block, "copy", 0.0, x, read_half=x, count=2.0 * count, live=held + 2.0 * x),
        make.field_fp32("rotary.turn", block, "arithmetic", x + waves, x, count=2.0 * count,
                        live=held + 3.0 * x - 2.0 * waves),
        make.field_fp32("rotary.add", block, "arithmetic", 2.0 * x, x, count=count, live=held + x),
        make.field_fp32("rotary.narrow", block, "copy", x, 0.0, write_half=x, count=count, live=held + x),
    ]  # fmt: skip


def _projection_ops(spec: FluxSpec, name: str, block: str, rows: Num, held: Num, count: float) -> list[Op]:
    """Queries, keys and values with biases."""
    width = float(spec.width)
    return [make.linear(f"{name}.qkv", block, rows, width, width, count=3.0 * count, live=held + rows * width)]


def _norms(spec: FluxSpec, name: str, block: str, rows: Num, held: Num, count: float) -> list[Op]:
    return head_norm_ops(f"{name}.qk_norm", block, rows, float(spec.heads), float(spec.head_dim), held,
                         weight_fp32=True, count=2.0 * count)  # fmt: skip


def _two_stream_ops(spec: FluxSpec, batch: Num, image: Num, text: Num, places: Num, small: Num) -> list[Op]:
    """Layers of two streams: joint attention, then a feed-forward for each."""
    block, width, count = _TWO, float(spec.width), float(spec.layers)
    x, t = image * width, text * width
    joint, several = x + t, more_than_one(batch)
    callers = joint + small + 2.0 * allocated(6.0 * batch * width)
    ops = []
    for name, rows, own in (("norm1", image, 0.0 * x), ("norm1_context", text, x)):
        ops += scales_ops(name, block, batch, width, 6.0, count)
        ops += modulated_norm_ops(name, block, batch, rows, width, callers + own, count)
    held = callers + joint
    ops += _projection_ops(spec, "attn.image", block, image, held, count)
    ops += _projection_ops(spec, "attn.text", block, text, held + 3.0 * x, count)
    held = held + 3.0 * joint
    ops += _norms(spec, "attn.image", block, image, held - x, count)
    ops += _norms(spec, "attn.text", block, text, held - t, count)
    ops.append(make.field("attn.join", block, "copy", joint, joint, count=3.0 * count, live=held + joint))
    ops += _rotary_ops(block, joint, places * spec.head_dim, held + 2.0 * joint, 2.0 * count)
    ops.append(make.attention("attn", block, batch, float(spec.heads), places, places, float(spec.head_dim),
                              count=count, live=held))  # fmt: skip
    for name, rows, size in (("attn.to_out", image, x), ("attn.to_add_out", text, t)):
        ops.append(make.field(f"{name}.copy", block, "copy", several * size, several * size, kernels=several,
                              count=count, live=held + 3.0 * joint))  # fmt: skip
        ops.append(make.linear(name, block, rows, width, width, count=count, live=held + 2.0 * joint))
    held = callers + 2.0 * joint
    for name, rows, size in (("ff", image, x), ("ff_context", text, t)):
        ops += gate_ops("attn" if size is x else "attn_context", block, batch, rows, width, held + size, count)
        held = held + (2.0 * x if size is x else 2.0 * t)
        ops += modulated_norm_ops(f"norm2_{name}", block, batch, rows, width, held, count)
        ops += feed_forward_ops(name, block, rows, width, held, count)
        ops += gate_ops(name, block, batch, rows, width, held, count)
    return ops


def _one_stream_ops(spec: FluxSpec, batch: Num, rows: Num, places: Num, small: Num) -> list[Op]:
    """Layers of one stream: attention and feed-forward side by side, joined by one dense layer."""
    block, width, count = _ONE, float(spec.width), float(spec.single_layers)
    u = rows * width
    callers = small + allocated(3.0 * batch * width) + 2.0 * u  # both streams, and their concatenation
    ops = [make.field("join", block, "copy", u, u, count=count, live=small)]
    ops += scales_ops("norm", block, batch, width, 3.0, count)
    ops += modulated_norm_ops("norm", block, batch, rows, width, callers, count)
    ops.append(make.linear("proj_mlp", block, rows, width, 4.0 * width, count=count, live=callers))
    ops.append(make.field("mlp.gelu", block, "gelu", 4.0 * u, 4.0 * u, count=count, live=callers + u))
    held = callers + 5.0 * u
    ops += _projection_ops(spec, "attn", block, rows, held, count)
    held = held + 3.0 * u
    ops += _norms(spec, "attn", block, rows, held - u, count)
    ops += _rotary_ops(block, u, places * spec.head_dim, held, 2.0 * count)
    ops += [
        make.attention("attn", block, batch, float(spec.heads), places, places, float(spec.head_dim), count=count,
                       live=held - 3.0 * u),
        make.field("attn.concat", block, "copy", 5.0 * u, 5.0 * u, count=count, live=callers + u),
        make.linear("proj_out", block, rows, 5.0 * width, width, count=count, live=callers + 6.0 * u),
    ]  # fmt: skip
    return ops + gate_ops("out", block, batch, rows, width, callers + 5.0 * u, count)
