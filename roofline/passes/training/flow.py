"""What a backward pass must give of each op of a forward pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from roofline.errors import UnsupportedError
from roofline.passes.training.reads import LASTING, Reads, reads_of
from roofline.workload.op import Op

#: Whether the weights of an op are trained.
Trains = Callable[[Op], bool]
_ENDS = (".attention", ".cross", ".feed_forward", ".side")


class Flow(NamedTuple):
    """An op of a forward pass, and which gradients a backward pass must give of it.

    weights   of its own weights: they are trained
    inputs    of what it reads: something before it is trained. Of attention: of its queries
    keys, values   of attention alone: of its keys, and of its values

    Frozen weights have no gradient, and neither has what no trained weight stands before: the inputs of the first
    layer of a model whose embeddings are frozen, a picture's noise, the embedding of a prompt.
    """

    op: Op
    weights: bool = True
    inputs: bool = True
    keys: bool = True
    values: bool = True


def trained(ops: Iterable[Op]) -> tuple[Flow, ...]:
    """All gradients of all ops: every parameter is trained, the embeddings too."""
    return tuple(map(Flow, ops))


def every_op(op: Op) -> bool:
    """Everything is trained, but what chooses (`indexer`): reference code runs it without gradients."""
    return not op.name.startswith("indexer")


def adapters_only(op: Op) -> bool:
    """The base is frozen: what is trained is the two matrices of each adapter."""
    return op.name.endswith((".lora_a", ".lora_b"))


def flows(
    ops: Sequence[Op],
    trains: Trains = every_op,
    *,
    rooted: bool = False,
    entered: bool = False,
    media: bool = False,
) -> tuple[Flow, ...]:
    """Which gradients each op needs, where the weights that `trains` says are trained.

    A value needs a gradient where something before it is trained, so layers above the first trained weight differ from
    those below: of a group of layers the first is set apart, `count` 1 and the rest, where that makes it differ.

    rooted   the embeddings need a gradient though they are frozen (PEFT makes it so for activation checkpointing)
    entered  what enters the first op needs one: a later stage of a pipeline
    media    what attention to pictures reads needs one: their tower is trained

    Source: PyTorch's rule: a result needs a gradient where any of its operands does. Groups of layers are taken in the
    order in which they stand, or to alternate (`_below`). Raises UnsupportedError where nobody said what an op reads.
    """
    state = {"x": entered, "embedded": entered, "encoded": False, "media": media}
    out, layers = list[Flow](), _layers(ops)
    for index, layer in enumerate(layers):
        known, before = dict(state), state["x"]
        first = _layer(layer, state, trains, rooted=rooted)
        count = min((flow.op.count for flow in first), default=0.0)
        alone = 1.0
        if not state["x"]:
            alone = _below(index, layers, trains)
        if (state["x"] == before and not alone) or not is_layer(layer[0]) or count <= alone:
            out += first
            continue
        known["x"] = True
        rest = _layer(layer, known, trains, rooted=rooted)
        if [flow[1:] for flow in rest] == [flow[1:] for flow in first]:
            out += first
            continue
        out += [_times(flow, alone / count) for flow in first] + [_times(flow, 1.0 - alone / count) for flow in rest]
    return tuple(out)


def _below(index: int, layers: Sequence[Sequence[Op]], trains: Trains) -> float:
    """Layers of a group without anything trained that stand below the first layer with something: 0 if all of them do.

    Kinds of layers that are at least as many as the trained ones alternate with these in equal periods, which is what
    is assumed here, because no spec says in which order they stand.
    """
    own, later = layers[index][0].count, layers[index + 1 :]
    for layer in later:
        if is_layer(layer[0]) and any(trains(op) and op.params for op in layer):
            return float(-(-own // layer[0].count)) if own >= layer[0].count > 1.0 else 0.0
    return 0.0


def _times(flow: Flow, share: float) -> Flow:
    return flow._replace(op=flow.op._replace(count=flow.op.count * share))


def layer_of(op: Op) -> str:
    """The group of layers that an op belongs to: what its sublayers are called in common."""
    return op.block.rsplit(".", 1)[0] if op.block.endswith(_ENDS) else op.block


def is_layer(op: Op) -> bool:
    """Whether an op stands in a layer of a stack, not before or behind it."""
    return op.block.endswith(_ENDS)


def _layers(ops: Sequence[Op]) -> list[list[Op]]:
    """Runs of ops of one group of layers."""
    out: list[list[Op]] = []
    for op in ops:
        if out and layer_of(out[-1][-1]) == layer_of(op):
            out[-1].append(op)
        else:
            out.append([op])
    return out


def _layer(ops: Sequence[Op], state: dict[str, bool], trains: Trains, *, rooted: bool) -> list[Flow]:
    """The flows of one layer. `state`, which values need a gradient, becomes that behind it."""
    for name in [name for name in state if name not in LASTING]:
        del state[name]
    state["entered"] = state["x"]
    out: list[Flow] = []
    for op in ops:
        out.append(_exchange(op, out, state) if op.kind == "collective" else _flow(op, state, trains, rooted=rooted))
    return out


def _flow(op: Op, state: dict[str, bool], trains: Trains, *, rooted: bool) -> Flow:
    if op.name == "embedding":  # a stack begins: what the one before gave is what it may attend to
        state.update(x=False, embedded=False, encoded=state["x"])
    known, adapter = reads_of(op), op.name.rsplit(".", 1)[-1]
    needs = [_needs(names, state) for names in known.reads]
    weights = trains(op) and bool(op.params or op.weights)
    if adapter == "lora_a":
        state["lora"] = any(needs) or weights
        return Flow(op, weights, any(needs), False, False)
    if adapter == "lora_b":
        inputs = state["lora"]
        _write(known, state, inputs or weights)
        return Flow(op, weights, inputs, False, False)
    if adapter == "lora_add":
        needs = [state.get(name, False) for name in known.writes]
    if op.kind == "attention" and len(needs) >= _OPERANDS:
        return _attention(op, known, needs, state, weights)
    if op.kind == "experts" and len(set(needs)) > 1 and op.block.endswith(".attention"):
        raise UnsupportedError(f"{op.name} in {op.block}: adapters beside experts of which one half needs gradients")
    _write(known, state, any(needs) or weights or (rooted and op.name == "embedding"))
    return Flow(op, weights, any(needs), False, False)


_OPERANDS = 3


def _attention(op: Op, known: Reads, needs: list[bool], state: dict[str, bool], weights: bool) -> Flow:
    """Attention of queries, keys and values; distances that are added to its scores stand with the queries."""
    queries, keys, values = needs
    queries = queries or state.get("scores", False) or state.get("bias", False)
    _write(known, state, queries or keys or values or weights)
    return Flow(op, weights, queries, keys, values)


def _exchange(op: Op, before: list[Flow], state: dict[str, bool]) -> Flow:
    """An exchange of what an op wrote; what sums parts of a sublayer's output backwards sums gradients of its input."""
    if op.block in ("embedding", "encoder", "decoder"):
        return Flow(op, False, False, False, False)
    name = op.name.rsplit(".", 1)[0]
    sums = any(flow.op.name == name and flow.op.kind in ("linear", "experts") for flow in before)
    return Flow(op, False, _needs(("n",), state) or state["x"] if sums else state["x"], False, False)


def _needs(names: tuple[str, ...], state: dict[str, bool]) -> bool:
    """Whether the first of these values that is written needs a gradient."""
    for name in names:
        if name in state:
            return state[name]
    return False


def _write(known: Reads, state: dict[str, bool], needs: bool) -> None:
    """What was written of a kind needs a gradient where any of it does."""
    for name in known.writes:
        state[name] = state.get(name, False) or needs
