"""Feed-forward of one group of layers: dense, gated, or routed experts."""

from __future__ import annotations

from roofline.num import Num
from roofline.specs.text.transformer import DenseFeedForward, ExpertsFeedForward, TransformerSpec
from roofline.workload import constructors as make
from roofline.workload.op import Op


def feed_forward_ops(
    spec: TransformerSpec,
    feed_forward: DenseFeedForward | ExpertsFeedForward,
    tokens: Num,
    block: str,
    count: float,
    stream: Num,
) -> list[Op]:
    """The ops between the norm and the residual. `stream` is the residual that stays in memory, in elements."""
    if isinstance(feed_forward, DenseFeedForward):
        return dense_ops(
            tokens, float(spec.width), float(feed_forward.width), block, count, stream,
            gated=feed_forward.gated, activation=feed_forward.activation, bias=feed_forward.bias,
            inner_norm=feed_forward.inner_norm,
        )  # fmt: skip
    return _experts_ops(spec, feed_forward, tokens, block, count, stream)


def dense_ops(
    tokens: Num, width: float, hidden: float, block: str, count: float, stream: Num, *,
    gated: bool, activation: str, bias: bool = False, prefix: str = "", inner_norm: bool = False,
) -> list[Op]:  # fmt: skip
    """The matrices up (and gate) and down, and the activation between."""
    inner = tokens * hidden
    ops = []
    if gated:
        ops.append(make.linear(f"{prefix}gate_proj", block, tokens, width, hidden, bias=bias, count=count, live=stream))
    ops.append(
        make.linear(f"{prefix}up_proj", block, tokens, width, hidden, bias=bias, count=count,
                    live=stream + inner if gated else stream)
    )  # fmt: skip
    ops.append(
        make.activate(f"{prefix}activation", block, tokens, hidden, function=activation, gated=gated, count=count,
                      live=stream)
    )  # fmt: skip
    if inner_norm:
        ops.append(make.norm(f"{prefix}inner_norm", block, tokens, hidden, count=count, live=stream))
    ops.append(make.linear(f"{prefix}down_proj", block, tokens, hidden, width, bias=bias, count=count, live=stream))
    return ops


def _experts_ops(
    spec: TransformerSpec, moe: ExpertsFeedForward, tokens: Num, block: str, count: float, stream: Num
) -> list[Op]:
    """Router, routed experts and, where there are any, the shared experts that every token visits."""
    width = float(spec.width)
    inner = float(moe.latent_width or spec.width)
    ops = [
        make.linear("router", block, tokens, width, float(moe.experts), bias=moe.router_bias, count=count, live=stream),
        make.experts(
            "experts", block, tokens, width=inner, hidden=float(moe.width), number=float(moe.experts),
            top_k=float(moe.computed or moe.top_k), gated=moe.gated, bias=moe.bias, function=moe.activation,
            count=count, live=stream,
        ),
    ]  # fmt: skip
    if moe.computed is not None:
        ops[1] = ops[1]._replace(active=ops[1].active * (moe.top_k / moe.computed))
    if moe.router_scales:
        ops[0] = _scaled(ops[0], width + moe.experts)
    if moe.latent_width is not None:
        ops.insert(1, make.linear("latent_down_proj", block, tokens, width, inner, count=count, live=stream))
        ops.append(make.linear("latent_up_proj", block, tokens, inner, width, count=count, live=stream))
    if moe.shared_width:
        ops.extend(
            dense_ops(tokens, width, float(moe.shared_width), block, count, stream + tokens * width,
                      gated=moe.gated, activation=moe.activation, bias=moe.shared_bias, prefix="shared_")
        )  # fmt: skip
        if moe.shared_gate:
            ops.append(make.linear("shared_gate", block, tokens, width, 1.0, count=count, live=stream))
    return ops


def _scaled(router: Op, scales: float) -> Op:
    """The router with as many learned scales beside its weights."""
    return router._replace(
        params=router.params + scales, active=router.active + scales, weights=router.weights + scales
    )
