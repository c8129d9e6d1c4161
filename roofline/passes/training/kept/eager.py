"""What autograd keeps of reference code that runs one kernel per operation: Hugging Face's modules in 16 bits.

A tensor is kept once, whoever keeps it: the input of three projections, the product that an activation gave and the
next matrix reads. So each kept tensor has a label, that of the value it is, and a label counts once per layer.

Source: transformers 5.24.0 and torch 2.14, counted with `torch.autograd.graph.saved_tensors_hooks`: the bytes of every
layer of tests/oracle/training_kept.json.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from roofline.num import Num, all_hold, first_value
from roofline.passes.training.adapters import is_adapter
from roofline.passes.training.flow import Flow, layer_of
from roofline.passes.training.habits import LLAMA, Habits
from roofline.passes.training.kept.tensors import Kept
from roofline.passes.training.reads import reads_of
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

Attention = Literal["eager", "flash", "selective"]
#: Seed and offset of the random state that the flash kernel keeps.
_RANDOM_STATE: Final = 24.0


@dataclass(slots=True)
class _Layer:
    """The tensors kept of one layer so far, and which op made each value."""

    habits: Habits
    attention: Attention
    kept: list[Kept] = field(default_factory=list)
    labels: set[str] = field(default_factory=set)
    made: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, Num] = field(default_factory=dict)
    once: set[str] = field(default_factory=set)

    def keep(self, op: Op, label: str, **amounts: Num | bool) -> None:
        """Keep a tensor, unless a tensor of that label is kept already."""
        if label not in self.labels:
            self.labels.add(label)
            self.kept.append(Kept(op.name, op.block, op.count, **amounts))  # type: ignore[arg-type]

    def keep_once(self, op: Op, label: str, **amounts: Num) -> None:
        """Keep a tensor that all layers have in common."""
        if label not in self.once:
            self.once.add(label)
            self.kept.append(Kept(op.name, "shared", 1.0, **amounts))  # type: ignore[arg-type]

    def read_by(self, op: Op) -> str:
        """The label of what an op reads: of several, the last in its row that was made."""
        for names in reversed(reads_of(op).reads):
            for name in names:
                if name in self.made:
                    return self.made[name]
        return "entering"

    def write(self, op: Op) -> None:
        """Say that an op made the values it writes."""
        writes = reads_of(op).writes
        if "x" in writes:  # what was made of the stream before is read no more
            self.made.pop("n", None)
            self.made.pop("u", None)
        for name in writes:
            self.made[name] = op.name
        if isinstance(op.shape, MatmulShape) and not is_adapter(op):
            self.sizes[op.name] = op.shape.m * op.shape.n


def kept_eager(
    flows: Sequence[Flow], habits: Habits = LLAMA, attention: Attention = "flash"
) -> tuple[Kept, ...]:
    """What is kept of the ops of a forward pass (before `eager_ops`), tensor by tensor, in the order of the ops.

    attention   `flash`: queries, keys, values, output and the logarithms of the sums; `eager`: the probabilities too;
                `selective`: the core is recomputed from queries, keys and values
    """
    out: list[Kept] = []
    once = set[str]()
    layer, begun, started = _Layer(habits, attention), "", ""
    for flow in flows:
        op = flow.op
        mine = f"{op.block} {op.name}"
        if layer_of(op) != begun or mine == started:
            out += layer.kept
            layer, begun, started = _Layer(habits, attention, once=once), layer_of(op), mine
        _keep(flow, layer)
        _besides(flow, layer)
        if op.kind != "collective":
            layer.write(op)
    return (*out, *layer.kept)


def _keep(flow: Flow, layer: _Layer) -> None:
    op, shape = flow.op, flow.op.shape
    if op.name.startswith("indexer") or op.kind == "collective":
        return
    if not (flow.weights or flow.inputs or flow.keys or flow.values):
        return
    if isinstance(shape, MatmulShape):
        _linear(flow, shape, layer)
    elif isinstance(shape, (AttentionShape, SelectedAttentionShape)):
        _tables(op, shape, layer)
        own = layer.attention == "selective" and layer.habits.broadcast
        _ATTENTION["eager" if own else layer.attention](op, shape, layer)
    elif isinstance(shape, ExpertsShape):
        _experts(flow, shape, layer)
    elif isinstance(shape, RowShape):
        _rows(flow, shape, layer)
    elif isinstance(shape, (ScanShape, DepthwiseShape)) or op.read:
        layer.keep(op, f"{op.name}.inputs", half=op.read, estimated=True)


def _besides(flow: Flow, layer: _Layer) -> None:
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


def _linear(flow: Flow, shape: MatmulShape, layer: _Layer) -> None:
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


def _joined(layer: _Layer) -> bool:
    """Whether queries were joined of two parts, so that heads stand before tokens and the output must be copied."""
    own, turned = layer.sizes, layer.sizes.get("rotary", 0.0)
    queries = own.get("q_proj", 0.0) + own.get("q_b_proj", 0.0)
    return bool(turned) and (layer.habits.joined_rotary or bool(all_hold(turned < queries + own.get("k_proj", 0.0))))


def _values(shape: AttentionShape | SelectedAttentionShape, tokens: Num, groups: Num, layer: _Layer) -> Num:
    """Elements of values as they are held: a slice holds all of the product that it was cut from."""
    own = layer.sizes
    if "kv_b_proj" in own:
        return own["kv_b_proj"]
    if isinstance(shape, AttentionShape) and shape.packed and "rotary" in own:
        return own.get("q_proj", 0.0) + own.get("k_proj", 0.0) + own.get("v_proj", 0.0)
    return tokens * groups * shape.value_dim


def _tables(op: Op, shape: AttentionShape | SelectedAttentionShape, layer: _Layer) -> None:
    """Cosines and sines [n, d], of which all layers have the same."""
    turned = layer.sizes.get("rotary")
    if turned is None:
        return
    groups = 1.0 if "kv_a_proj" in layer.sizes else _sizes(shape)[2]
    elements = 2.0 * turned / (shape.heads + groups) / shape.span.batch
    wide = layer.habits.wide_tables
    label = f"tables.{first_value(elements):.0f}"
    layer.keep_once(op, label, wide=elements if wide else 0.0, half=0.0 if wide else elements)


def _flash(op: Op, shape: AttentionShape | SelectedAttentionShape, layer: _Layer) -> None:
    """q, k, v, o and log-sum-exp [b, h, n]; values narrower than keys are filled up, and the output cut off again."""
    tokens, heads, groups, keys = _sizes(shape)
    padded = shape.value_dim != shape.key_dim
    layer.keep(op, f"{op.name}.q", half=tokens * heads * shape.key_dim)
    values = keys * groups * shape.key_dim if padded else _values(shape, keys, groups, layer)
    layer.keep(op, f"{op.name}.kv", half=keys * groups * shape.key_dim + values)
    copied = padded or _joined(layer)
    layer.keep(op, "padded" if copied else op.name, half=tokens * heads * shape.key_dim)
    layer.keep(op, f"{op.name}.sums", wide=tokens * heads, fixed=_RANDOM_STATE)


def _sizes(shape: AttentionShape | SelectedAttentionShape) -> tuple[Num, Num, Num, Num]:
    """Queries over the batch, heads of them, heads of keys, keys over the batch."""
    span = shape.span
    if isinstance(shape, AttentionShape):
        return span.tokens, shape.heads, shape.kv_heads, shape.whole.tokens
    return span.tokens, shape.heads, shape.groups, span.batch * shape.keys


def _selective(op: Op, shape: AttentionShape | SelectedAttentionShape, layer: _Layer) -> None:
    """q, k and v, of which the core is computed again; the mask [n, s] is kept once for all layers."""
    tokens, heads, groups, keys = _sizes(shape)
    if not isinstance(shape, AttentionShape) or shape.causal:
        window = shape.window if isinstance(shape, AttentionShape) else None
        layer.keep_once(op, f"mask.{window}", half=shape.span.new * keys / shape.span.batch)
    layer.keep(op, f"{op.name}.q", half=tokens * heads * shape.key_dim)
    layer.keep(op, f"{op.name}.kv", half=keys * groups * shape.key_dim + _values(shape, keys, groups, layer))


def _eager(op: Op, shape: AttentionShape | SelectedAttentionShape, layer: _Layer) -> None:
    """q, k and v, keys and values once for each query head; the probabilities [b, h, n, s]."""
    tokens, heads, groups, keys = _sizes(shape)
    repeated = groups < heads and not layer.habits.broadcast
    groups = heads if repeated else groups
    own = repeated or layer.habits.broadcast
    values = keys * groups * shape.value_dim if own else _values(shape, keys, groups, layer)
    wide = not layer.habits.narrow_softmax and (not isinstance(shape, AttentionShape) or shape.softmax_fp32)
    layer.keep(op, f"{op.name}.q", half=tokens * heads * shape.key_dim)
    layer.keep(op, f"{op.name}.kv", half=keys * groups * shape.key_dim + values)
    scores = shape.span.new * keys * heads
    dropped = "attention" in layer.habits.dropped
    if layer.habits.softcap:
        layer.keep(op, f"{op.name}.capped", half=scores)
    if wide:
        layer.keep(op, f"{op.name}.softmax", wide=scores)
    if dropped:
        layer.keep(op, f"{op.name}.mask", byte=scores)
        if not wide:
            layer.keep(op, f"{op.name}.softmax", half=scores)
    layer.keep(op, f"{op.name}.probabilities", half=scores, fixed=16.0 if layer.habits.broadcast else 0.0)


_ATTENTION: Final[dict[str, Callable[[Op, AttentionShape | SelectedAttentionShape, _Layer], None]]] = {
    "flash": _flash,
    "eager": _eager,
    "selective": _selective,
}


def _experts(flow: Flow, shape: ExpertsShape, layer: _Layer) -> None:
    """Rows by expert: indices, gathered inputs, gate and up, their product, outputs and their weights."""
    op, habits = flow.op, layer.habits
    tokens, rows, each = shape.tokens, shape.tokens * shape.top_k, layer.habits.wide_weights
    chosen = 8.0 * rows
    layer.keep(op, "router.scores", wide=tokens * shape.experts, fixed=chosen)
    if habits.router_norm:
        layer.keep(op, "router.sums", wide=tokens + rows)
    layer.keep(op, f"{op.name}.order", fixed=3.0 * chosen + 4.0 * shape.experts)
    if flow.weights:
        layer.keep(op, f"{op.name}.gathered", half=rows * shape.width)
        layer.keep(op, f"{op.name}.product", half=rows * shape.hidden)
    layer.keep(op, f"{op.name}.hidden", half=(3.0 if shape.gated else 1.0) * rows * shape.hidden)
    layer.keep(op, f"{op.name}.weights", wide=rows if each else 0.0, half=0.0 if each else rows)
    layer.keep(op, f"{op.name}.outputs", half=rows * shape.width)


def _rows(flow: Flow, shape: RowShape, layer: _Layer) -> None:
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


def _rotary(op: Op, shape: RowShape, layer: _Layer) -> None:
    """Cosines and sines are tables of the whole model, kept with its first layer; a rotation keeps nothing else."""
    layer.sizes["rotary"] = shape.width * shape.rows


def _norm(flow: Flow, shape: RowShape, layer: _Layer) -> None:
    """LayerNorm: its input and two numbers a row. RMSNorm in 4 bytes: as the code is written."""
    op, elements, habits = flow.op, shape.rows * shape.width, layer.habits
    if shape.style == "layer":
        layer.keep(op, f"{layer.read_by(op)}", half=elements)
        layer.keep(op, f"{op.name}.sums", wide=2.0 * shape.rows)
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


def _activation(op: Op, shape: RowShape, layer: _Layer) -> None:
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
