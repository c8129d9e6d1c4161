"""What autograd keeps of reference code that runs one kernel per operation: Hugging Face's modules in 16 bits.

Source: transformers 5.24.0 and torch 2.14, counted with `torch.autograd.graph.saved_tensors_hooks`: the bytes of every
layer of tests/oracle/training_kept.json.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from roofline.passes.training.flow import Flow
from roofline.passes.training.habits import LLAMA, Habits
from roofline.passes.training.kept.cores import CORES, tables
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


def kept_eager(flows: Sequence[Flow], habits: Habits = LLAMA, attention: Attention = "flash") -> tuple[Kept, ...]:
    """What is kept of the ops of a forward pass (before `eager_ops`), tensor by tensor, in the order of the ops.

    attention   `flash`: queries, keys, values, output and the logarithms of the sums; `eager`: the probabilities too;
                `selective`: the core is computed again from queries, keys and values
    """
    return walk(flows, habits, attention, _keep)


def _keep(flow: Flow, layer: Layer) -> None:
    op, shape = flow.op, flow.op.shape
    _besides(flow, layer)
    if isinstance(shape, MatmulShape):
        _linear(flow, shape, layer)
    elif isinstance(shape, (AttentionShape, SelectedAttentionShape)):
        tables(op, shape, layer)
        own = layer.attention == "selective" and layer.habits.broadcast
        CORES["eager" if own else layer.attention](op, shape, layer)
    elif isinstance(shape, ExpertsShape):
        _experts(flow, shape, layer)
    elif isinstance(shape, RowShape):
        _rows(flow, shape, layer)
    elif isinstance(shape, (ScanShape, DepthwiseShape)) or op.read:
        layer.keep(op, f"{op.name}.inputs", half=op.read, estimated=True)


def _besides(flow: Flow, layer: Layer) -> None:
    """Masks of dropout behind an op outside of layers, and indices that were made anew."""
    op, dropped, ids = flow.op, layer.habits.dropped, layer.habits.ids
    if not isinstance(op.shape, RowShape) or not (flow.weights or flow.inputs):
        return
    name = op.name.split("_", 1)[1] if op.name.startswith(("encoder_d", "decoder_d")) else op.name
    if name in dropped:
        layer.keep(op, f"{op.name}.mask", byte=op.shape.rows * op.shape.width)
    if name in ids:
        layer.keep(op, f"{op.name}.ids", fixed=8.0 * op.shape.rows)
    if op.name == "encoder_norm":
        layer.once.add("encoder")
    if op.name == "embedding" and "encoder" in layer.once:  # a decoder is given its labels, shifted
        layer.keep(op, "decoder.ids", fixed=8.0 * op.shape.rows)


def _linear(flow: Flow, shape: MatmulShape, layer: Layer) -> None:
    """A matrix that is trained keeps its input; an adapter keeps a copy of it in 4 bytes."""
    op = flow.op
    if not flow.weights:
        return
    if op.name.endswith((".lora_a", ".lora_b")):
        wide = bool(op.write_fp32)
        label = f"{op.name}.input" if op.name.endswith("_a") else f"{layer.made.get('lora', op.name)}.output"
        if wide:
            layer.keep(op, label, wide=shape.m * shape.k)
        else:
            layer.keep(op, layer.read_by(op) if op.name.endswith("_a") else label, half=shape.m * shape.k)
        if op.name.endswith("_a"):
            layer.made["lora"] = op.name
        return
    if op.name in ("cross_k_proj", "cross_v_proj"):
        layer.keep_once(op, "encoded", half=shape.m * shape.k)
    elif op.name == "router" and layer.habits.wide_router:
        layer.keep(op, f"{op.name}.input", wide=shape.m * shape.k)
    else:
        layer.keep(op, layer.read_by(op), half=shape.m * shape.k)


def _experts(flow: Flow, shape: ExpertsShape, layer: Layer) -> None:
    """Rows by expert: indices, gathered inputs, gate and up, their product, outputs and their weights."""
    op, habits = flow.op, layer.habits
    tokens, rows, each = shape.tokens, shape.tokens * shape.top_k, layer.habits.wide_weights
    chosen = 8.0 * rows
    layer.keep(op, "router.scores", wide=tokens * shape.experts, fixed=chosen, estimated=not habits.experts_known)
    if habits.router_norm:
        layer.keep(op, "router.sums", wide=tokens + rows)
    layer.keep(op, f"{op.name}.order", fixed=3.0 * chosen + 4.0 * shape.experts)
    if flow.weights:
        layer.keep(op, f"{op.name}.gathered", half=rows * shape.width)
        layer.keep(op, f"{op.name}.product", half=rows * shape.hidden)
    layer.keep(op, f"{op.name}.hidden", half=(3.0 if shape.gated else 1.0) * rows * shape.hidden)
    layer.keep(op, f"{op.name}.weights", wide=rows if each else 0.0, half=0.0 if each else rows)
    layer.keep(op, f"{op.name}.outputs", half=rows * shape.width)


def _rows(flow: Flow, shape: RowShape, layer: Layer) -> None:
    op, elements = flow.op, shape.rows * shape.width
    if shape.style in ("rms", "layer"):
        _norm(flow, shape, layer)
    elif shape.style == "gated":
        layer.keep(op, "gate", half=elements)
        layer.keep(op, f"{op.name}.factors", half=2.0 * elements)
    elif shape.style == "activation":
        _activation(op, shape, layer)
    elif shape.style == "rotary":
        _rotary(op, shape, layer)
    elif shape.style == "add":
        if op.name.endswith("_residual") and "residual" in layer.habits.dropped:
            layer.keep(op, f"{op.name}.mask", byte=elements)
    elif shape.style not in ("embedding", "lookup", "append", "copy"):
        layer.keep(op, f"{op.name}.inputs", half=op.read, estimated=True)


def _rotary(op: Op, shape: RowShape, layer: Layer) -> None:
    """Cosines and sines are tables of the whole model, kept with its first layer; a rotation keeps nothing else."""
    layer.sizes["rotary"] = shape.width * shape.rows


def _norm(flow: Flow, shape: RowShape, layer: Layer) -> None:
    """LayerNorm: its input and two numbers a row. RMSNorm in 4 bytes: as the code is written."""
    op, elements, habits = flow.op, shape.rows * shape.width, layer.habits
    if shape.style == "layer":
        _layer_norm(op, shape, layer)
        return
    if flow.inputs:
        layer.keep(op, f"{op.name}.input", wide=elements)
        layer.keep(op, f"{op.name}.sums", wide=shape.rows)
        if habits.rms == "t5":
            layer.keep(op, f"{layer.read_by(op)}", half=elements)
    if habits.rms == "offset" and flow.inputs:
        layer.keep(op, f"{op.name}.offset", wide=shape.width)
    if flow.weights:
        wide = habits.rms in ("offset", "wide")
        layer.keep(op, f"{op.name}.normed", wide=elements if wide else 0.0, half=0.0 if wide else elements)


def _layer_norm(op: Op, shape: RowShape, layer: Layer) -> None:
    """Its input, which slices of one matrix have in common, and two numbers a row; or its steps in 4 bytes."""
    elements, how = shape.rows * shape.width, layer.habits.layer
    if how == "steps":
        layer.keep(op, f"{op.name}.steps", wide=3.0 * elements + shape.rows + shape.width)
        return
    if how == "widened":
        layer.keep(op, f"{op.name}.input", wide=elements)
    elif not (op.name in ("q_norm", "k_norm") and "packed" in layer.sizes):  # values hold it
        layer.keep(op, layer.read_by(op), half=elements)
    layer.keep(op, f"{op.name}.sums", wide=2.0 * shape.rows)


#: Tensors of an activation that are kept, beside its output where the next matrix keeps that.
_ACTIVATIONS: Final[dict[str, float]] = {
    "gelu": 1.0,
    "gelu_tanh": 1.0,
    "silu": 1.0,
    "gelu_new": 4.0,
    "quick_gelu": 2.0,
    "relu2": 1.0,
    "sigmoid": 1.0,
}


def _activation(op: Op, shape: RowShape, layer: Layer) -> None:
    """A function keeps its input, relu its output, gelu written out in element-wise steps four tensors."""
    elements = shape.rows * shape.width
    dropped = "activation" in layer.habits.dropped
    if shape.detail == "relu":
        layer.keep(op, f"{op.name}.output" if dropped else op.name, half=elements)
    else:
        copies = _ACTIVATIONS.get(shape.detail, 1.0)
        layer.keep(op, f"{op.name}.input", half=copies * elements, estimated=shape.detail not in _ACTIVATIONS)
    if dropped:
        layer.keep(op, f"{op.name}.mask", byte=elements)
