"""Context parallelism: the tokens of a prompt, and the cache along its length, over the devices of a group.

In a prefill every device runs the matrices on its share of the tokens and attention from its queries to all keys, which
go around the ring or are gathered. Tokens are dealt out from both ends, so that a causal mask loads all alike. In a
decode step every device runs the matrices on the new tokens, which are too few to share, and attention over its part of
the cache; the partial results are summed.

Source: Liu et al. 2023, Ring Attention (arXiv:2310.01889); Dubey et al. 2024, The Llama 3 Herd of Models, section
3.3.2.
"""

from __future__ import annotations

from collections.abc import Sequence

from roofline.errors import UnsupportedError
from roofline.num import maximum
from roofline.passes.parallel.shares import over_fewer_tokens, resized_experts
from roofline.workload import constructors as make
from roofline.workload.constructors_collective import collective
from roofline.workload.op import Op
from roofline.workload.plan import Plan
from roofline.workload.shapes import AttentionShape, ExpertsShape, MatmulShape, RowShape, Shape


def split_context(ops: Sequence[Op], plan: Plan, *, prefill: bool, every: bool = False) -> list[Op]:
    """The ops of one device of a context-parallel group; `every`: the head runs on all positions, not on last ones.

    Raises UnsupportedError for mixers other than attention.
    """
    if plan.cp == 1:
        return list(ops)
    out: list[Op] = []
    for op in ops:
        shape = op.shape
        if isinstance(shape, AttentionShape):
            out += _prompt_attention(op, shape, plan) if prefill else _step_attention(op, shape, plan)
        elif op.kind in ("attention", "scan") or (op.kind == "convolution" and not isinstance(shape, MatmulShape)):
            raise UnsupportedError(
                f"{op.name} in {op.block} cannot be split over --cp {plan.cp}: only softmax attention over keys and "
                "values can"
            )
        else:
            shared = prefill and (every or op.name != "head")
            out.append(_fewer_tokens(op, float(plan.cp)) if shared else op)
    return out


def _fewer_tokens(op: Op, cp: float) -> Op:
    """An op over tokens / cp: weights stay, what goes with tokens shrinks."""
    shape = op.shape
    if isinstance(shape, ExpertsShape):
        return resized_experts(op, shape._replace(tokens=shape.tokens / cp), op.live / cp)
    if op.kind == "gather" and isinstance(shape, RowShape):
        whole = make.embedding(op.name, op.block, shape.rows / cp, op.params / float(shape.width), float(shape.width))
        return whole._replace(params=op.params, active=op.active, count=op.count, live=op.live / cp)
    if isinstance(shape, MatmulShape):
        fewer: Shape | None = shape._replace(m=shape.m / cp)
    elif isinstance(shape, RowShape):
        fewer = shape._replace(rows=shape.rows / cp)
    else:
        fewer = shape
    return over_fewer_tokens(op, cp, fewer)


def _own_cache(op: Op, cp: float) -> Op:
    """An op with the part of the cache that is a device's own."""
    return op._replace(
        cache_read=op.cache_read / cp,
        cache_write=op.cache_write / cp,
        cache_held=op.cache_held / cp,
        cache_grows=op.cache_grows / cp,
        cache_before=op.cache_before / cp,
    )


def _prompt_attention(op: Op, shape: AttentionShape, plan: Plan) -> list[Op]:
    """Own queries, all keys and values: these cross the links once; each device caches its own."""
    cp, span = float(plan.cp), shape.span
    fresh = span.tokens * shape.kv_heads * (shape.key_dim + shape.value_dim)
    new = span.new / cp
    before = span.mean_past + (span.new - new) / 2.0 - new * maximum(span.steps - 1.0, 0.0) / 2.0
    queries = shape._replace(span=span._replace(new=new, past=before, piece=0.0), ring=cp)
    own = over_fewer_tokens(_own_cache(op, cp), cp, queries)._replace(read=(op.read - fresh) / cp + fresh)
    name, stride = f"{op.name}.all_gather", float(plan.tp)
    ring = collective(name, op.block, "all_gather", fresh, cp, stride=stride, count=op.count, live=own.live)
    return [ring, own]


def _step_attention(op: Op, shape: AttentionShape, plan: Plan) -> list[Op]:
    """All new queries, own part of the cache; the outputs and a maximum and a sum per head and query are joined."""
    cp, span = float(plan.cp), shape.span
    own = _own_cache(op, cp)._replace(
        flops=op.flops / cp,
        vector_flops=op.vector_flops / cp,
        shape=shape._replace(span=span._replace(past=span.past / cp)),
    )
    partial = op.write + 2.0 * span.tokens * shape.heads
    name, stride = f"{op.name}.all_reduce", float(plan.tp)
    join = collective(name, op.block, "all_reduce", partial, cp, stride=stride, count=op.count, live=op.live)
    return [own, join]
