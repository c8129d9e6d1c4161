"""Zamba 2's transformer block: one set of matrices for several layers, with small adapters for each."""

from __future__ import annotations

from roofline.num import Num
from roofline.specs.text.attention import SharedBlock
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload import constructors as make
from roofline.workload.op import Op
from roofline.workload.shapes import AttentionShape, Span


def shared_block_ops(
    spec: TransformerSpec, shared: SharedBlock, span: Span, block: str, count: float, stream: Num
) -> list[Op]:
    """Norm of residual and embedding side by side, attention to the width, norm, feed-forward, projection.

    No residual runs around its parts: its output is added to the residual of the state space behind it.

    Source: Glorioso et al. 2024 (arXiv:2411.15242), section 2; transformers 5.23.0, zamba2.
    """
    tokens, width, rank = span.tokens, float(spec.width), float(shared.adapter_rank)
    heads, groups, dim, double = float(shared.heads), float(shared.kv_heads), float(shared.head_dim), 2.0 * spec.width
    queries, keys = heads * dim, groups * dim
    beside = stream + tokens * double

    def held(op: Op) -> Op:
        return op if shared.held else op._replace(params=0.0, active=0.0)

    ops = [held(make.norm("block_norm", block, tokens, double, count=count, live=stream))]
    for name, out in (("q", queries), ("k", keys), ("v", keys)):
        ops.append(held(make.linear(f"{name}_proj", block, tokens, double, out, count=count, live=beside)))
        if shared.attention_adapters:
            ops.append(make.linear(f"{name}_adapter_a", block, tokens, double, rank, count=count, live=beside))
            ops.append(make.linear(f"{name}_adapter_b", block, tokens, rank, double, count=count, live=beside))
    if spec.positions.kind == "rotary":
        ops.append(make.rotary("rotary", block, tokens, queries, keys, count=count, live=beside))
    shape = AttentionShape(span, heads, groups, dim, dim)
    hidden, bias = float(shared.hidden), shared.bias
    ops += [
        make.attention("attention", block, shape, count=count, live=beside),
        held(make.linear("o_proj", block, tokens, queries, width, count=count, live=stream)),
        held(make.norm("feed_forward_norm", block, tokens, width, count=count, live=stream)),
        held(make.linear("gate_up_proj", block, tokens, width, 2.0 * hidden, bias=bias, count=count, live=stream)),
        make.linear("gate_up_adapter_a", block, tokens, width, rank, count=count, live=stream + 2.0 * tokens * hidden),
        make.linear("gate_up_adapter_b", block, tokens, rank, 2.0 * hidden, count=count,
                    live=stream + 2.0 * tokens * hidden),
        make.add("adapter_add", block, tokens, 2.0 * hidden, count=count),
        make.activate("activation", block, tokens, hidden, function=shared.activation, gated=True, count=count,
                      live=stream),
        held(make.linear("down_proj", block, tokens, hidden, width, bias=bias, count=count, live=stream)),
        make.linear("block_proj", block, tokens, width, width, count=count, live=stream),
    ]  # fmt: skip
    return ops
