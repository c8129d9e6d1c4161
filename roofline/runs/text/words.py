"""Ops of language models as products of their dimensions, in words."""

from __future__ import annotations

from roofline.runs.telling.derivations import number, times
from roofline.workload.op import Op
from roofline.workload.precision import Precision
from roofline.workload.shapes import AttentionShape, ExpertsShape, MatmulShape, RowShape


def parameter_text(op: Op) -> str:
    """The parameters of an op as a product of its dimensions."""
    shape = op.shape
    if isinstance(shape, MatmulShape):
        bias = f" + {shape.n:,.0f}" if shape.bias else ""
        body = f"{shape.k:,.0f} · {shape.n:,.0f}{bias}"
    elif isinstance(shape, ExpertsShape):
        body = f"{shape.experts:,.0f} experts · {_matrices(shape)} · {shape.width:,.0f} · {shape.hidden:,.0f}"
    elif isinstance(shape, RowShape) and shape.style == "embedding":
        body = f"{op.params / shape.width:,.0f} · {shape.width:,.0f}"
    else:
        body = f"{op.params:,.0f}"
    return f"{times(op)}({body})" if op.count != 1 and " " in body else f"{times(op)}{body}"


def _matrices(shape: ExpertsShape) -> int:
    return 3 if shape.gated else 2


def flops_text(op: Op) -> str:
    """The FLOPs of an op as a product of its dimensions."""
    shape = op.shape
    if isinstance(shape, MatmulShape):
        return f"{times(op)}2 · {number(shape.m)} tokens · {shape.k:,.0f} · {shape.n:,.0f}"
    if isinstance(shape, AttentionShape):
        pairs = float(op.flops) / (2 * float(shape.span.batch) * shape.heads * (shape.key_dim + shape.value_dim))
        rows = f"{number(shape.span.batch)} sequences · {shape.heads:,.0f} heads · {number(pairs)} query-key pairs"
        return f"{times(op)}2 · {rows} · ({shape.key_dim:,.0f} + {shape.value_dim:,.0f})"
    if isinstance(shape, ExpertsShape):
        each = f"{number(shape.tokens)} tokens · {shape.top_k:,.0f} experts each · {_matrices(shape)}"
        return f"{times(op)}2 · {each} · {shape.width:,.0f} · {shape.hidden:,.0f}"
    return f"{times(op)}{number(op.flops)}"


def bytes_text(op: Op, p: Precision) -> str:
    """The bytes that an op moves, by what they are."""
    parts = (("weights", p.weight_bytes(op)), ("cache", p.cache_bytes(op)), ("activations", p.activation_bytes(op)))
    body = " + ".join(f"{number(value)} {what}" for what, value in parts if float(value))
    return f"{times(op)}({body})" if op.count != 1 else body


def cache_text(op: Op, width: float) -> str:
    """What an op caches per token, as a product."""
    shape = op.shape
    if isinstance(shape, AttentionShape):
        return f"{op.count:,.0f} · {shape.kv_heads:,.0f} · ({shape.key_dim:,.0f} + {shape.value_dim:,.0f}) · {width:g}"
    return f"{op.count:,.0f} · {op.name}"


def held_text(op: Op, width: float) -> str:
    """What an op holds in the cache, as a product."""
    shape = op.shape
    if isinstance(shape, AttentionShape):
        held = shape.span.held_keys(shape.window)
        limit = f" (window {shape.window:,.0f})" if shape.window is not None else ""
        return f"{number(shape.span.batch)} · {number(held)}{limit} · {cache_text(op, width)}"
    return cache_text(op, width)
