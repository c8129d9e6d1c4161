"""FLUX: spec and plane of latents to ops.

Source: diffusers 0.42.1, transformer_flux.py, FluxPosEmbed and apply_rotary_emb in embeddings.py.
"""

from __future__ import annotations

from roofline.architectures.image.blocks import Tokens, mlp_ops, more_than_one, narrow_op, sinusoid_ops
from roofline.architectures.image.modulated_blocks import (
    feed_forward_ops,
    gate_ops,
    head_norm_ops,
    modulated_norm_ops,
    scales_ops,
)
from roofline.num import Num, ceil
from roofline.specs.image.transformers import FluxShape, FluxSpec
from roofline.workload import constructors_image as make
from roofline.workload.constructors_image import TOP, Block, Plane, allocated
from roofline.workload.op import Op

_TWO, _ONE, _TIME = "transformer_blocks", "single_transformer_blocks", "time_text_embed"


def flux_ops(spec: FluxSpec, latents: Plane, text_tokens: Num) -> list[Op]:
    """One forward pass: patches [b, h w / 4, 64] and a text [b, s, d] to a prediction of the patches."""
    patch = 2.0 * spec.patch  # the pipeline packs 2×2 latents into one token
    batch, width = latents.batch, float(spec.width)
    image = Tokens(batch, ceil(latents.height / patch) * ceil(latents.width / patch), width)
    text = Tokens(batch, text_tokens, width)
    places = image.each + text_tokens
    small = kept_throughout(spec, batch, places)
    ops = [make.linear("x_embedder", "x_embedder", image.rows, float(spec.in_channels), width)]
    ops += condition_ops(spec, batch)
    ops.append(make.linear("context_embedder", "context_embedder", text.rows, float(spec.text_width), width))
    ops += position_ops(spec, places)
    if spec.layers:
        ops += two_stream_ops(spec, image, text, small)
    if spec.single_layers:
        ops += one_stream_ops(spec, Tokens(batch, places, width), small)
    out = Block("norm_out")
    ops += scales_ops("norm_out", out, batch, width, 2.0)
    ops += modulated_norm_ops("norm_out", out, image, image.elements + small)
    ops.append(make.linear("proj_out", "proj_out", image.rows, width, float(spec.out_channels)))
    return ops


def kept_throughout(spec: FluxShape, batch: Num, places: Num) -> Num:
    """What stays throughout: the condition's row, cosines and sines, ids of positions, time step and guidance."""
    waves = 4.0 * places * float(spec.head_dim)
    scalars = (2.0 if spec.guidance else 1.0) * make.ALLOCATION
    return allocated(batch * float(spec.width)) + waves + allocated(3.0 * places) + scalars


def condition_ops(spec: FluxShape, batch: Num) -> list[Op]:
    """Time step, guidance scale where the model takes it, and pooled text to one row per image."""
    width, waves, time = float(spec.width), float(spec.frequencies), Block(_TIME)
    row, numbers = batch * width, 2 if spec.guidance else 1
    ops = [TOP.field("time_scale", "arithmetic", batch, batch)]
    if spec.guidance:
        ops.append(TOP.field_fp32("guidance_cast", "copy", batch, 0.0, write_half=batch))
        ops.append(TOP.field("guidance_scale", "arithmetic", batch, batch))
    for _ in range(numbers):
        ops += sinusoid_ops(time, batch, waves, integer=False)
        ops.append(narrow_op("time_narrow", time, batch * waves))
        ops += mlp_ops(time, batch, waves, width, width)
    ops += mlp_ops(time, batch, float(spec.pooled_width), width, width)
    return [*ops, Block(_TIME, float(numbers)).field("condition_add", "arithmetic", 2.0 * row, row)]


def position_ops(spec: FluxShape, places: Num) -> list[Op]:
    """Cosines and sines of three coordinates per token, in fp64 (two elements of 4 bytes each)."""
    block = Block("pos_embed")
    two = block.times(2.0)
    ops = [
        TOP.field("ids", "copy", 3.0 * places, 3.0 * places),
        block.field_fp32("ids.widen", "copy", 0.0, 3.0 * places, read_half=3.0 * places),
    ]
    for dim in spec.rotary:
        half = dim / 2.0
        grid = 2.0 * places * half
        ops += [
            block.field_fp32("frequencies", "factory", 0.0, 2.0 * half),
            block.times(5.0).field_fp32("frequencies", "arithmetic", 2.0 * half, 2.0 * half),
            block.field_fp32("angles", "arithmetic", places + 2.0 * half, grid),
            two.field_fp32("waves", "arithmetic", grid, grid),
            two.field_fp32("waves.repeat", "copy", grid, 2.0 * grid),
            two.field_fp32("waves.narrow", "copy", 2.0 * grid, grid),
        ]
    every = places * float(sum(spec.rotary))
    return [*ops, two.field_fp32("waves.concat", "copy", every, every)]


def _rotary_ops(spec: FluxShape, layers: Block, x: Num, places: Num, held: Num) -> list[Op]:
    """Queries and keys [b, n, h, d] rotated in fp32: x cos + rotated(x) sin, in eight kernels each.

    `held` includes x, the elements of one of the two.
    """
    block, half, waves = layers.times(2.0), x / 2.0, places * spec.head_dim
    two, turning = block.times(2.0), held + 3.0 * x - 2.0 * waves
    return [
        block.field("rotary.negate", "arithmetic", half, half, live=held - half),
        block.field("rotary.stack", "copy", x, x, live=held - half),
        two.field_fp32("rotary.widen", "copy", 0.0, x, read_half=x, live=held + 2.0 * x),
        two.field_fp32("rotary.turn", "arithmetic", x + waves, x, live=turning),
        block.field_fp32("rotary.add", "arithmetic", 2.0 * x, x, live=held + x),
        block.field_fp32("rotary.narrow", "copy", x, 0.0, write_half=x, live=held + x),
    ]


def _projection_op(name: str, block: Block, tokens: Tokens, held: Num) -> Op:
    """Queries, keys and values with biases."""
    width = tokens.width
    return block.times(3.0).linear(f"{name}.qkv", tokens.rows, width, width, live=held + tokens.elements)


def _norms(spec: FluxShape, name: str, block: Block, tokens: Tokens, held: Num) -> list[Op]:
    """Norms of queries and keys."""
    heads, dim = float(spec.heads), float(spec.head_dim)
    return head_norm_ops(f"{name}.qk_norm", block.times(2.0), tokens.rows, heads, dim, held, weight_fp32=True)


def two_stream_ops(spec: FluxShape, image: Tokens, text: Tokens, small: Num) -> list[Op]:
    """Layers of two streams: joint attention, then a feed-forward for each."""
    block, batch, width = Block(_TWO, float(spec.layers)), image.batch, image.width
    x, t = image.elements, text.elements
    joint = x + t
    callers = joint + small + 2.0 * allocated(6.0 * batch * width)
    ops = []
    for name, tokens, own in (("norm1", image, 0.0 * x), ("norm1_context", text, x)):
        ops += scales_ops(name, block, batch, width, 6.0)
        ops += modulated_norm_ops(name, block, tokens, callers + own)
    ops += _joint_attention_ops(spec, block, image, text, callers + joint)
    held = callers + 2.0 * joint
    for name, gate, tokens in (("ff", "attn", image), ("ff_context", "attn_context", text)):
        size = tokens.elements
        ops += gate_ops(gate, block, tokens, held + size)
        held = held + 2.0 * size
        ops += modulated_norm_ops(f"norm2_{name}", block, tokens, held)
        ops += feed_forward_ops(name, block, tokens, held)
        ops += gate_ops(name, block, tokens, held)
    return ops


def _joint_attention_ops(spec: FluxShape, block: Block, image: Tokens, text: Tokens, callers: Num) -> list[Op]:
    """Attention of both streams to both; `callers` includes their normed inputs."""
    batch, width, x, t = image.batch, image.width, image.elements, text.elements
    joint, places, several = x + t, image.each + text.each, more_than_one(batch)
    held = callers + 3.0 * joint
    heads, dim = float(spec.heads), float(spec.head_dim)
    ops = [
        _projection_op("attn.image", block, image, callers),
        _projection_op("attn.text", block, text, callers + 3.0 * x),
        *_norms(spec, "attn.image", block, image, held - x),
        *_norms(spec, "attn.text", block, text, held - t),
        block.times(3.0).field("attn.join", "copy", joint, joint, live=held + joint),
        *_rotary_ops(spec, block, joint, places, held + 2.0 * joint),
        block.attention("attn", batch, heads, places, places, dim, live=held),
    ]
    for name, tokens in (("attn.to_out", image), ("attn.to_add_out", text)):
        ops.append(block.copies(f"{name}.copy", several, tokens.elements, live=held + 3.0 * joint))
        ops.append(block.linear(name, tokens.rows, width, width, live=held + 2.0 * joint))
    return ops


def one_stream_ops(spec: FluxShape, tokens: Tokens, small: Num) -> list[Op]:
    """Layers of one stream: attention and feed-forward side by side, joined by one dense layer."""
    block, batch, places, width = Block(_ONE, float(spec.single_layers)), tokens.batch, tokens.each, tokens.width
    heads, dim, rows, u = float(spec.heads), float(spec.head_dim), tokens.rows, tokens.elements
    callers = small + allocated(3.0 * batch * width) + 2.0 * u  # both streams, and their concatenation
    projected = callers + 5.0 * u
    held = projected + 3.0 * u
    return [
        block.field("join", "copy", u, u, live=small),
        *scales_ops("norm", block, batch, width, 3.0),
        *modulated_norm_ops("norm", block, tokens, callers),
        block.linear("proj_mlp", rows, width, 4.0 * width, live=callers),
        block.field("mlp.gelu", "gelu", 4.0 * u, 4.0 * u, live=callers + u),
        _projection_op("attn", block, tokens, projected),
        *_norms(spec, "attn", block, tokens, held - u),
        *_rotary_ops(spec, block, u, places, held),
        block.attention("attn", batch, heads, places, places, dim, live=held - 3.0 * u),
        block.field("attn.concat", "copy", 5.0 * u, 5.0 * u, live=callers + u),
        block.linear("proj_out", rows, 5.0 * width, width, live=callers + 6.0 * u),
        *gate_ops("out", block, tokens, callers + 5.0 * u),
    ]
