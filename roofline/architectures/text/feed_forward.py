"""Feed-forward of one group of layers: dense, gated, or routed experts."""

from __future__ import annotations

from typing import TypeAlias

from roofline.architectures.text.sublayer import Sublayer
from roofline.specs.text.feed_forward import DenseFeedForward, ExpertsFeedForward
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload import constructors as make
from roofline.workload.op import Op

FeedForward: TypeAlias = DenseFeedForward | ExpertsFeedForward


def feed_forward_ops(spec: TransformerSpec, feed_forward: FeedForward, layer: Sublayer) -> list[Op]:
    """The ops between the norm and the residual."""
    width = float(spec.width)
    if isinstance(feed_forward, DenseFeedForward):
        return _dense_ops(feed_forward, width, float(feed_forward.width), layer, bias=feed_forward.bias)
    return _experts_ops(feed_forward, width, layer)


def _dense_ops(
    feed_forward: FeedForward, width: float, hidden: float, layer: Sublayer, *, bias: bool, prefix: str = ""
) -> list[Op]:
    """The matrices up (and gate) and down, the activation between, and where there is one the norm behind that."""
    gated, function = feed_forward.gated, feed_forward.activation
    ops = []
    if gated:
        ops.append(layer.linear(f"{prefix}gate_proj", width, hidden, bias=bias))
    beside = layer.stream + layer.tokens * hidden if gated else layer.stream
    ops.append(layer.linear(f"{prefix}up_proj", width, hidden, bias=bias, live=beside))
    activation = layer.activate(f"{prefix}activation", hidden, function=function, gated=gated)
    ops.append(_learned(activation) if function == "xielu" else activation)
    if isinstance(feed_forward, DenseFeedForward) and feed_forward.inner_norm:
        ops.append(layer.norm(f"{prefix}inner_norm", hidden))
    last = bias or (isinstance(feed_forward, DenseFeedForward) and feed_forward.down_bias)
    ops.append(layer.linear(f"{prefix}down_proj", hidden, width, bias=last))
    return ops


def _learned(activation: Op) -> Op:
    """An activation with two scalars that are learned."""
    return activation._replace(params=2.0, active=2.0, weights=2.0)


def _experts_ops(moe: ExpertsFeedForward, width: float, layer: Sublayer) -> list[Op]:
    """Router, routed experts and, where there are any, the shared experts that every token visits."""
    inner = float(moe.latent_width or width)
    router = layer.linear("router", width, float(moe.experts + moe.zero_experts), bias=moe.router_bias)
    if moe.router_scales:
        router = _scaled(router, width + moe.experts)
    ops = [router, _routed(moe, inner, layer)]
    if moe.latent_width is not None:
        ops.insert(1, layer.linear("latent_down_proj", width, inner, bias=moe.latent_bias))
        ops.append(layer.linear("latent_up_proj", inner, width, bias=moe.latent_bias))
    if moe.shared_width:
        shared = layer.beside(layer.stream + layer.tokens * width)
        ops += _dense_ops(moe, width, float(moe.shared_width), shared, bias=moe.shared_bias, prefix="shared_")
    if moe.shared_gate:
        ops.append(layer.linear("shared_gate", width, 1.0))
    if moe.output_norm:
        ops.append(layer.norm("experts_norm", width))
    return ops


def _routed(moe: ExpertsFeedForward, width: float, layer: Sublayer) -> Op:
    """The routed experts. Those that reference code computes beyond the chosen ones are not active."""
    real = moe.experts / (moe.experts + moe.zero_experts)
    experts = make.experts(
        "experts",
        layer.block,
        layer.tokens,
        width=width,
        hidden=float(moe.width),
        number=float(moe.experts),
        top_k=float(moe.computed or moe.top_k) * real,
        gated=moe.gated,
        bias=moe.bias,
        function=moe.activation,
        count=layer.layers,
        live=layer.stream,
    )
    if moe.computed is not None:
        experts = experts._replace(active=experts.active * (moe.top_k / moe.computed))
    if moe.zero_matrices:
        first = (2.0 if moe.gated else 1.0) * width * moe.width
        experts = experts._replace(params=experts.params + moe.zero_experts * first)
    return _scaled(experts, width) if moe.output_bias else experts


def _scaled(router: Op, scales: float) -> Op:
    """The router, or the experts, with as many learned numbers beside the weights."""
    held, active, weights = router.params + scales, router.active + scales, router.weights + scales
    return router._replace(params=held, active=active, weights=weights)
