"""Projections of one input as one matrix product, as engines that join their matrices when they load them run them.

    [t, i] @ [i, q], [t, i] @ [i, k], [t, i] @ [i, v]  ->  [t, i] @ [i, q + k + v]

FLOPs, weights and results stay; the input is read once, and there is one launch. A packed projection of the checkpoint
(an op without a launch of its own) is always joined to the one before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from roofline.num import all_hold
from roofline.workload.op import Op
from roofline.workload.shapes import MatmulShape

_ATTENTION: Final = {"q_proj": "qkv", "k_proj": "qkv", "v_proj": "qkv", "kv_a_proj": "a", "q_a_proj": "a"}
_DENSE: Final = {"gate_proj": "gate_up", "up_proj": "gate_up"}
_SHARED: Final = {"shared_gate_proj": "shared_gate_up", "shared_up_proj": "shared_gate_up"}
#: What an engine joins, and the projections that this puts into one matrix.
JOINS: Final[dict[str, dict[str, str]]] = {
    "none": {},
    "attention": _ATTENTION,
    "all": _ATTENTION | _DENSE | _SHARED,
}


#: Letters of projections that are joined without a line between them: `qkv_proj`.
_LETTERS: Final = frozenset("qkv")


def join_projections(ops: Sequence[Op], which: str) -> Sequence[Op]:
    """The ops with the projections of `which` (none, attention, all) joined into the first one of each block."""
    return [joined(product) for product in products_of(ops, which)]


def joined_name(names: Sequence[str]) -> str:
    """What the product of several projections is called: `qkv_proj`, `gate_up_proj`, `shared_gate_up_proj`."""
    each = [name.split("_") for name in dict.fromkeys(names)]
    if len(each) == 1:
        return names[0]
    most = min(map(len, each)) - 1
    first = _alike(each, most)
    last = _alike([parts[::-1] for parts in each], most - first)
    own = ["_".join(parts[first : len(parts) - last]) for parts in each]
    letters = "".join(own)
    short = _LETTERS.issuperset(letters)
    middle = "".join(sorted(set(letters), key="qkv".index)) if short else "_".join(own)
    return "_".join([*each[0][:first], middle, *each[0][len(each[0]) - last :]])


def _alike(names: Sequence[Sequence[str]], most: int) -> int:
    """In how many parts names begin alike, of at most so many."""
    return next((i for i in range(most) if len({name[i] for name in names}) > 1), most)


def products_of(ops: Sequence[Op], which: str) -> list[list[Op]]:
    """The ops in the groups that are joined into one each, in the order of the first of each group."""
    named = JOINS[which]
    products: list[list[Op]] = []
    begun: dict[tuple[str, str], list[Op]] = {}
    for op in ops:
        product = [op]
        if type(op.shape) is MatmulShape:
            packed = type(op.kernels) is float and op.kernels == 0.0
            if packed and products and _fits(products[-1][0], op):
                products[-1].append(op)
                continue
            if (matrix := named.get(op.name)) is not None:
                other = begun.get((op.block, matrix))
                if other is not None and _fits(other[0], op):
                    other.append(op)
                    continue
                begun[op.block, matrix] = product
        products.append(product)
    return products


def _fits(first: Op, second: Op) -> bool:
    """Whether both are products of the same input in the same layers."""
    a, b = first.shape, second.shape
    if type(a) is not MatmulShape or type(b) is not MatmulShape:
        return False
    alike = a.m is b.m and a.k == b.k and first.block == second.block
    return alike and all_hold(first.count == second.count)


def joined(product: Sequence[Op]) -> Op:
    """Several ops of one input as one; a single one is itself."""
    first, *others = product
    if not others:
        return first
    flops, vector_flops, params, active = first.flops, first.vector_flops, first.params, first.active
    weights, write, shape = first.weights, first.write, first.shape
    assert isinstance(shape, MatmulShape)
    columns = shape.n
    for op in others:
        assert isinstance(op.shape, MatmulShape)
        flops, vector_flops = flops + op.flops, vector_flops + op.vector_flops
        params, active = params + op.params, active + op.active
        weights, write, columns = weights + op.weights, write + op.write, columns + op.shape.n
    return first._replace(
        flops=flops,
        vector_flops=vector_flops,
        params=params,
        active=active,
        weights=weights,
        write=write,
        shape=shape._replace(n=columns),
    )
