"""`eager`: what the reference framework code executes, one kernel per element-wise operation.

Every op keeps its name, weights, parameters and cache, and takes the launches and the traffic of the kernels in
`roofline.passes.fusion.kernels`; attention comes apart into its products, its softmax and its copies
(`roofline.passes.fusion.eager_attention`). Positions, cosines and masks are computed once per forward, before all else.

Convention: every kernel reads its inputs and writes its outputs, each once, a broadcast dimension once; views are free;
of embeddings the rows looked up count, of experts those expected to be visited. For GPT-2, Llama, Mistral, Qwen3 and
Mixtral nothing differs from what was recorded of transformers 5.23.0, in any class of operators, but the token ids,
which the recorder made. Reference code with habits of its own (OPT, GPT-J, GPT-NeoX, latent attention) is counted as if
it were Llama's; docs/traffic.md says what that leaves out. Activations are taken to have 16 bits: wider ones would not
be widened.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from roofline.num import Num
from roofline.passes.fusion import kernels
from roofline.passes.fusion.eager_attention import fused_attention, shares_cache, unfused_attention
from roofline.passes.fusion.eager_selected import unfused_selected
from roofline.passes.fusion.kernels import Recipe, evaluate
from roofline.workload.op import Op
from roofline.workload.shapes import AttentionShape, ExpertsShape, MaskShape, RowShape, SelectedAttentionShape

Attention: TypeAlias = Literal["eager", "sdpa"]
Kernels: TypeAlias = tuple[Recipe, Sequence[Num]]
Core: TypeAlias = tuple[Op, AttentionShape]


def eager_ops(ops: Sequence[Op], attention: Attention = "eager") -> tuple[Op, ...]:
    """The ops of one forward as unfused kernels; with `sdpa`, attention is one kernel over a cache copied to grow."""
    cores = {op.block: (op, op.shape) for op in ops if type(op.shape) is AttentionShape}
    out = _once(ops, cores, attention)
    for op in ops:
        shape = op.shape
        if type(shape) is RowShape:
            if shape.style == "rotary" and op.block in cores:
                out += _rotary(op, shape, cores[op.block])
            else:
                out.append(_rewritten(op, row_kernels(op, shape)))
        elif type(shape) is AttentionShape:
            out += unfused_attention(op, shape) if attention == "eager" else fused_attention(op, shape)
        elif type(shape) is SelectedAttentionShape:
            out += unfused_selected(op, shape) if attention == "eager" else [op]
        elif type(shape) is ExpertsShape:
            out.append(_rewritten(op, experts_kernels(shape)))
        else:
            out.append(op)
    return tuple(out)


def kernels_of(op: Op) -> Kernels | None:
    """The recipe of an op that an eager pass made and the units to evaluate it with, or None where it is one kernel."""
    shape = op.shape
    if type(shape) is RowShape:
        return row_kernels(op, shape)
    if type(shape) is ExpertsShape:
        return experts_kernels(shape)
    if type(shape) is MaskShape:
        return mask_kernels(shape)
    return None


def row_kernels(op: Op, shape: RowShape) -> Kernels | None:
    """Norms, activations, rotation, softmax and the positions; residuals and look-ups are one kernel already."""
    style = shape.style
    if style == "positions":
        return kernels.POSITIONS, (shape.rows,)
    if style == "rotary_table":
        return kernels.ROTARY_TABLE, (shape.rows, shape.width, shape.rows * shape.width)
    name: str = style
    if style == "rotary" and shape.detail:
        name = f"rotary.{shape.detail}"
    elif style in ("activation", "gated"):
        name = f"{style}.{shape.detail}"
    elif style == "softmax":
        name = shape.detail
    elif style == "rms" and not op.params:
        name = "rms_plain"
    found = kernels.ROWS.get(name)
    return None if found is None else (found, (shape.rows * shape.width, shape.rows, shape.operand))


def experts_kernels(shape: ExpertsShape) -> Kernels | None:
    """Routed experts, in the order of the rows by expert."""
    tokens, rows, number = shape.tokens, shape.tokens * shape.top_k, shape.experts
    outer, out, inner = tokens * shape.width, rows * shape.width, rows * shape.hidden
    units = (tokens, rows, tokens * number, number, outer, out, inner)
    recipe = kernels.experts_recipe(shape.function, shape.width, shape.hidden, gated=shape.gated)
    return None if recipe is None else (recipe, units)


def mask_kernels(shape: MaskShape) -> Kernels:
    """The mask [b, 1, n, s] of one forward."""
    span = shape.span
    keys = span.cached_keys(shape.window) + span.new
    pairs = span.new * keys
    found = kernels.MASK if shape.window is None else kernels.WINDOW_MASK
    return found, (span.batch, span.new, keys, pairs, span.batch * pairs, 1.0)


def _rewritten(op: Op, found: Kernels | None) -> Op:
    """The op with the launches and the traffic of its recipe."""
    if found is None:
        return op
    recipe, units = found
    return op._replace(
        read=evaluate(recipe.read, units),
        write=evaluate(recipe.write, units),
        read_fp32=evaluate(recipe.read_fp32, units),
        write_fp32=evaluate(recipe.write_fp32, units),
        reused=evaluate(recipe.reused, units),
        reused_fp32=evaluate(recipe.reused_fp32, units),
        kernels=recipe.launches,
    )


def _rotated(shape: RowShape, core: Core) -> Num:
    """Elements of a head that are rotated, in queries and keys; in queries alone where the keys are another layer's."""
    op, attention = core
    return shape.width / (attention.heads + (0.0 if shares_cache(op) else attention.kv_heads))


def _rotary(op: Op, shape: RowShape, core: Core) -> list[Op]:
    """Queries and keys to x cos + (-x2, x1) sin; where only a part of a head is rotated, the parts are joined after."""
    attention, rotated = core[1], _rotated(shape, core)
    turned = shape._replace(operand=attention.span.new * rotated, detail="queries" if shares_cache(core[0]) else "")
    ops = [_rewritten(op._replace(shape=turned), row_kernels(op, turned))]
    if rotated < attention.key_dim:
        whole = shape.width / rotated * attention.key_dim
        x, joined, kernels = shape.rows * whole, RowShape(shape.rows, whole, "append"), ops[0].kernels / 5.0
        amounts = (0.0, 0.0, 0.0, 0.0, 0.0, x, x)
        ops.append(
            Op("rotary.join", "pointwise", op.block, op.count, *amounts, live=op.live, kernels=kernels, shape=joined)
        )
    return ops


def _once(ops: Sequence[Op], cores: dict[str, Core], attention: Attention) -> list[Op]:
    """What is computed once per forward: positions, cosines and sines, masks."""
    masks: dict[float | None, MaskShape] = {}
    for op in ops:
        shape = op.shape
        if type(shape) is AttentionShape and shape.causal:
            masks.setdefault(shape.window, MaskShape(shape.span, shape.window))
        elif type(shape) is SelectedAttentionShape:
            masks.setdefault(None, MaskShape(shape.span))
    if not masks:
        return []
    new = next(iter(masks.values())).span.new
    widths = dict.fromkeys(
        _rotated(op.shape, cores[op.block])
        for op in ops
        if type(op.shape) is RowShape and op.shape.style == "rotary" and op.block in cores
    )
    return [
        _computed_once("positions", RowShape(new, 1.0, "positions")),
        *(_computed_once("rotary.table", RowShape(new, w, "rotary_table"), 4.5 * new * w) for w in widths),
        *(_computed_once("mask", mask) for mask in masks.values() if attention == "eager"),
    ]


def _computed_once(name: str, shape: RowShape | MaskShape, vector_flops: Num = 0.0) -> Op:
    op = Op(name, "pointwise", "embedding", vector_flops=vector_flops, shape=shape)
    return _rewritten(op, kernels_of(op))
