"""How the heads of a block divide over the devices of a tensor-parallel group."""

from __future__ import annotations

from typing import NamedTuple, NoReturn

from roofline.errors import UsageError
from roofline.workload.op import Op
from roofline.workload.plan import Plan
from roofline.workload.shapes import AttentionShape, DepthwiseShape, MatmulShape, ScanShape, SelectedAttentionShape


class Heads(NamedTuple):
    """Shares of one device in a block: of query heads, of key-value heads, of what rotates and of what is cached.

    `dim` is the width of a head. In a recurrence that follows `scan`, `common` elements per token are input and output
    vectors that heads have in common; `key` is then the share of them that a device has.
    """

    query: float = 1.0
    key: float = 1.0
    rotated: float = 1.0
    cached: float = 1.0
    dim: float = 0.0
    common: float = 0.0
    scan: str = "none"


def heads_of(block: list[Op], plan: Plan) -> Heads:
    """The shares of one device in a block. Raises UsageError where heads do not divide."""
    shape, tp = _core(block), plan.tp
    if shape is None:
        return heads_of_recurrence(block, plan)
    if tp > shape.heads:
        refuse_idle(tp, shape.heads, f"query heads of {block[0].block}")
    latent = any(op.name == "kv_a_proj" for op in block)
    groups = shape.kv_heads if isinstance(shape, AttentionShape) else shape.groups
    if plan.pad_heads and tp > shape.heads:
        raise UsageError(
            f"--tp {tp:,}: {tp - shape.heads:,.0f} devices would have empty heads alone, of {block[0].block}"
        )
    if shape.heads % tp and not plan.pad_heads:
        refuse_heads(tp, shape.heads, f"query heads of {block[0].block}")
    query = -(-shape.heads // tp) / shape.heads
    if latent:
        rotated = (query * shape.heads + 1.0) / (shape.heads + 1.0)
        return Heads(query, query if groups == shape.heads else 1.0, rotated, 1.0, shape.key_dim)
    if groups % tp and tp % groups and not plan.pad_heads:
        raise UsageError(
            f"--tp {tp} and the {groups:.0f} key-value heads of {block[0].block}: neither divides the other; "
            "--pad-heads fills up with empty ones"
        )
    key = max(1.0, -(-groups // tp)) / groups
    rotated = (query * shape.heads + key * groups) / (shape.heads + groups)
    return Heads(query, key, rotated, key, shape.key_dim)


def _core(block: list[Op]) -> AttentionShape | SelectedAttentionShape | None:
    """The shape of the attention proper of a block, without its indexer."""
    for op in block:
        if isinstance(op.shape, (AttentionShape, SelectedAttentionShape)) and not op.name.startswith("indexer"):
            return op.shape
    return None


def heads_of_recurrence(block: list[Op], plan: Plan) -> Heads:
    """Heads, or channels, of a state space, a linear attention or a short convolution; all whole in other blocks."""
    scan = next((op.shape for op in block if isinstance(op.shape, ScanShape)), None)
    conv = next((op.shape for op in block if isinstance(op.shape, DepthwiseShape)), None)
    if scan is None:
        if conv is not None and conv.channels % plan.tp:
            refuse_heads(plan.tp, conv.channels, f"channels of {block[0].block}")
        return Heads(1.0 / plan.tp, 1.0 / plan.tp)
    each = [op.shape.groups for op in block if isinstance(op.shape, MatmulShape) and op.name == "recurrence_gate"]
    for heads in (scan.heads, *(float(groups) for groups in each)):
        if heads % plan.tp and not plan.pad_heads:
            refuse_heads(plan.tp, heads, f"heads or channels of {block[0].block}")
    if plan.tp > scan.heads:
        refuse_idle(plan.tp, scan.heads, f"heads or channels of {block[0].block}")
    share = -(-scan.heads // plan.tp) / scan.heads
    inner = scan.heads * scan.value_dim
    common = conv.channels - inner if scan.rule == "decay" and conv is not None else 0.0
    if scan.rule == "selective":
        common = 2.0 * scan.key_dim
    groups = common / (2.0 * scan.key_dim) if common else 1.0
    own = max(1.0, -(-groups // plan.tp)) / groups
    return Heads(share, own, dim=scan.value_dim, common=common, scan=scan.rule)


def refuse_idle(tp: int, heads: float, what: str) -> NoReturn:
    """Raise UsageError: some of the devices would have no head, but empty ones."""
    raise UsageError(f"--tp {tp}: more devices than the {heads:.0f} {what}, so that some would have empty heads alone")


def refuse_heads(tp: int, heads: float, what: str) -> NoReturn:
    """Raise UsageError: `tp` does not divide them; say what would."""
    fit = [str(n) for n in range(1, int(heads) + 1) if heads % n == 0]
    few = fit if len(fit) <= 12 else [*fit[:11], "…"]
    raise UsageError(
        f"--tp {tp} does not divide the {heads:.0f} {what}: use {', '.join(few)}, or --pad-heads for an engine that "
        "fills up with empty heads"
    )
