"""Levels of execution of an image workload, from the code of 2022 to an engine that moves operands only.

The ledger is built as PyTorch runs it eagerly with fused attention (`flash`). Every other level rewrites its ops:

math        attention on the framework's fallback path, in fp32
classic     attention with its scores in memory (`--fusion eager`)
slice-auto  classic, half of the heads at a time
slice-max   classic, one head at a time
flash       fused attention
cuda        flash, and what a GPU does that operator counts hide: a second read in every group norm, and the bias of
            every convolution added by a kernel of its own
compiled    flash, with element-wise work joined into as few kernels as its order allows
operands    matrix products, convolutions and attention alone: what fusion can leave at best
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Literal, TypeAlias

from roofline.num import Num, any_holds
from roofline.passes.image.attention import classic_attention, math_attention, sliced_attention
from roofline.passes.image.compiled import compiled_image_ops
from roofline.workload.constructors_image import Block
from roofline.workload.op import Op
from roofline.workload.shapes import ConvolutionShape, FieldShape
from roofline.workload.workload import Phase, Workload

Level: TypeAlias = Literal["math", "classic", "slice-auto", "slice-max", "flash", "cuda", "compiled", "operands"]


def _each(function: Callable[[Op], list[Op]]) -> Callable[[Iterable[Op]], list[Op]]:
    def every(ops: Iterable[Op]) -> list[Op]:
        return [new for op in ops for new in (function(op) if op.kind == "attention" else (op,))]

    return every


def _cuda_ops(ops: Iterable[Op]) -> list[Op]:
    found = []
    for op in ops:
        shape = op.shape
        if isinstance(shape, FieldShape) and shape.style == "group":
            found.append(op._replace(read=2.0 * op.read, live=op.live - op.read))
            continue
        found.append(op)
        if isinstance(shape, ConvolutionShape) and shape.bias:
            block, y = Block(op.block, op.count), op.write
            found.append(block.field(f"{op.name}.bias", "arithmetic", y, y, live=op.live - y))
    return found


def _operand_ops(ops: Iterable[Op]) -> list[Op]:
    """The products, and what else holds parameters, which then costs nothing."""
    found = []
    for op in ops:
        if op.kind in ("convolution", "linear", "attention", "gather"):
            found.append(op)
        elif op.params:
            idle = op._replace(vector_flops=0.0, weights=0.0, kernels=0.0)
            found.append(idle._replace(read=0.0, write=0.0, read_fp32=0.0, write_fp32=0.0))
    return found


_REWRITES: Final[dict[Level, Callable[[Iterable[Op]], list[Op]]]] = {
    "math": _each(math_attention),
    "classic": _each(classic_attention),
    "slice-auto": _each(lambda op: sliced_attention(op, largest=False)),
    "slice-max": _each(lambda op: sliced_attention(op, largest=True)),
    "flash": list,
    "cuda": _cuda_ops,
    "compiled": compiled_image_ops,
    "operands": _operand_ops,
}
LEVELS: Final[tuple[Level, ...]] = tuple(_REWRITES)
#: What the options of text models mean here.
OF_FUSION: Final[dict[str, Level]] = {"eager": "classic"}


def image_level(workload: Workload, level: Level) -> Workload:
    """The workload, built at level `flash`, at another level."""
    if level == "flash":
        return workload
    rewrite = _REWRITES[level]
    return Workload(tuple(_with_ops(phase, rewrite(phase.ops)) for phase in workload.phases))


def _with_ops(phase: Phase, ops: list[Op]) -> Phase:
    return Phase(phase.name, tuple(ops), phase.repeat, phase.component, phase.boundary, phase.context, phase.tokens)


def without_casts(ops: Iterable[Op]) -> list[Op]:
    """The ops where everything is fp32 anyway: conversions between the formats fall away."""
    return [op for op in ops if not _is_cast(op)]


def _is_cast(op: Op) -> bool:
    shape = op.shape
    if not isinstance(shape, FieldShape) or shape.detail != "fp32" or shape.style != "copy":
        return False
    read, write, read_fp32, write_fp32 = map(_some, (op.read, op.write, op.read_fp32, op.write_fp32))
    narrow = write and not write_fp32 and read_fp32 and not read
    widen = read and not read_fp32 and write_fp32 and not write
    return narrow or widen


def _some(value: Num) -> bool:
    """Whether there is any of it, at any point of a grid."""
    return any_holds(value > 0.0)
