"""The kernels of an eager phase one by one, and their bytes by class, as a framework's dispatcher would record them.

A recorder that adds the bytes of all inputs and outputs of every operator (a broadcast dimension once, views free) sees
the same operators under the same names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from roofline.num import Num
from roofline.passes.fusion.eager import kernels_of
from roofline.passes.fusion.kernels import Kernel, evaluate
from roofline.workload.op import Op
from roofline.workload.precision import Precision
from roofline.workload.shapes import MatmulShape, RowShape
from roofline.workload.workload import Phase

#: Classes of operators; all others are element-wise work, norms and reductions.
_CLASSES: Final[dict[str, str]] = {
    "mm": "matmul",
    "addmm": "matmul",
    "_grouped_mm": "matmul",
    "embedding": "embedding",
    "bmm": "attention products",
    "fused attention": "fused attention",
    "_softmax": "softmax",
    "cat": "cat",
    "clone": "copies",
    "_to_copy": "copies",
}
ELEMENTWISE: Final = "element-wise and norms"
CLASSES: Final = (
    "matmul",
    "attention products",
    "fused attention",
    "softmax",
    ELEMENTWISE,
    "cat",
    "copies",
    "embedding",
)


class Traffic(NamedTuple):
    """Launches, and bytes read and written."""

    kernels: Num
    read: Num
    written: Num

    def plus(self, other: Traffic, times: float = 1.0) -> Traffic:
        """The sum with another, taken `times` times."""
        return Traffic(
            self.kernels + times * other.kernels, self.read + times * other.read, self.written + times * other.written
        )

    @property
    def bytes(self) -> Num:
        """Bytes read and written."""
        return self.read + self.written


_NOTHING: Final = Traffic(0.0, 0.0, 0.0)


def by_operator(phase: Phase, precision: Precision) -> dict[str, Traffic]:
    """Traffic of one repeat of an eager phase, by name of the operator."""
    found: dict[str, Traffic] = {}
    for op in phase.ops:
        for aten, part in _kernels(op, precision):
            found[aten] = found.get(aten, _NOTHING).plus(part, op.count)
    return found


def by_class(phase: Phase, precision: Precision) -> dict[str, Traffic]:
    """Traffic of one repeat of an eager phase, by class of operators, in the order of CLASSES."""
    found = dict.fromkeys(CLASSES, _NOTHING)
    for aten, part in by_operator(phase, precision).items():
        name = _CLASSES.get(aten, ELEMENTWISE)
        found[name] = found[name].plus(part)
    return found


def _kernels(op: Op, precision: Precision) -> Iterator[tuple[str, Traffic]]:
    found = kernels_of(op)
    if found is not None:
        recipe, units = found
        for kernel in recipe.kernels:
            yield kernel.aten, _part(kernel, units, op, precision)
    elif isinstance(op.shape, RowShape) and op.shape.detail == "cache":
        sent = Traffic(op.kernels - 2.0, 4.0 * op.read_fp32, 4.0 * op.write_fp32)
        whole = _whole(op, precision)
        yield "_to_copy", sent
        yield "cat", Traffic(2.0, whole.read - sent.read, whole.written - sent.written)
    else:
        yield _operator(op), _whole(op, precision)


def _part(kernel: Kernel, units: Sequence[Num], op: Op, precision: Precision) -> Traffic:
    size = precision.activations.bits / 8
    read = evaluate(kernel.read, units) * size + evaluate(kernel.read_fp32, units) * 4.0
    if kernel.weights:
        read = read + precision.weight_bytes(op)
    return Traffic(
        kernel.launches, read, evaluate(kernel.write, units) * size + evaluate(kernel.write_fp32, units) * 4.0
    )


def _whole(op: Op, precision: Precision) -> Traffic:
    size, cache = precision.activations.bits / 8, precision.cache_element(op)
    return Traffic(
        op.kernels,
        precision.weight_bytes(op) + op.read * size + op.read_fp32 * 4.0 + op.cache_read * cache,
        op.write * size + op.write_fp32 * 4.0 + op.cache_write * cache,
    )


def _operator(op: Op) -> str:
    """The operator of an op that is one kernel."""
    if op.kind == "linear":
        return "mm"
    if op.kind == "gather":
        return "embedding"
    if op.kind == "attention":
        return "bmm" if isinstance(op.shape, MatmulShape) else "fused attention"
    style = op.shape.style if isinstance(op.shape, RowShape) else ""
    return {"copy": "clone", "append": "cat", "scale": "mul", "mask": "add", "add": "add"}.get(style, op.name)
