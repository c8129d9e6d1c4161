"""One layer while what is kept of it is written down: labels of tensors, and which op made which value.

A tensor is kept once, whoever keeps it: the input of three projections, the product that an activation gave and the
next matrix reads. So each kept tensor has a label, that of the value it is, and a label counts once per layer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from roofline.num import Num
from roofline.passes.training.adapters import is_adapter
from roofline.passes.training.flow import Flow, layer_of
from roofline.passes.training.habits import Habits
from roofline.passes.training.kept.tensors import Kept
from roofline.passes.training.reads import reads_of
from roofline.workload.op import Op
from roofline.workload.shapes import MatmulShape

#: How attention proper is run: products and softmax apart, one kernel, or apart and computed again.
Attention = Literal["eager", "flash", "selective"]


@dataclass(slots=True)
class Layer:
    """The tensors kept of one layer so far, and which op made each value."""

    habits: Habits
    attention: Attention
    kept: list[Kept] = field(default_factory=list)
    labels: set[str] = field(default_factory=set)
    made: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, Num] = field(default_factory=dict)
    once: set[str] = field(default_factory=set)
    tp: float = 1.0

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
            if op.name == "k_proj" and op.kernels == 0.0:
                self.sizes["packed"] = 1.0


def walk(
    flows: Sequence[Flow], habits: Habits, attention: Attention, keep: Callable[[Flow, Layer], None], tp: float = 1.0
) -> tuple[Kept, ...]:
    """What `keep` writes down of the ops of a forward pass, layer by layer."""
    out, once = list[Kept](), set[str]()
    layer, begun, started = Layer(habits, attention, once=once, tp=tp), "", ""
    for flow in flows:
        op = flow.op
        mine = f"{op.block} {op.name}"
        if layer_of(op) != begun or mine == started:
            out += layer.kept
            layer, begun, started = Layer(habits, attention, once=once, tp=tp), layer_of(op), mine
        if op.kind == "collective" or op.name.startswith("indexer"):
            continue
        if flow.weights or flow.inputs or flow.keys or flow.values:
            keep(flow, layer)
        layer.write(op)
    return (*out, *layer.kept)
