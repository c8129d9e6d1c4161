"""What conditions a UNet beside its latents: time step, guidance, sizes, pooled texts, pictures, classes.

Source: diffusers 0.42.1, unet_2d_condition.py and the classes of embeddings.py that it names.
"""

from __future__ import annotations

from roofline.architectures.image.blocks import mlp_ops, narrow_op, sinusoid_ops, time_embedding_ops
from roofline.num import Num, minimum
from roofline.specs.image.parts import UNetTrunk
from roofline.specs.image.unet_parts import ClassCondition, ContextInput, EmbeddedCondition
from roofline.workload.constructors_image import TOP, Block
from roofline.workload.op import Op
from roofline.workload.shapes import FieldShape

#: What the position network of GLIGEN reads beside an embedding: 64 sines of a box; its hidden width.
_BOX_WAVES, _BOX_HIDDEN = 64.0, 512.0


def condition_ops(spec: UNetTrunk, batch: Num, width: float, tokens: Num) -> list[Op]:
    """All conditions to a row [b, `width`] per picture, and the text to the width that attention reads."""
    first = float(spec.down[0].channels)
    guidance = float(spec.guidance_width) if spec.guidance_width is not None else None
    ops = time_embedding_ops(batch, first, width, guidance)
    if spec.class_condition is not None:
        ops += _class_ops(spec.class_condition, batch, first, width)
    ops += _size_ops(spec, batch, width)
    context = float(spec.context_width or 0)
    if spec.embedded_condition is not None:
        ops += _embedded_ops(spec.embedded_condition, batch, width, tokens)
        ops.append(TOP.field("embedded_add", "arithmetic", 2.0 * batch * width, batch * width))
    if spec.context_input is not None:
        ops += _context_ops(spec.context_input, batch, context, tokens)
    return ops + (_box_ops(context, 2.0 if spec.gated == "text-image" else 1.0) if spec.gated else [])


def _size_ops(spec: UNetTrunk, batch: Num, width: float) -> list[Op]:
    """A pooled text and the sizes of the picture, SDXL's."""
    added = spec.added_conditions
    if added is None:
        return []
    numbers, pooled = batch * added.numbers, batch * added.pooled_width
    waves = numbers * added.number_width
    return [
        *sinusoid_ops(Block("add_time_proj"), numbers, float(added.number_width), integer=False),
        TOP.field_fp32("add_concat", "copy", waves, waves + pooled, read_half=pooled),
        narrow_op("add_narrow", TOP, waves + pooled),
        *mlp_ops(Block("add_embedding"), batch, float(added.width), width, width),
        TOP.field("add_embed", "arithmetic", 2.0 * batch * width, batch * width),
    ]


def _class_ops(spec: ClassCondition, batch: Num, first: float, width: float) -> list[Op]:
    """A class to a row per picture, added to the time embedding or set beside it."""
    block, row, into = Block("class_embedding"), batch * width, float(spec.width or 0)
    ops: list[Op] = []
    if spec.kind == "table":
        table = into * width
        amounts = (0.0, 0.0, table, table, minimum(batch, into) * width, 0.0, row)
        shape = FieldShape(row, "table")
        ops.append(Op("class_embedding", "gather", block.name, 1.0, *amounts, read_fp32=2.0 * batch, shape=shape))
    elif spec.kind == "timestep":
        ops += sinusoid_ops(block, batch, first, integer=True)
        ops += [narrow_op("class_narrow", block, batch * first), *mlp_ops(block, batch, first, width, width)]
    elif spec.kind == "projection":
        ops += mlp_ops(block, batch, into, width, width)
    elif spec.kind == "simple_projection":
        ops.append(block.linear("class_embedding", batch, into, width))
    joined = TOP.field("class_concat", "copy", 2.0 * row, 2.0 * row)
    return [*ops, joined if spec.concatenated else TOP.field("class_add", "arithmetic", 2.0 * row, row)]


def _embedded_ops(spec: EmbeddedCondition, batch: Num, width: float, tokens: Num) -> list[Op]:
    """A text, a picture or both to a row per picture."""
    block, into = Block("add_embedding"), float(spec.width)
    if spec.kind == "image":
        return [
            block.linear("image_proj", batch, into, width),
            block.layer_norm("image_norm", batch, width),
        ]
    if spec.kind == "text_image":
        return [
            block.linear("text_proj", batch, into, width),
            block.layer_norm("text_norm", batch, width),
            block.linear("image_proj", batch, into, width),
            block.field("image_add", "arithmetic", 2.0 * batch * width, batch * width),
        ]
    rows, heads = batch * (tokens + 1.0), float(spec.heads)
    x = batch * tokens * into
    return [
        block.layer_norm("norm1", batch * tokens, into),
        block.field("pool.mean", "reduce", x, batch * into),
        block.field("pool.position", "arithmetic", batch * into, batch * into, weights=into),
        block.field("pool.join", "copy", rows * into, rows * into),
        block.linear("pool.q", batch, into, into),
        block.times(2.0).linear("pool.kv", rows, into, into),
        block.attention("pool", batch, heads, 1.0, tokens + 1.0, into / heads),
        block.linear("proj", batch, into, width),
        block.layer_norm("norm2", batch, width),
    ]


def _context_ops(spec: ContextInput, batch: Num, width: float, tokens: Num) -> list[Op]:
    """Text or picture to the width of cross-attention.

    A picture of a text and picture has the width of cross-attention itself.
    """
    block, into, made = Block("encoder_hid_proj"), float(spec.width), float(spec.tokens)
    ops = []
    if spec.kind != "text":
        picture = into if spec.kind == "image" else width
        ops.append(block.linear("image_embeds", batch, picture, made * width))
    if spec.kind == "image":
        ops.append(block.layer_norm("norm", batch * made, width))
    else:
        ops.append(block.linear("text_proj", batch * tokens, into, width))
    if spec.kind == "text_image":
        joint = batch * (tokens + made) * width
        ops.append(block.field("join", "copy", joint, joint))
    return ops


def _box_ops(context: float, networks: float) -> list[Op]:
    """What embeds boxes and their words, and their pictures, which only a pass with boxes runs (GLIGEN): held."""
    hidden = _BOX_HIDDEN
    layers = (context + _BOX_WAVES + 1.0) * hidden + (hidden + 1.0) * hidden + (hidden + 1.0) * context
    own = networks * (layers + context) + _BOX_WAVES
    return [Op("position_net (idle)", "pointwise", "position_net", params=own, active=own, kernels=0.0)]


def context_length(spec: UNetTrunk, tokens: Num) -> Num:
    """Tokens that attention reads: those of the text, and those made of a picture."""
    given = spec.context_input
    if given is None or given.kind == "text":
        return tokens
    return float(given.tokens) if given.kind == "image" else tokens + float(given.tokens)
