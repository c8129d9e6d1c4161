"""What a forward pass keeps: layer by layer, outside of them, and what is left where layers are repeated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from roofline.num import Num
from roofline.passes.training.flow import Flow, layer_of
from roofline.passes.training.kept.layers import layer_kept
from roofline.passes.training.kept.outside import dropped_kept, lookup_kept, masks_kept, passed_kept, tables_kept
from roofline.passes.training.kept.rules import Rules
from roofline.passes.training.kept.storage import Kept, Storage
from roofline.workload.shapes import RowShape

#: Groups of ops that are no layers.
ENDS = ("embedding", "head", "encoder", "decoder", "convolution", "pipeline")


class Group(NamedTuple):
    """A group of layers, or what stands before and behind them: its name, how many, what each keeps, in order."""

    name: str
    count: float  # type: ignore[assignment]  # in place of a method of tuples
    kept: tuple[Kept, ...]

    @property
    def bytes(self) -> Num:
        """Bytes of all of them."""
        return sum((kept.bytes for kept in self.kept), start=0.0)

    @property
    def each(self) -> Num:
        """Bytes of one of them."""
        return self.bytes / self.count

    @property
    def is_layer(self) -> bool:
        """Whether it is a group of layers."""
        return self.name not in ENDS


def kept_of(flows: Sequence[Flow], rules: Rules) -> tuple[Group, ...]:
    """What is kept by group, in order; the tables of positions, which layers share, stand with the embedding."""
    encoded, out = Storage(once=True), list[Group]()
    for run in runs_of(flows):
        name = layer_of(run[0].op)
        looked = [kept for flow in run if flow.op.kind == "gather" for kept in lookup_kept(flow, rules)]
        rest = [flow for flow in run if flow.op.kind != "gather"]
        kept = (*looked, *layer_kept(rest, rules, encoded), *dropped_kept(run, rules))
        out.append(Group(name, max(flow.op.count for flow in run), kept))
    shared = [*tables_kept(flows, rules), *(masks_kept(flows) if rules.core == "again" else ())]
    return (*out, Group("embedding", 1.0, tuple(shared))) if shared else tuple(out)


def checkpointed_of(flows: Sequence[Flow], rules: Rules) -> tuple[Group, ...]:
    """What is kept where whole layers are done again: what enters each, what they share, and what is outside."""
    out = list[Group]()
    for group, run in zip(kept_of(flows, rules), runs_of(flows), strict=False):
        inside = tuple(_entering(run, rules)) if group.is_layer else group.kept
        out.append(group._replace(kept=tuple(kept for kept in inside if not kept.op.endswith("distance_bias"))))
    return (*out, Group("embedding", 1.0, tuple(passed_kept(flows, rules))))


def _entering(run: Sequence[Flow], rules: Rules) -> Iterator[Kept]:
    """The stream that enters a layer: as wide as what its sums give."""
    for flow in run:
        if isinstance(flow.op.shape, RowShape) and flow.op.shape.style == "add":
            parts = rules.shares
            yield Kept("checkpoint", flow.op.block, flow.op.count, half=flow.op.write / parts)
            return


def runs_of(flows: Sequence[Flow]) -> list[list[Flow]]:
    """Flows by the group of layers to which they belong, in order; the first layer of a group may stand for itself."""
    out: list[list[Flow]] = []
    for flow in flows:
        run = out[-1] if out else None
        again = run is not None and any(
            (known.op.name, known.op.block) == (flow.op.name, flow.op.block) and known.op.count != flow.op.count
            for known in run
        )
        if run is None or layer_of(run[0].op) != layer_of(flow.op) or again:
            out.append([flow])
        else:
            run.append(flow)
    return out
