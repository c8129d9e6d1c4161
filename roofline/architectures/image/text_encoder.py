"""CLIP and T5 as the text encoders of image models: spec and prompts to ops.

Every token attends to every other as far as FLOPs go: the masks of these encoders save no work.

Source: transformers 5.23.0, modeling_clip.py, modeling_t5.py; all hidden states of CLIP are kept, as pipelines ask.
"""

from __future__ import annotations

from roofline.architectures.image.modulated_blocks import head_norm_ops
from roofline.num import Num, minimum
from roofline.specs.image.text_encoder import TextEncoderSpec
from roofline.workload import constructors_image as make
from roofline.workload.constructors_image import TOP, Block
from roofline.workload.op import Op
from roofline.workload.shapes import FieldShape


def text_encoder_ops(spec: TextEncoderSpec, prompts: Num, tokens: Num) -> list[Op]:
    """One forward pass over `prompts` texts of `tokens` tokens each."""
    return _clip_ops(spec, prompts, tokens) if spec.kind == "clip" else _t5_ops(spec, prompts, tokens)


def _table(name: str, block: str, ids: Num, looked_up: Num, rows: float, width: float) -> Op:
    """A table look-up by 8-byte ids; the rows that are needed are read, each once."""
    table, y = rows * width, ids * width
    amounts = (0.0, 0.0, table, table, minimum(looked_up, rows) * width, 0.0, y)
    return Op(name, "gather", block, 1.0, *amounts, read_fp32=2.0 * ids, shape=FieldShape(y, "table"))


def _clip_ops(spec: TextEncoderSpec, prompts: Num, tokens: Num) -> list[Op]:
    width, rows, layers = float(spec.width), prompts * tokens, float(spec.layers)
    x = rows * width
    ops = [
        _table("embedding", "embeddings", rows, rows, float(spec.vocabulary), width),
        _table("position_embedding", "embeddings", tokens, tokens, float(spec.tokens), width),
        Block("embeddings").field("position_add", "arithmetic", x + tokens * width, x),
        *_clip_layer_ops(spec, prompts, tokens),
        Block("final_layer_norm").layer_norm("final_layer_norm", rows, width, live=layers * x),
        TOP.field_fp32("end.arange", "factory", 0.0, 2.0 * prompts),
        TOP.field_fp32("end.cast", "copy", 2.25 * rows, 2.0 * rows, kernels=2.0),
        TOP.field_fp32("end.find", "reduce", 2.0 * rows, 0.25 * rows + 2.0 * prompts, kernels=2.0),
        TOP.field_fp32("end.pick", "table", 4.0 * prompts, 0.0, read_half=x, write_half=prompts * width),
    ]
    if spec.projection is not None:
        projection, block = float(spec.projection), "text_projection"
        ops.append(make.linear("text_projection", block, prompts, width, projection, bias=False))
    return ops


def _clip_layer_ops(spec: TextEncoderSpec, prompts: Num, tokens: Num) -> list[Op]:
    width, hidden, rows = float(spec.width), float(spec.feed_forward), prompts * tokens
    heads, dim, block, x = (
        float(spec.heads),
        float(spec.head_dim),
        Block("encoder.layers", float(spec.layers)),
        rows * width,
    )
    held = (block.number - 1.0) * x  # the inputs of all layers before
    beside = held + 3.0 * x
    return [
        block.layer_norm("layer_norm1", rows, width, live=held),
        block.times(3.0).linear("self_attn.qkv", rows, width, width, live=beside),
        block.attention("self_attn", prompts, heads, tokens, tokens, dim, live=held + 2.0 * x),
        block.linear("self_attn.out_proj", rows, width, width, live=held + 5.0 * x),
        block.field("self_attn.residual", "arithmetic", 2.0 * x, x, live=held),
        block.layer_norm("layer_norm2", rows, width, live=held + x),
        block.linear("mlp.fc1", rows, width, hidden, live=held + 2.0 * x),
        *_activation_ops(spec, block, rows * hidden, beside),
        block.linear("mlp.fc2", rows, hidden, width, live=beside),
        block.field("mlp.residual", "arithmetic", 2.0 * x, x, live=held + 2.0 * x),
    ]


def _activation_ops(spec: TextEncoderSpec, block: Block, inner: Num, beside: Num) -> list[Op]:
    """Gelu in one kernel, or x sigmoid(1.702 x) in three."""
    if spec.activation != "quick_gelu":
        return [block.field("mlp.gelu", "gelu", inner, inner, live=beside)]
    return [
        block.field("mlp.scale", "arithmetic", inner, inner, live=beside),
        block.field("mlp.sigmoid", "sigmoid", inner, inner, live=beside + inner),
        block.field("mlp.gate", "arithmetic", 2.0 * inner, inner, live=beside),
    ]


def _t5_ops(spec: TextEncoderSpec, prompts: Num, tokens: Num) -> list[Op]:
    rows, width, block = prompts * tokens, float(spec.width), Block("encoder.block", float(spec.layers))
    x, bias = rows * width, float(spec.heads) * tokens * tokens
    held, last = 3.0 * x + make.allocated(bias), Block("encoder.final_layer_norm")
    return [
        _table("embedding", "encoder.embed_tokens", rows, rows, float(spec.vocabulary), width),
        *head_norm_ops("layer.0.norm", block, rows, 1.0, width, x + bias, weight_fp32=False),
        *_t5_attention_ops(spec, block, prompts, tokens, held),
        *head_norm_ops("layer.1.norm", block, rows, 1.0, width, held, weight_fp32=False),
        *_t5_feed_forward_ops(spec, block, rows, held),
        *head_norm_ops("final_norm", last, rows, 1.0, width, x, weight_fp32=False),
    ]


def _t5_attention_ops(spec: TextEncoderSpec, block: Block, prompts: Num, tokens: Num, held: Num) -> list[Op]:
    rows, width, heads, dim = prompts * tokens, float(spec.width), float(spec.heads), float(spec.head_dim)
    inner, bias = float(spec.heads * spec.head_dim), heads * tokens * tokens
    x, q = rows * width, rows * inner
    return [
        block.times(3.0).linear("attention.qkv", rows, width, inner, bias=False, live=held),
        *_position_ops(spec, tokens),
        block.field("position_copy", "copy", bias, bias, live=3.0 * (x + q)),
        block.attention("attention", prompts, heads, tokens, tokens, dim, bias=bias, live=held),
        block.linear("attention.o", rows, inner, width, bias=False, live=held + 3.0 * q),
        block.field("attention.residual", "arithmetic", 2.0 * x, x, live=held),
    ]


def _t5_feed_forward_ops(spec: TextEncoderSpec, block: Block, rows: Num, held: Num) -> list[Op]:
    """wo(gelu(wi_0(x)) * wi_1(x)), with a gelu written out in element-wise operations; or wo(relu(wi(x)))."""
    width, hidden = float(spec.width), float(spec.feed_forward)
    x, f = rows * width, rows * hidden
    beside = held + x
    if spec.activation == "relu":
        return [
            block.linear("wi", rows, width, hidden, bias=False, live=held),
            block.field("act", "relu", f, f, live=beside),
            block.linear("wo", rows, hidden, width, bias=False, live=beside),
            block.field("ff.residual", "arithmetic", 2.0 * x, x, live=beside),
        ]
    return [
        block.linear("wi_0", rows, width, hidden, bias=False, live=held),
        block.times(5.0).field("act", "arithmetic", f, f, live=beside + 2.0 * f),
        block.field("act.tanh", "tanh", f, f, live=beside + 2.0 * f),
        block.times(2.0).field("act.sum", "arithmetic", 2.0 * f, f, live=beside + f),
        block.linear("wi_1", rows, width, hidden, bias=False, live=beside),
        block.field("gate", "arithmetic", 2.0 * f, f, live=beside),
        block.linear("wo", rows, hidden, width, bias=False, live=beside + 2.0 * f),
        block.field("ff.residual", "arithmetic", 2.0 * x, x, live=beside),
    ]


def _position_ops(spec: TextEncoderSpec, tokens: Num) -> list[Op]:
    """Distances sorted into buckets, in 8-byte integers (two elements of 4 bytes), and a bias per bucket and head."""
    pairs, heads = tokens * tokens, float(spec.heads)
    table, y = float(spec.buckets or 0) * heads, pairs * heads
    block, amounts, shape = Block("encoder.block"), (0.0, 0.0, table, table, table, 0.0, y), FieldShape(y, "table")
    layers = float(spec.layers) if spec.kind == "umt5" else 1.0
    ops = [
        block.field_fp32("distances", "factory", 0.0, 4.0 * tokens, kernels=2.0),
        block.field_fp32("distances", "arithmetic", 6.0 * tokens, 2.0 * tokens + 2.0 * pairs, kernels=2.0),
        block.field_fp32("buckets.compare", "arithmetic", 4.0 * pairs, 0.5 * pairs, kernels=2.0),
        block.field_fp32("buckets.cast", "copy", 3.25 * pairs, 5.0 * pairs, kernels=3.0),
        block.field_fp32("buckets", "arithmetic", 26.25 * pairs, 20.0 * pairs, kernels=12.0),
        Op("position_embedding", "gather", block.name, 1.0, *amounts, read_fp32=2.0 * pairs, shape=shape),
    ]
    return [op._replace(count=op.count * layers) for op in ops]
