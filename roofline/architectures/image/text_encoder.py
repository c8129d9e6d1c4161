"""CLIP and T5 as the text encoders of image models: spec and prompts to ops.

Every token attends to every other as far as FLOPs go: the masks of these encoders save no work.

Source: transformers 5.23.0, modeling_clip.py, modeling_t5.py; all hidden states of CLIP are kept, as pipelines ask.
"""

from __future__ import annotations

from roofline.architectures.image.modulated_blocks import head_norm_ops
from roofline.num import Num, minimum
from roofline.specs.image.text_encoder import TextEncoderSpec
from roofline.workload import constructors_image as make
from roofline.workload.op import Op
from roofline.workload.shapes import FieldShape


def text_encoder_ops(spec: TextEncoderSpec, prompts: Num, tokens: Num) -> list[Op]:
    """One forward pass over `prompts` texts of `tokens` tokens each."""
    return _t5_ops(spec, prompts, tokens) if spec.kind == "t5" else _clip_ops(spec, prompts, tokens)


def _table(name: str, block: str, ids: Num, looked_up: Num, rows: float, width: float) -> Op:
    """A table look-up by 8-byte ids; the rows that are needed are read, each once."""
    return Op(
        name, "gather", block, params=rows * width, active=rows * width, weights=minimum(looked_up, rows) * width,
        read_fp32=2.0 * ids, write=ids * width, shape=FieldShape(ids * width, "table"),
    )  # fmt: skip


def _clip_ops(spec: TextEncoderSpec, prompts: Num, tokens: Num) -> list[Op]:
    width, rows, layers = float(spec.width), prompts * tokens, float(spec.layers)
    x = rows * width
    ops = [
        _table("embedding", "embeddings", rows, rows, float(spec.vocabulary), width),
        _table("position_embedding", "embeddings", tokens, tokens, float(spec.tokens), width),
        make.field("position_add", "embeddings", "arithmetic", x + tokens * width, x),
    ]
    ops += _clip_layer_ops(spec, prompts, tokens, layers)
    ops.append(make.layer_norm("final_layer_norm", "final_layer_norm", rows, width, live=layers * x))
    ids, block = rows, "<top>"
    ops += [
        make.field_fp32("end.arange", block, "factory", 0.0, 2.0 * prompts),
        make.field_fp32("end.cast", block, "copy", 2.25 * ids, 2.0 * ids, count=1.0, kernels=2.0),
        make.field_fp32("end.find", block, "reduce", 2.0 * ids, 0.25 * ids + 2.0 * prompts, kernels=2.0),
        make.field_fp32("end.pick", block, "table", 4.0 * prompts, 0.0, read_half=x, write_half=prompts * width),
    ]
    if spec.projection is not None:
        ops.append(
            make.linear("text_projection", "text_projection", prompts, width, float(spec.projection), bias=False)
        )
    return ops


def _clip_layer_ops(spec: TextEncoderSpec, prompts: Num, tokens: Num, count: float) -> list[Op]:
    width, hidden, rows = float(spec.width), float(spec.feed_forward), prompts * tokens
    block, x, inner = "encoder.layers", rows * width, rows * hidden
    held = (count - 1.0) * x  # the inputs of all layers before
    ops = [
        make.layer_norm("layer_norm1", block, rows, width, count=count, live=held),
        make.linear("self_attn.qkv", block, rows, width, width, count=3.0 * count, live=held + 3.0 * x),
        make.attention("self_attn", block, prompts, float(spec.heads), tokens, tokens, float(spec.head_dim),
                       count=count, live=held + 2.0 * x),
        make.linear("self_attn.out_proj", block, rows, width, width, count=count, live=held + 5.0 * x),
        make.field("self_attn.residual", block, "arithmetic", 2.0 * x, x, count=count, live=held),
        make.layer_norm("layer_norm2", block, rows, width, count=count, live=held + x),
        make.linear("mlp.fc1", block, rows, width, hidden, count=count, live=held + 2.0 * x),
    ]  # fmt: skip
    beside = held + 3.0 * x
    if spec.activation == "quick_gelu":
        ops += [
            make.field("mlp.scale", block, "arithmetic", inner, inner, count=count, live=beside),
            make.field("mlp.sigmoid", block, "sigmoid", inner, inner, count=count, live=beside + inner),
            make.field("mlp.gate", block, "arithmetic", 2.0 * inner, inner, count=count, live=beside),
        ]
    else:
        ops.append(make.field("mlp.gelu", block, "gelu", inner, inner, count=count, live=beside))
    ops += [
        make.linear("mlp.fc2", block, rows, hidden, width, count=count, live=beside),
        make.field("mlp.residual", block, "arithmetic", 2.0 * x, x, count=count, live=held + 2.0 * x),
    ]
    return ops


def _t5_ops(spec: TextEncoderSpec, prompts: Num, tokens: Num) -> list[Op]:
    width, inner, rows, count = (
        float(spec.width),
        float(spec.heads * spec.head_dim),
        prompts * tokens,
        float(spec.layers),
    )
    hidden, heads, block = float(spec.feed_forward), float(spec.heads), "encoder.block"
    x, q, f, bias = rows * width, rows * inner, rows * hidden, heads * tokens * tokens
    held = 3.0 * x + make.allocated(bias)
    ops = [_table("embedding", "encoder.embed_tokens", rows, rows, float(spec.vocabulary), width)]
    ops += head_norm_ops("layer.0.norm", block, rows, 1.0, width, x + bias, weight_fp32=False, count=count)
    ops.append(make.linear("attention.qkv", block, rows, width, inner, bias=False, count=3.0 * count, live=held))
    ops += _position_ops(spec, tokens)
    ops += [
        make.field("position_copy", block, "copy", bias, bias, count=count, live=3.0 * (x + q)),
        make.attention("attention", block, prompts, heads, tokens, tokens, float(spec.head_dim), bias=bias, count=count,
                       live=held),
        make.linear("attention.o", block, rows, inner, width, bias=False, count=count, live=held + 3.0 * q),
        make.field("attention.residual", block, "arithmetic", 2.0 * x, x, count=count, live=held),
    ]  # fmt: skip
    ops += head_norm_ops("layer.1.norm", block, rows, 1.0, width, held, weight_fp32=False, count=count)
    beside = held + x
    ops += [
        make.linear("wi_0", block, rows, width, hidden, bias=False, count=count, live=held),
        make.field("act", block, "arithmetic", f, f, count=5.0 * count, live=beside + 2.0 * f),
        make.field("act.tanh", block, "tanh", f, f, count=count, live=beside + 2.0 * f),
        make.field("act.sum", block, "arithmetic", 2.0 * f, f, count=2.0 * count, live=beside + f),
        make.linear("wi_1", block, rows, width, hidden, bias=False, count=count, live=beside),
        make.field("gate", block, "arithmetic", 2.0 * f, f, count=count, live=beside),
        make.linear("wo", block, rows, hidden, width, bias=False, count=count, live=beside + 2.0 * f),
        make.field("ff.residual", block, "arithmetic", 2.0 * x, x, count=count, live=beside),
    ]
    return ops + head_norm_ops("final_norm", "encoder.final_layer_norm", rows, 1.0, width, x, weight_fp32=False)


def _position_ops(spec: TextEncoderSpec, tokens: Num) -> list[Op]:
    """Distances sorted into buckets, in 8-byte integers (two elements of 4 bytes), and a bias per bucket and head."""
    block, pairs, heads = "encoder.block", tokens * tokens, float(spec.heads)
    table = float(spec.buckets or 0) * heads
    return [
        make.field_fp32("distances", block, "factory", 0.0, 4.0 * tokens, kernels=2.0),
        make.field_fp32("distances", block, "arithmetic", 6.0 * tokens, 2.0 * tokens + 2.0 * pairs, kernels=2.0),
        make.field_fp32("buckets.compare", block, "arithmetic", 4.0 * pairs, 0.5 * pairs, kernels=2.0),
        make.field_fp32("buckets.cast", block, "copy", 3.25 * pairs, 5.0 * pairs, kernels=3.0),
        make.field_fp32("buckets", block, "arithmetic", 26.25 * pairs, 20.0 * pairs, kernels=12.0),
        Op(
            "position_embedding", "gather", block, params=table, active=table, weights=table, read_fp32=2.0 * pairs,
            write=pairs * heads, shape=FieldShape(pairs * heads, "table"),
        ),
    ]  # fmt: skip
