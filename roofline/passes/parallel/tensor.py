"""Tensor parallelism: heads, columns, rows and vocabulary over the devices of a group, and what must be summed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set

from roofline.num import Num, minimum
from roofline.passes.parallel.heads import Heads, heads_of
from roofline.passes.parallel.recurrence import split_recurrence
from roofline.passes.parallel.rules import rule_of
from roofline.passes.parallel.shares import resized_experts, scaled
from roofline.workload.constructors_collective import Operation, collective
from roofline.workload.op import Op
from roofline.workload.plan import Plan, part
from roofline.workload.shapes import (
    AttentionShape,
    CollectiveShape,
    ExpertsShape,
    MatmulShape,
    RowShape,
    SelectedAttentionShape,
    Shape,
)


def split_tensors(ops: Sequence[Op], plan: Plan, rank: int) -> list[Op]:
    """The ops of one device of a tensor-parallel group, with the collectives that join their results.

    Raises UsageError where heads do not divide, UnsupportedError where an op does not say how it is split.
    """
    if plan.tp == 1:
        return list(ops)
    out: list[Op] = []
    beside = {op.block for op in ops if op.name == "attention_residual"}
    for block in _blocks(ops):
        heads = heads_of(block, plan)
        base = _base(block)
        joins = _joins(block, beside)
        split = [(op, "whole" if plan.ep > 1 and op.kind == "experts" else rule_of(op, heads.scan)) for op in block]
        last = max((i for i, (op, rule) in enumerate(split) if rule == "row" or op.kind == "experts"), default=-1)
        sums = plan.spread == 1 or any(rule == "row" for _, rule in split)
        for index, (op, rule) in enumerate(split):
            out.append(_split(op, rule, heads, plan, rank, base))
            if rule in ("vocabulary", "partial"):
                out.append(_join(op, "all_reduce", op.write, plan))
            elif rule == "logits":
                out.append(_join(op, "all_gather", op.write, plan))
            if index == last and joins:
                out.append(_join(op, "all_reduce" if sums else "all_gather", _whole_output(op, plan), plan))
    return out


def _blocks(ops: Sequence[Op]) -> Iterator[list[Op]]:
    """Runs of ops of one block."""
    run: list[Op] = []
    for op in ops:
        if run and op.block != run[-1].block:
            yield run
            run = []
        run.append(op)
    if run:
        yield run


def _joins(block: list[Op], beside: Set[str]) -> bool:
    """Whether a block's partial sums are joined at its end; `beside` are the blocks that end with those of attention.

    Attention and feed-forward side by side are summed before they are joined, once, at the end of the feed-forward.
    """
    where = block[0].block
    if not where.endswith(".attention"):
        return True
    return where.removesuffix("attention") + "feed_forward" not in beside


def _base(block: list[Op]) -> Num:
    """What of a block stays whole in memory beside an op: the least that any of its ops finds there."""
    found: Num | None = None
    for op in block:
        if op.kind in ("linear", "attention", "experts"):
            found = op.live if found is None else minimum(found, op.live)
    return 0.0 if found is None else found


def _split(op: Op, rule: str, heads: Heads, plan: Plan, rank: int, base: Num) -> Op:
    shape = op.shape
    if rule == "whole":
        return op
    if isinstance(shape, CollectiveShape):
        return _shared(op, shape, heads.key if shape.operation == "all_gather" else heads.query)
    if rule == "core":
        return _core(op, heads)
    if isinstance(shape, ExpertsShape):
        return resized_experts(op, shape._replace(hidden=part(shape.hidden, plan.tp, rank)), op.live)
    live = base + (op.live - base) * heads.query
    if rule in ("mixed", "scan"):
        split = split_recurrence(op, heads)
    elif isinstance(shape, MatmulShape):
        split = _matrix(op, shape, rule, heads, plan, rank)
    elif rule == "vocabulary":
        return _rows(op, plan, rank)
    else:
        split = _inner(op, rule, heads, plan, rank)
    return split._replace(live=live)


def _rows(op: Op, plan: Plan, rank: int) -> Op:
    """Some rows of the embedding; the output is whole, with zeros where a row is elsewhere."""
    if not isinstance(op.shape, RowShape):
        raise TypeError("a look-up has rows")
    rows = op.params / float(op.shape.width)
    share = part(rows, plan.tp, rank) / rows if rows else 1.0 / plan.tp  # a table that another op holds
    return op._replace(params=op.params * share, active=op.active * share, weights=op.weights * share)


def _shared(op: Op, shape: CollectiveShape, share: float) -> Op:
    """An exchange of a context-parallel group, which each device of the group of tensors has for its heads."""
    own, sent = shape._replace(elements=shape.elements * share), op.communication * share
    return op._replace(read=op.read * share, write=op.write * share, communication=sent, shape=own)


def _matrix(op: Op, shape: MatmulShape, rule: str, heads: Heads, plan: Plan, rank: int) -> Op:
    if rule == "heads":
        share = heads.query
        fewer = shape._replace(m=shape.m * share, groups=shape.groups * share)
        return scaled(op, share, read=share, write=share, shape=fewer)
    if rule in ("row", "partial"):
        share = _width_share(op, float(shape.k), heads, plan, rank)
        bias = float(shape.n) if shape.bias and op.params else 0.0
        return op._replace(
            flops=op.flops * share,
            params=(op.params - bias) * share + bias,
            active=(op.active - bias) * share + bias,
            weights=(op.weights - bias) * share + bias,
            read=op.read * share,
            shape=shape._replace(k=shape.k * share),
        )
    share = heads.key if rule == "kv" else _width_share(op, float(shape.n), heads, plan, rank)
    return scaled(op, share, read=1.0, write=share, shape=shape._replace(n=shape.n * share))


def _width_share(op: Op, width: float, heads: Heads, plan: Plan, rank: int) -> float:
    """The share of a matrix's split side: by heads in attention, in whole columns elsewhere."""
    return heads.query if op.block.endswith((".attention", ".cross")) else part(width, plan.tp, rank) / width


def _inner(op: Op, rule: str, heads: Heads, plan: Plan, rank: int) -> Op:
    """Element-wise work on what was split: by heads in attention, by columns elsewhere.

    A norm of single heads has fewer rows and keeps its weights, unless it has weights for each head.
    """
    shape = op.shape
    by_rule = {"key_inner": heads.key, "rotary": heads.rotated}
    if not isinstance(shape, RowShape):
        share = by_rule.get(rule, heads.query)
        return scaled(op, share, read=share, write=share, shape=shape)
    share = by_rule.get(rule) or _width_share(op, float(shape.width), heads, plan, rank)
    if op.kind == "norm" and float(shape.width) == heads.dim:
        own = share if op.params > 2.0 * heads.dim else 1.0
        return scaled(op, share, read=share, write=share, held=own, shape=shape._replace(rows=shape.rows * share))
    return scaled(op, share, read=share, write=share, shape=shape._replace(width=shape.width * share))


def _core(op: Op, heads: Heads) -> Op:
    """Attention by heads: queries and outputs are split; keys and values as far as there are heads of them."""
    shape, share = op.shape, heads.query
    if isinstance(shape, AttentionShape):
        fresh = shape.span.tokens * shape.kv_heads * (shape.key_dim + shape.value_dim)
        split: Shape = shape._replace(heads=shape.heads * share, kv_heads=shape.kv_heads * heads.key)
    else:
        assert isinstance(shape, SelectedAttentionShape)
        fresh = op.cache_write if shape.groups < shape.heads else 0.0
        split = shape._replace(heads=shape.heads * share, groups=max(1.0, shape.groups * heads.key))
    return scaled(op, share, read=1.0, write=share, shape=split)._replace(
        read=op.read * share + fresh * (heads.key - share),
        read_fp32=op.read_fp32,
        write_fp32=op.write_fp32,
        cache_read=op.cache_read * heads.cached,
        cache_write=op.cache_write * heads.cached,
        cache_held=op.cache_held * heads.cached,
        cache_grows=op.cache_grows * heads.cached,
        cache_before=op.cache_before * heads.cached,
        state_held=op.state_held * heads.cached,
    )


def _whole_output(op: Op, plan: Plan) -> Num:
    """Elements of the output of a block, of which every device has a partial sum (or some tokens)."""
    shape = op.shape
    if isinstance(shape, ExpertsShape):
        return shape.tokens / plan.spread * shape.width
    return op.write


def _join(op: Op, operation: Operation, elements: Num, plan: Plan) -> Op:
    name, devices = f"{op.name}.{operation}", float(plan.tp)
    return collective(name, op.block, operation, elements, devices, count=op.count, live=op.live)
