"""Ops of language models as products of their dimensions, in words."""

from __future__ import annotations

from roofline.runs.telling.derivations import amount, number, times
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
        body = f"{amount(shape.experts, 'expert')} · {_matrices(shape)} · {shape.width:,.0f} · {shape.hidden:,.0f}"
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
        return f"{times(op)}2 · {amount(shape.m, 'token')} · {shape.k:,.0f} · {shape.n:,.0f}"
    if isinstance(shape, AttentionShape):
        pairs = float(op.flops) / (2 * float(shape.span.batch) * shape.heads * (shape.key_dim + shape.value_dim))
        rows = f"{amount(shape.span.batch, 'sequence')} · {amount(shape.heads, 'head')}"
        rows += f" · {amount(pairs, 'query-key pair')}"
        return f"{times(op)}2 · {rows} · ({shape.key_dim:,.0f} + {shape.value_dim:,.0f})"
    if isinstance(shape, ExpertsShape):
        each = f"{amount(shape.tokens, 'token')} · {amount(shape.top_k, 'expert')} each · {_matrices(shape)}"
        return f"{times(op)}2 · {each} · {shape.width:,.0f} · {shape.hidden:,.0f}"
    return f"{times(op)}{number(op.flops)}"


def bytes_text(op: Op, p: Precision) -> str:
    """The bytes that an op moves, by what they are."""
    parts = (("weights", p.weight_bytes(op)), ("cache", p.cache_bytes(op)), ("activations", p.activation_bytes(op)))
    body = " + ".join(f"{number(value)} {what}" for what, value in parts if float(value))
    return f"{times(op)}({body})" if op.count != 1 else body


def cache_text(op: Op, p: Precision) -> str:
    """What an op caches per token, as a product."""
    row, shape = op.row, op.shape
    count = f"{op.count:,.0f} · "
    if row is None:
        return count + op.name
    if isinstance(shape, AttentionShape):
        heads, keys, values = f"{shape.kv_heads:,.0f}", f"{shape.key_dim:,.0f}", f"{shape.value_dim:,.0f}"
        if p.cache.split:
            return f"{count}{heads} · ({keys} · {p.cache.keys.bytes:g} + {values} · {p.cache.values.bytes:g})"
        return f"{count}{heads} · ({keys} + {values}) · {p.cache.keys.bytes:g}"
    if p.cache.packed is not None:
        return f"{count}{p.cache.row_bytes(row):,.0f} ({op.name}, {p.cache.name})"
    return f"{count}{row.elements:,.0f} ({op.name}) · {p.cache_element(op):g}"


def growth_text(op: Op, p: Precision, each: float) -> str:
    """`each` bytes that a token adds to an op's cache, as a product: nothing where its window is full."""
    shape = op.shape
    if not each:
        window = shape.window if isinstance(shape, AttentionShape) else None
        return f"0 ({op.count:,.0f} full windows" + (f" of {window:,.0f})" if window is not None else ")")
    whole = p.cache.row_bytes(op.row) if op.row is not None else each
    known = isinstance(shape, AttentionShape) or each == whole
    return cache_text(op, p) if known else f"{cache_text(op, p)} · {each / whole:.4g}"


def held_text(op: Op, p: Precision) -> str:
    """What an op holds in the cache, as a product."""
    shape = op.shape
    if isinstance(shape, AttentionShape):
        held = shape.span.held_keys(shape.window)
        limit = f" (window {shape.window:,.0f})" if shape.window is not None else ""
        return f"{number(shape.span.batch)} · {number(held)}{limit} · {cache_text(op, p)}"
    return f"{op.count:,.0f} · {number(op.cache_held + op.cache_before)} ({op.name}) · {p.cache_element(op):g}"
