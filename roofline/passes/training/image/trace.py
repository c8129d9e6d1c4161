"""A program run once on sizes alone: which gradients each op needs, and what autograd remembers of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from roofline.passes.training.flow import Flow
from roofline.passes.training.image.unrolled import Loop, Piece, Program
from roofline.passes.training.image.values import Saved, Value, log_sums, written
from roofline.passes.training.image.wires.wire import Wire
from roofline.workload.op import Op
from roofline.workload.shapes import FieldShape

#: Bytes of the random state that fused attention keeps, and of an index.
_RANDOM_STATE: Final = 24.0
_INDEX: Final = 8.0
#: What a checkpoint is handed in a tuple, which it holds without having autograd keep it.
_UNSEEN: Final = ("cos", "sin")
#: Functions whose gradient is computed from their result, and those from what they read.
_OWN: Final = ("softmax", "relu", "sigmoid", "tanh")
_READ: Final = ("silu", "gelu", "group", "layer")
_Adapt = Callable[["Tracer", Piece, Value, float], "Value | None"]


class Step(NamedTuple):
    """An op as it ran: what its gradients need, what it remembers, and in which checkpointed region it stands."""

    flow: Flow
    saved: Saved
    region: int = 0
    count: float = 1.0  # type: ignore[assignment]  # of executions; tuple.count is not used


class Tracer:
    """Runs programs. `trained` says of a piece whether its own weights are; `adapt` adds what stands beside them."""

    def __init__(self, trained: Callable[[Piece], bool], adapt: _Adapt | None = None) -> None:
        self.trained, self.adapt = trained, adapt
        self.names: dict[str, Value] = {}
        self.inputs: set[Value] = set()
        self.steps: list[Step] = []
        self.arguments: dict[int, dict[Value, None]] = {}
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
        self.arguments[self._region] = {}
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
        if self._region and value not in self._inside and name not in _UNSEEN:
            self.arguments[self._region].setdefault(value)
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
        if piece.wire.sign == ":":
            reads = [self.make(op, reads[0].needs, count, reads[0])]
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
    by_sign = _BY_SIGN.get(wire.sign)
    if by_sign is not None:
        return by_sign(reads, out, trained)
    by_kind = _BY_KIND.get(op.kind)
    return by_kind(op, reads, out, trained) if by_kind is not None else _element_wise(op, reads, out)


def _element_wise(op: Op, reads: list[Value], out: Value) -> Saved:
    style = op.shape.style if isinstance(op.shape, FieldShape) else ""
    if style in _OWN:
        return Saved((out,), own=True)
    return Saved(tuple(reads)) if style in _READ else Saved()


def _product(op: Op, reads: list[Value], out: Value, trained: bool) -> Saved:
    return Saved(tuple(reads) if trained else (), weights=any(value.needs for value in reads))


def _convolved(op: Op, reads: list[Value], out: Value, trained: bool) -> Saved:
    return Saved(tuple(reads), weights=True)


def _normed(op: Op, reads: list[Value], out: Value, trained: bool) -> Saved:
    return Saved(tuple(reads), half=op.write - op.read, wide=op.write_fp32, weights=True, own=True)


def _attended(op: Op, reads: list[Value], out: Value, trained: bool) -> Saved:
    return Saved((*reads, out), wide=log_sums(op), fixed=_RANDOM_STATE, own=True)


def _looked_up(op: Op, reads: list[Value], out: Value, trained: bool) -> Saved:
    return Saved(fixed=_INDEX * op.read_fp32 / 2.0, own=True)


def _factors(reads: list[Value], out: Value, trained: bool) -> Saved:
    one, two = reads
    return Saved(tuple(value for value, other in ((two, one), (one, two)) if other.needs))


def _weighted(reads: list[Value], out: Value, trained: bool) -> Saved:
    return Saved((reads[0],) if trained else (), weights=reads[0].needs)


def _powered(reads: list[Value], out: Value, trained: bool) -> Saved:
    return Saved((reads[0],))


def _rooted(reads: list[Value], out: Value, trained: bool) -> Saved:
    return Saved((out,), own=True)


def _sampled(reads: list[Value], out: Value, trained: bool) -> Saved:
    return Saved((reads[0],), half=2.0 * out.half, wide=out.half, own=True)


def _pooled(reads: list[Value], out: Value, trained: bool) -> Saved:
    return Saved((reads[0],), wide=2.0 * out.half, own=True)


_BY_KIND: Final[dict[str, Callable[[Op, list[Value], Value, bool], Saved]]] = {
    "linear": _product,
    "convolution": _convolved,
    "norm": _normed,
    "attention": _attended,
    "gather": _looked_up,
}
_BY_SIGN: Final[dict[str, Callable[[list[Value], Value, bool], Saved]]] = {
    "*": _factors,
    "@": _weighted,
    "^": _powered,
    "$": _rooted,
    "%": _sampled,
    "#": _pooled,
}
