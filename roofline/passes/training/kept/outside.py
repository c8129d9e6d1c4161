"""What is kept outside of layers: places in tables, cosines and sines of positions, masks, logits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Literal

from roofline.num import Num, first_value
from roofline.passes.training.flow import Flow
from roofline.passes.training.kept.rules import Rules
from roofline.passes.training.kept.storage import Kept
from roofline.workload.shapes import AttentionShape, RowShape, SelectedAttentionShape

Labels = Literal["shifted", "given", "none"]
_INDEX: Final = 8.0
_CORES: Final = (AttentionShape, SelectedAttentionShape)


def lookup_kept(flow: Flow, rules: Rules) -> Iterator[Kept]:
    """Which rows of a table were read; token ids are at hand anyway, but for those that a decoder makes of labels."""
    op, shape = flow.op, flow.op.shape
    at_hand = bool(op.params) if op.name == "embedding" else "position" in op.name and rules.code.places == "held"
    if flow.weights and not at_hand and isinstance(shape, RowShape):
        yield Kept(op.name, op.block, op.count, fixed=_INDEX * shape.rows)


def dropped_kept(flows: Sequence[Flow], rules: Rules) -> Iterator[Kept]:
    """The masks of dropouts behind what enters a stack of layers, and behind its last norm."""
    for flow in flows:
        op = flow.op
        if op.name == "embedding" and rules.drops("embedding") and flow.weights:
            yield Kept("dropout", op.block, 1.0, byte=op.write)
        if op.name in ("encoder_norm", "final_norm") and rules.drops("final") and (flow.inputs or flow.weights):
            yield Kept("dropout", op.block, 1.0, byte=op.write)


def masks_kept(flows: Sequence[Flow]) -> Iterator[Kept]:
    """Masks of scores that all layers are given: one of each window."""
    seen: set[float | None] = set()
    for flow in flows:
        shape = flow.op.shape
        if isinstance(shape, AttentionShape) and shape.causal:
            window, pairs = shape.window, shape.span.tokens * (shape.span.past + shape.span.new)
        elif isinstance(shape, SelectedAttentionShape) and not shape.scores_only and flow.op.name != "cross_attention":
            window, pairs = None, shape.span.tokens * shape.keys
        else:
            continue
        if window not in seen:
            seen.add(window)
            yield Kept("mask", "embedding", 1.0, half=pairs)


def passed_kept(flows: Sequence[Flow], rules: Rules) -> Iterator[Kept]:
    """What a checkpoint keeps beside what enters each layer: tables and places, an encoder's result, distances."""
    tables = tuple(tables_kept(flows, rules))
    cores = [(flow.op, flow.op.shape) for flow in flows if flow.op.kind == "attention"]
    yield from tables
    if cores and (tables or rules.code.places == "passed"):
        new = next(shape.span.new for _, shape in cores if isinstance(shape, _CORES))
        yield Kept("places", "embedding", 1.0, fixed=_INDEX * new)
    for flow in flows:
        op = flow.op
        if op.name.endswith("distance_bias") and isinstance(op.shape, RowShape):
            yield Kept(op.name, op.block, 1.0, half=op.shape.rows * float(op.shape.width))
    across = next((shape for op, shape in cores if op.name == "cross_attention"), None)
    if isinstance(across, SelectedAttentionShape):
        if any(flow.op.name.endswith("distance_bias") for flow in flows):
            yield Kept("distances", "decoder", 1.0, half=across.span.new * across.keys * across.heads)
        read = next(flow.op.read for flow in flows if flow.op.name == "cross_k_proj")
        yield Kept("encoded", "decoder", 1.0, half=read)
        yield from masks_kept([flow for flow in flows if flow.op.block.startswith("decoder")])


def tables_kept(flows: Sequence[Flow], rules: Rules) -> Iterator[Kept]:
    """Cosines and sines of positions, which all layers share: two tables of each width of a head that is rotated."""
    cores = {flow.op.block: flow.op.shape for flow in flows if flow.op.kind == "attention"}
    seen: set[float] = set()
    for flow in flows:
        op, core = flow.op, cores.get(flow.op.block)
        if op.name != "rotary" or not flow.inputs or rules.fused or not isinstance(op.shape, RowShape):
            continue
        if isinstance(core, AttentionShape):
            heads, new = core.heads + core.kv_heads, core.span.new
        elif isinstance(core, SelectedAttentionShape):
            heads, new = core.heads + 1.0, core.span.new
        else:
            continue
        width = float(first_value(op.shape.width)) / heads
        size = 2.0 * new * width
        if rules.code.spread:
            yield Kept("rotary.table", op.block, op.count, size)
        elif width not in seen:
            seen.add(width)
            wide = rules.code.tables == "wide"
            yield Kept("rotary.table", "embedding", 1.0, 0.0 if wide else size, size if wide else 0.0)


def loss_kept(rows: Num, vocabulary: float, rules: Rules, labels: Labels = "shifted") -> Iterator[Kept]:
    """Logarithms of probabilities, of all tokens; labels, where they were moved by a place, and the number of them."""
    size = rows * vocabulary
    if rules.code.capped_logits:
        yield Kept("logits", "head", 1.0, half=size)
    wide = rules.code.loss == "wide"
    yield Kept("loss", "head", 1.0, 0.0 if wide else size, size if wide else 0.0)
    moved = _INDEX if first_value(rules.batch) == 1.0 and labels == "shifted" else 0.0
    own = 0.0 if labels == "none" else _INDEX * rows + moved
    yield Kept("labels", "head", 1.0, fixed=own + (4.0 if wide else 2.0))
