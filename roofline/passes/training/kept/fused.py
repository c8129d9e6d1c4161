"""What is kept where kernels are fused: Megatron with Transformer Engine, or a compiled model, in 16 bits.

A norm keeps its input and one or two numbers a row, a matrix its input, an activation what it reads, attention its
operands and what it gave. For a GPT layer with dropout that is the formula of Korthikanti et al. and 16 bytes a token
for the statistics of its norms, which the paper leaves out.

With tensors split over `tp` devices the ops come split; what each device has whole (norms, sums, masks of dropout, the
inputs of matrices split by columns) is divided too where tokens are split there (sequence parallelism).

Source: Korthikanti et al. 2022 (arXiv:2205.05198), equations 1 to 4; NVIDIA/TransformerEngine, `fused_attn`,
`RMSNorm`, `LayerNormLinear`; routed experts as NVIDIA/Megatron-LM, `core/transformer/moe/experts.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from roofline.num import Num
from roofline.passes.parallel.rules import RULE_OF
from roofline.passes.training.flow import Flow, is_layer
from roofline.passes.training.habits import Habits
from roofline.passes.training.kept.cores import RANDOM_STATE, sizes_of
from roofline.passes.training.kept.layer import Attention, Layer, walk
from roofline.passes.training.kept.tensors import Kept
from roofline.workload.op import Op
from roofline.workload.shapes import (
    AttentionShape,
    DepthwiseShape,
    ExpertsShape,
    MatmulShape,
    RowShape,
    ScanShape,
    SelectedAttentionShape,
)

#: Where dropout stands in the layer of the paper.
DROPPED: Final = frozenset(("attention", "residual", "position_add", "embedding_norm"))
#: Tokens between two states that a recurrence keeps; estimated, as in the kernels of Mamba 2.
_CHUNK: Final = 256.0
#: Rules of matrices whose inputs every device has whole.
_WHOLE_INPUTS: Final = ("column", "kv", "whole", "logits", "mixed")


def kept_fused(
    flows: Sequence[Flow], dropout: bool = False, attention: Attention = "flash", *, sequence_parallel: float = 1.0
) -> tuple[Kept, ...]:
    """What is kept of the ops of a forward pass, or of one device's share of them.

    dropout   behind attention's softmax and before each residual
    attention   `flash`, `eager` (scores in memory) or `selective` (their core is computed again)
    sequence_parallel   devices over which tokens are divided where tensors are not: `tp`, or 1
    """
    habits = Habits(dropped=DROPPED if dropout else frozenset())
    return walk(flows, habits, attention, _keep, sequence_parallel)


def _keep(flow: Flow, layer: Layer) -> None:
    op, shape = flow.op, flow.op.shape
    if isinstance(shape, MatmulShape):
        if flow.weights:
            share = layer.tp if RULE_OF.get(op.name, "whole") in _WHOLE_INPUTS else 1.0
            _input(op, layer, shape.m * shape.k / share)
    elif isinstance(shape, (AttentionShape, SelectedAttentionShape)):
        _attention(op, shape, layer)
    elif isinstance(shape, ExpertsShape):
        _experts(flow, shape, layer)
    elif isinstance(shape, RowShape):
        _rows(flow, shape, layer)
    elif isinstance(shape, ScanShape):
        _scan(op, shape, layer)
    elif isinstance(shape, DepthwiseShape) or op.read:
        layer.keep(op, f"{op.name}.inputs", half=op.read, estimated=True)


def _input(op: Op, layer: Layer, elements: Num) -> None:
    """The input of a matrix; an adapter's in 4 bytes is a copy of its own."""
    if op.name.endswith((".lora_a", ".lora_b")) and op.write_fp32:
        layer.keep(op, f"{op.name}.input", wide=elements)
    elif op.name.endswith(".lora_b"):
        layer.keep(op, f"{op.name}.input", half=elements)
    elif op.name in ("cross_k_proj", "cross_v_proj"):
        layer.keep_once(op, "encoded", half=elements)
    else:
        layer.keep(op, layer.read_by(op), half=elements)


def _attention(op: Op, shape: AttentionShape | SelectedAttentionShape, layer: Layer) -> None:
    """q, k, v; then output and log-sum-exp of the fused kernel, or probabilities with their mask."""
    tokens, heads, groups, keys = sizes_of(shape)
    layer.keep(op, f"{op.name}.q", half=tokens * heads * shape.key_dim)
    layer.keep(op, f"{op.name}.kv", half=keys * groups * (shape.key_dim + shape.value_dim))
    if layer.attention == "flash":
        layer.keep(op, op.name, half=tokens * heads * shape.value_dim)
        layer.keep(op, f"{op.name}.sums", wide=tokens * heads, fixed=RANDOM_STATE)
    elif layer.attention == "eager":
        scores = shape.span.new * keys * heads
        dropped = "attention" in layer.habits.dropped
        layer.keep(op, f"{op.name}.probabilities", half=scores * (2.0 if dropped else 1.0), byte=scores * dropped)


def _experts(flow: Flow, shape: ExpertsShape, layer: Layer) -> None:
    """Scores of the router, rows by expert, gate and up, their product with the weights of the chosen."""
    op, rows = flow.op, shape.tokens * shape.top_k
    layer.keep(op, "router.scores", wide=shape.tokens * shape.experts + rows, fixed=4.0 * rows)
    if flow.weights:
        layer.keep(op, f"{op.name}.gathered", half=rows * shape.width)
        layer.keep(op, f"{op.name}.product", half=rows * shape.hidden)
    layer.keep(op, f"{op.name}.hidden", half=(2.0 if shape.gated else 1.0) * rows * shape.hidden)


def _rows(flow: Flow, shape: RowShape, layer: Layer) -> None:
    op, elements = flow.op, shape.rows * shape.width
    if shape.style in ("rms", "layer"):
        _norm(op, shape, layer)
    elif shape.style in ("gated", "activation"):
        layer.keep(op, f"{op.name}.input", half=(2.0 if shape.style == "gated" else 1.0) * elements)
    elif shape.style == "add":
        residual = op.name.endswith("_residual") and "residual" in layer.habits.dropped
        if residual or op.name in layer.habits.dropped:
            layer.keep(op, f"{op.name}.mask", byte=elements / layer.tp)
    elif shape.style not in ("embedding", "lookup", "append", "copy", "rotary"):
        layer.keep(op, f"{op.name}.inputs", half=op.read, estimated=True)


def _norm(op: Op, shape: RowShape, layer: Layer) -> None:
    """Its input, and the deviation of each row, for LayerNorm its mean too. Norms of heads are split with the heads."""
    share = 1.0 if RULE_OF.get(op.name) in ("inner", "key_inner") and is_layer(op) else layer.tp
    layer.keep(op, f"{op.name}.input", half=shape.rows * shape.width / share)
    numbers = 2.0 if shape.style == "layer" else 1.0
    layer.keep(op, f"{op.name}.sums", wide=numbers * shape.rows / share)


def _scan(op: Op, shape: ScanShape, layer: Layer) -> None:
    """Its inputs, and the states between chunks in 4 bytes."""
    states = shape.span.tokens / _CHUNK * (shape.heads * shape.key_dim * shape.value_dim)
    layer.keep(op, f"{op.name}.inputs", half=op.read, estimated=True)
    layer.keep(op, f"{op.name}.states", wide=states, estimated=True)
