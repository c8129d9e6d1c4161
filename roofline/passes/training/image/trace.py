"""A program run once on sizes alone: which gradients each op needs, and what autograd remembers of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from roofline.passes.training.flow import Flow
from roofline.passes.training.image.unroll import Loop, Piece, Program
from roofline.passes.training.image.values import Saved, Value, log_sums, written
from roofline.passes.training.image.wires.wire import Wire
from roofline.workload.op import Op
from roofline.workload.shapes import FieldShape

#: Bytes of the random state that fused attention keeps, and of an index.
_RANDOM_STATE: Final = 24.0
_INDEX: Final = 8.0
#: Functions whose gradient is computed from their result, and those from what they read.
_OWN: Final = ("softmax", "relu", "sigmoid", "tanh")
_READ: Final = ("silu", "gelu")
_Adapt = Callable[["Tracer", Piece, Value, float], "Value | None"]


class Step(NamedTuple):
    """An op as it ran: what its gradients need, what it remembers, and in which checkpointed region it stands."""

    flow: Flow
    saved: Saved
    region: int = 0
    count: float = 1.0


class Tracer:
    """Runs programs. `trained` says of a piece whether its own weights are; `adapt` adds what stands beside them."""

    def __init__(self, trained: Callable[[Piece], bool], adapt: _Adapt | None = None) -> None:
        self.trained, self.adapt = trained, adapt
        self.names: dict[str, Value] = {}
        self.inputs: set[Value] = set()
        self.steps: list[Step] = []
        self.arguments: dict[int, list[Value]] = {}
        self.regions = 0
        self._region = 0
        self._inside: set[Value] = set()

    def run(self, program: Program, count: float = 1.0) -> None:
        """Every piece once, loops until nothing changes and then all the rest at once."""
        for item in program:
            if isinstance(item, Loop):
                self._loop(item, count)
            else:
                self._piece(item, count)

    def _loop(self, loop: Loop, count: float) -> None:
        left, before, outside = loop.times, None, set(self.names.values())
        while left > 0.0:
            state = {name: value.needs for name, value in self.names.items()}
            many = left if state == before or left < 1.0 else 1.0
            if many > 1.0:
                self._renew(outside, count * many)
            self._once(loop, count * many)
            if many > 1.0:
                self._renew(outside, count)
            left, before = left - many, state

    def _once(self, loop: Loop, count: float) -> None:
        if not loop.region or self._region:
            self.run(loop.body, count)
            return
        self.regions += 1
        self._region, self._inside = self.regions, set()
        self.arguments[self._region] = []
        self.run(loop.body, count)
        self._region = 0

    def _renew(self, outside: set[Value], count: float) -> None:
        """What repeated layers hand on, one value for all of them; what was made before them stays one."""
        for name, value in self.names.items():
            if value not in outside and value not in self.inputs:
                self.names[name] = value.again(count)

    def read(self, name: str, op: Op) -> Value:
        """The value that an op reads; what nobody made is an input, as large as what the op reads."""
        last = name.endswith("!")
        for each in name.rstrip("!").split("|"):
            if each in self.names:
                value = self.names.pop(each) if last else self.names[each]
                break
        else:
            half = 0.0 if op.kind == "gather" else op.read
            value = self.names[each] = Value(half, op.read_fp32, 1.0, False)
            self.inputs.add(value)
        if self._region and value not in self._inside and value not in self.arguments[self._region]:
            self.arguments[self._region].append(value)
        return value

    def make(self, op: Op, needs: bool, count: float, like: Value | None = None) -> Value:
        """A new value, as large as what an op writes."""
        half, wide = written(op) if like is None else (like.half, like.wide)
        value = Value(half, wide, count, needs)
        if self._region:
            self._inside.add(value)
        return value

    def note(self, flow: Flow, saved: Saved, count: float) -> None:
        """A step, `count` times."""
        self.steps.append(Step(flow, saved, self._region, count))

    def _piece(self, piece: Piece, count: float) -> None:
        op = piece.op._replace(count=piece.op.count * count)
        reads = [self.read(name, op) for name in piece.wire.reads]
        trained = holds_weights(op) and self.trained(piece)
        needs = trained or any(value.needs for value in reads)
        out = self.make(op, needs, count, reads[0] if piece.wire.sign == "=" else None)
        self._as_copy(op, reads, out)
        self.note(_flow(op, reads, trained), saved_of(op, piece.wire, reads, out, trained=trained), count)
        if piece.wire.sign == "&":
            out = self.make(op, needs, count)
        if self.adapt is not None and reads:
            out = self.adapt(self, piece._replace(op=op), reads[0], count) or out
        self.names[piece.wire.writes] = out

    def _as_copy(self, op: Op, reads: list[Value], out: Value) -> None:
        """What runs only for several images (a copy, a bias on its own) is otherwise what it would read."""
        if isinstance(op.shape, FieldShape) and op.shape.style in ("copy", "arithmetic") and len(reads) == 1:
            if isinstance(op.kernels, float) and op.kernels == 1.0:
                return
            out.half, out.wide = reads[0].half, reads[0].wide
            out.origin, out.made = reads[0], op.kernels


def holds_weights(op: Op) -> bool:
    """Whether an op has weights of its own; those of a layer that runs twice are counted once."""
    return op.kind in ("linear", "convolution", "gather") or op.params > 0.0


def _flow(op: Op, reads: list[Value], trained: bool) -> Flow:
    needs = [value.needs for value in reads]
    if op.kind == "attention" and len(reads) == 3:
        return Flow(op, False, needs[0], needs[1], needs[2])
    if op.kind == "attention" and op.name.endswith(".scores"):
        return Flow(op, False, needs[0], needs[1], False)
    if op.kind == "attention" and len(reads) == 2:
        return Flow(op, False, needs[0], False, needs[1])
    return Flow(op, trained, any(needs), False, False)


def saved_of(op: Op, wire: Wire, reads: list[Value], out: Value, *, trained: bool) -> Saved:
    """What autograd remembers of an op, by the formulas of its gradients.

    Convolutions and norms keep all that they read where any gradient is needed, dense layers and products only what
    the gradients that are needed read. Source: torch 2.14, tools/autograd/derivatives.yaml.
    """
    if not out.needs:
        return Saved()
    style = op.shape.style if isinstance(op.shape, FieldShape) else op.kind
    first = reads[0] if reads else None
    inputs = any(value.needs for value in reads)
    if wire.sign in ("*", "@", "^", "$", "%"):
        return _by_sign(wire.sign, reads, out, trained)
    if op.kind == "attention":
        wide = log_sums(op)
        return Saved((*reads, out), wide=wide, fixed=_RANDOM_STATE, own=True)
    if op.kind == "convolution":
        return Saved(tuple(reads), weights=True)
    if op.kind == "linear":
        return Saved(tuple(reads) if trained else (), weights=inputs)
    if op.kind == "norm" or style in ("group", "layer"):
        return Saved(tuple(reads), half=op.write - op.read, wide=op.write_fp32, weights=True, own=True)
    if op.kind == "gather":
        return Saved(fixed=_INDEX * op.read_fp32 / 2.0, own=True)
    if style in _OWN:
        return Saved((out,), own=True)
    if style in _READ and first is not None:
        return Saved((first,))
    return Saved()


def _by_sign(sign: str, reads: list[Value], out: Value, trained: bool) -> Saved:
    if sign == "*":
        one, two = reads
        return Saved(tuple(value for value, other in ((two, one), (one, two)) if other.needs))
    if sign == "@":
        return Saved((reads[0],) if trained else (), weights=reads[0].needs)
    if sign == "^":
        return Saved((reads[0],))
    if sign == "$":
        return Saved((out,), own=True)
    return Saved((reads[0],), half=2.0 * out.half, wide=out.half, own=True)
