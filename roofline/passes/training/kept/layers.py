"""What the ops of a layer keep, in order: products their input, norms theirs and what they made of it, attention its
operands; each storage once.

Sources: torch.autograd's formulas (derivatives.yaml) for each op, and the modeling files of transformers 5.24.0;
Korthikanti et al. 2022 (arXiv:2205.05198), section 4.1, for layers of fused kernels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from roofline.num import Num
from roofline.passes.training.adapters import is_adapter
from roofline.passes.training.flow import Flow
from roofline.passes.training.kept.attention import attention_kept, crossing, latent_kept
from roofline.passes.training.kept.feed_forward import activation_kept, experts_kept, router_kept
from roofline.passes.training.kept.rules import Rules
from roofline.passes.training.kept.storage import Kept, Layer, Storage
from roofline.passes.training.reads import reads_of
from roofline.workload.shapes import AttentionShape, ExpertsShape, MatmulShape, RowShape, SelectedAttentionShape


def layer_kept(flows: Sequence[Flow], rules: Rules, encoded: Storage | None = None) -> list[Kept]:
    """What the ops of one layer keep; `encoded`: the storage of an encoder's result, which all layers read."""
    layer = Layer(rules.shares)
    layer.values["x"] = Storage(stream=True)
    layer.values["encoded"] = encoded or Storage()
    layer.chosen = next((flow.op.shape.top_k for flow in flows if isinstance(flow.op.shape, ExpertsShape)), 0.0)
    for flow in flows:
        _op(flow, layer, rules)
    return layer.kept


def _op(flow: Flow, layer: Layer, rules: Rules) -> None:
    """What one op keeps, and in which storage its results are."""
    op = flow.op
    if op.kind == "collective" or op.name.startswith("indexer"):  # run without gradients
        return
    special = _SPECIAL.get(op.name.removeprefix("cross_").removeprefix("shared_"))
    if is_adapter(op):
        _adapter(flow, layer)
    elif special is not None:
        special(flow, layer, rules)
    elif isinstance(op.shape, RowShape):
        _ROWS.get(op.shape.style, _guessed)(flow, layer, rules)
    else:
        _SHAPES.get(type(op.shape), _guessed)(flow, layer, rules)


def _softmax(flow: Flow, layer: Layer, rules: Rules) -> None:
    shape = flow.op.shape
    assert isinstance(shape, AttentionShape)
    attention_kept(flow, shape, layer, rules, turned="rotary" in layer.values)


def _selected(flow: Flow, layer: Layer, rules: Rules) -> None:
    """Attention to what an encoder made, or to latents that were expanded; of other kinds nobody has compared it."""
    shape = flow.op.shape
    assert isinstance(shape, SelectedAttentionShape)
    if flow.op.name == "cross_attention":
        attention_kept(flow, crossing(shape), layer, rules, turned=False)
    elif "kv" in layer.values and not shape.scores_only:
        latent_kept(flow, shape, layer, rules)
    else:
        _guessed(flow, layer, rules)


def _product(flow: Flow, layer: Layer, rules: Rules) -> None:
    shape = flow.op.shape
    plain = isinstance(shape, MatmulShape) and flow.op.kind == "linear" and shape.groups == 1.0
    (_linear if plain else _guessed)(flow, layer, rules)


def _activated(flow: Flow, layer: Layer, rules: Rules) -> None:
    """An activation elsewhere than in a feed-forward: its input."""
    op, known = flow.op, reads_of(flow.op)
    if flow.inputs:
        layer.keep(op, layer.value(known.reads[0]), op.read)
    for name in known.writes:
        layer.make(name, op.write)


def _added(flow: Flow, layer: Layer, rules: Rules) -> None:
    layer.make("x", flow.op.write, stream=True)


def _guessed(flow: Flow, layer: Layer, rules: Rules) -> None:
    if flow.inputs or flow.weights:
        layer.guess(flow.op)
    for name in reads_of(flow.op).writes:
        layer.make(name, flow.op.write)


def _linear(flow: Flow, layer: Layer, rules: Rules) -> None:
    """A product keeps its input for the gradient of its weights."""
    op, known = flow.op, reads_of(flow.op)
    if flow.weights:
        layer.keep(op, _source(known.reads, layer), op.read)
    if (op.kernels == 0.0 and not rules.code.copied) or (
        op.name == "up_proj" and rules.code.joined_feed_forward
    ):  # beside the columns before
        before = layer.value(("k", "q") if op.name in ("k_proj", "v_proj") else ("gate",))
        if before is not None:
            before.half = before.half + op.write
            for name in known.writes:
                layer.values[name] = before
            return
    for name in known.writes:
        layer.make(name, op.write, stream=name in ("a", "f"))
    _dropped(flow, layer, rules)


def _source(reads: tuple[tuple[str, ...], ...], layer: Layer) -> Storage | None:
    """The storage that a product reads: the normed stream where there is one, else the first that there is."""
    named = [name for names in reads for name in names]
    if "n" in named and "n" in layer.values:
        return layer.values["n"]
    return layer.value(tuple(named))


def _dropped(flow: Flow, layer: Layer, rules: Rules) -> None:
    """The mask of a dropout behind the last product of a sublayer."""
    op = flow.op
    ends = {"a", "f"} & set(reads_of(op).writes)
    if ends and rules.drops("residual") and (flow.inputs or flow.weights) and op.name.endswith(("o_proj", "down_proj")):
        layer.own(op, byte=op.write, stream=True)


def _norm(flow: Flow, layer: Layer, rules: Rules) -> None:
    """A norm: its input, in fp32 where the code casts it, a number or two per row, and what its weights multiply."""
    op, shape = flow.op, flow.op.shape
    assert isinstance(shape, RowShape)
    size = shape.rows * shape.width
    known = reads_of(op)
    source = layer.value(("x",)) if known.reads[0][0] == "x" and "x" in layer.values else layer.value(known.reads[0])
    stream = known.reads[0][0] in ("x", "a", "f")
    trained = flow.weights and op.params > 0.0
    if shape.style == "layer" and rules.code.layer_norm != "kernel" and not rules.fused:
        if flow.inputs or trained:
            _stepped(flow, shape, layer, rules)
    elif shape.style == "layer" or rules.fused:
        if flow.inputs or trained:
            layer.keep(op, source, size)
            layer.own(op, wide=shape.rows * (2.0 if shape.style == "layer" else 1.0), stream=stream)
    else:
        _cast(flow, size, layer, rules, trained=trained)
    for name in known.writes:
        layer.make(name, size, stream=stream)


def _stepped(flow: Flow, shape: RowShape, layer: Layer, rules: Rules) -> None:
    """A layer norm in fp32: one kernel over a copy of its input, or element by element as Cohere's."""
    size = shape.rows * shape.width
    if rules.code.layer_norm == "widened":
        layer.own(flow.op, wide=size + 2.0 * shape.rows)
    else:
        layer.own(flow.op, wide=3.0 * size + shape.rows + shape.width)


def _cast(flow: Flow, size: Num, layer: Layer, rules: Rules, *, trained: bool) -> None:
    """An RMS norm whose code casts its input to fp32 and its result back."""
    op, shape = flow.op, flow.op.shape
    assert isinstance(shape, RowShape)
    how = rules.code.norm
    if flow.inputs:
        layer.own(op, wide=size)
        layer.own(op, wide=shape.rows)
        if how == "shifted":
            layer.own(op, wide=float(shape.width))
        if how == "again":
            layer.keep(op, layer.value(("x",)), size)
    if trained and how in ("wide", "shifted"):
        layer.own(op, wide=size)
    elif trained:
        layer.own(op, half=size)


def _rotary(flow: Flow, layer: Layer, rules: Rules) -> None:
    """Rotated queries and keys are tensors anew; the cosines and sines are kept once, see `tables_kept`."""
    for name in ("q", "k"):
        if name in layer.values:
            layer.make(name, 0.0)
    layer.make("rotary", 0.0)


def _activation(flow: Flow, layer: Layer, rules: Rules) -> None:
    shape = flow.op.shape
    assert isinstance(shape, RowShape)
    activation_kept(flow, shape, layer, rules, "shared" if flow.op.name.startswith("shared_") else "")


def _adapter(flow: Flow, layer: Layer) -> None:
    """A reads a copy of the input, in fp32 where it is; B what A made. The sum is a tensor anew."""
    op, kind = flow.op, flow.op.name.rsplit(".", 1)[-1]
    if kind == "lora_add":
        for name in reads_of(op).writes:
            before = layer.values.get(name)
            made = layer.moved.get(id(before), (before, Storage()))[1]
            made.half = made.half + op.write
            layer.moved[id(before)] = (before, made)
            layer.values[name] = made
        return
    made = layer.make("lora", 0.0) if kind == "lora_a" else layer.values["lora"]
    if kind == "lora_b" and made.kept:
        return
    made.kept = kind == "lora_b"
    if op.read_fp32:
        layer.own(op, wide=op.read_fp32)
    else:
        layer.own(op, half=op.read)


def _experts(flow: Flow, layer: Layer, rules: Rules) -> None:
    shape = flow.op.shape
    assert isinstance(shape, ExpertsShape)
    experts_kept(flow, shape, layer, rules)
    layer.make("f", flow.op.write, stream=True)


_SPECIAL: Final[dict[str, Callable[[Flow, Layer, Rules], None]]] = {
    "rotary": _rotary,
    "activation": _activation,
    "experts": _experts,
    "router": router_kept,
}
_ROWS: Final[dict[str, Callable[[Flow, Layer, Rules], None]]] = {
    "rms": _norm,
    "layer": _norm,
    "activation": _activated,
    "add": _added,
}
_SHAPES: Final[dict[type[object], Callable[[Flow, Layer, Rules], None]]] = {
    AttentionShape: _softmax,
    SelectedAttentionShape: _selected,
    MatmulShape: _product,
}
