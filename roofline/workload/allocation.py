"""The cache as an engine allocates it, beside the ideal one that holds each key once and no more.

Paged engines hold whole blocks of tokens per sequence, and some keep layers with a window at full length. Key-value
heads that more devices need than there are belong to the sharding of a workload (`roofline.passes.parallel.rules`).

Source: Kwon et al. 2023, PagedAttention (arXiv:2309.06180): blocks of 16 tokens, the last one partly empty.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from roofline.errors import UsageError
from roofline.num import Num, ceil, is_nothing, minimum
from roofline.workload.op import Op
from roofline.workload.shapes import AttentionShape, SelectedAttentionShape, Span
from roofline.workload.workload import Phase, Workload

DEFAULT_BLOCK = 16


class CacheLayout(NamedTuple):
    """How an engine lays out a cache: `block` tokens at a time; layers of a window or of chunks in full or not."""

    block: float = 1.0
    full_windows: bool = False
    full_chunks: bool = False

    def __str__(self) -> str:
        parts = [f"paged:{self.block:g}"] if self.block > 1 else []
        parts += ["full-windows"] if self.full_windows else []
        parts += ["full-chunks"] if self.full_chunks and not self.full_windows else []
        return ",".join(parts) or "ideal"

    def is_full(self, shape: AttentionShape) -> bool:
        """Whether a layer's keys are all held."""
        return self.full_windows or (self.full_chunks and shape.chunked)


def read_layout(text: str) -> CacheLayout | None:
    """`ideal`, or parts joined by commas: `paged`, `paged:BLOCK`, `full-windows`, `full-chunks`. Raises UsageError."""
    if text == "ideal":
        return None
    block, full, named = 1.0, set(), set[str]()
    for part in text.split(","):
        name, _, size = part.strip().partition(":")
        if name in named:
            raise UsageError(f"--kv-layout {text[:80]}: {name} is named twice")
        named.add(name)
        if name == "paged" and (not size or (size.isdecimal() and len(size) < 9 and 1 <= int(size) <= 10**6)):
            block = float(size or DEFAULT_BLOCK)
        elif name in ("full-windows", "full-chunks") and not size:
            full.add(name)
        else:
            known = "ideal, paged, paged:BLOCK, full-windows, full-chunks"
            raise UsageError(f"--kv-layout {text[:80]}: {part.strip()[:40]!r} is not one of {known}")
    return CacheLayout(block, "full-windows" in full, "full-chunks" in full)


def allocated(workload: Workload, layout: CacheLayout) -> Workload:
    """The workload with its cache held as the engine holds it; what is read and written stays the same."""
    return Workload(tuple(_allocated_phase(phase, layout) for phase in workload.phases))


def _allocated_phase(phase: Phase, layout: CacheLayout) -> Phase:
    span = next((found for op in phase.ops if (found := _span(op)) is not None), None)
    if span is None:
        return phase
    ops = tuple(op if is_nothing(op.cache_held) else _allocated_op(op, span, layout) for op in phase.ops)
    return replace(phase, ops=ops)


def _allocated_op(op: Op, span: Span, layout: CacheLayout) -> Op:
    window = op.shape.window if isinstance(op.shape, AttentionShape) else None
    held = span.held_keys(window)
    if op.row is not None and op.row.kind == "cross" and isinstance(op.shape, SelectedAttentionShape):
        held = op.shape.keys
    pages = kept_tokens(op, span.end, layout) / held
    grown = op._replace(cache_held=op.cache_held * pages, cache_before=op.cache_before * pages)
    if window is None:
        return grown  # by whole blocks, which is the same per token in the long run
    limit = None if layout.full_windows else window + layout.block - 1.0
    return grown._replace(cache_grows=op.cache_held / (span.batch * held) * span.grows(limit))


def kept_tokens(op: Op, end: Num, layout: CacheLayout) -> Num:
    """Tokens of a sequence of `end` that a layer's cache has room for: whole blocks, of a window those that it touches,
    for its oldest key may lie anywhere in a block; of a prompt behind an encoder those of the prompt.
    """
    shape = op.shape
    if op.row is not None and op.row.kind == "cross" and isinstance(shape, SelectedAttentionShape):
        end = shape.keys
    if isinstance(shape, AttentionShape) and shape.window is not None and not layout.is_full(shape):
        end = minimum(end, shape.window + layout.block - 1.0)
    return ceil(end / layout.block) * layout.block


def _span(op: Op) -> Span | None:
    span: Any = getattr(op.shape, "span", None)
    return span if isinstance(span, Span) else None
