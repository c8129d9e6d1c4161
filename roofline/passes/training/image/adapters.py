"""Adapters of small rank beside an image model's dense layers and convolutions (LoRA), by the names of its modules.

Source: PEFT 0.21, tuners/lora/layer.py and tuners_utils.py (a target is the end of a module's name); diffusers 0.42.1
for the names.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from roofline.errors import UsageError
from roofline.num import Num
from roofline.passes.training.adapters import ALL, Adapters
from roofline.passes.training.flow import Flow
from roofline.passes.training.image.trace import Tracer
from roofline.passes.training.image.unrolled import Loop, Piece, Program
from roofline.passes.training.image.values import Saved, Value
from roofline.workload.op import Op
from roofline.workload.shapes import ConvolutionShape, FieldShape, MatmulShape

#: What diffusers' own scripts adapt where nothing else is asked for.
USUAL: Final = ("to_q", "to_k", "to_v", "to_out.0")
_OWN: Final = ("to_q", "to_k", "to_v")
_ADDED: Final = ("add_q_proj", "add_k_proj", "add_v_proj")
#: Names of modules, by the last words of an op's name; several, where an op runs for several modules.
_MODULES: Final[dict[str, tuple[str, ...]]] = {
    "qkv": _OWN,
    "image_qkv": _OWN,
    "text_qkv": _ADDED,
    "to_kv": ("to_k", "to_v"),
    "add_kv": ("add_k_proj", "add_v_proj"),
    "to_out": ("to_out.0",),
    "ff.proj": ("ff.net.0.proj",),
    "ff.up": ("ff.net.0.proj",),
    "ff.out": ("ff.net.2",),
    "ff.down": ("ff.net.2",),
    "ff_context.up": ("ff_context.net.0.proj",),
    "ff_context.down": ("ff_context.net.2",),
    "scales": ("linear",),
    "resnet.shortcut": ("conv_shortcut",),
    "downsample": ("downsamplers.0.conv",),
    "upsample.conv": ("upsamplers.0.conv",),
    "patches": ("proj",),
}


def module_of(piece: Piece) -> str:
    """The name of the module that an op belongs to: its block, and its own name as the framework spells it."""
    op = piece.op
    head, _, tail = op.name.rpartition(".")
    if op.name == "attn.text.qkv":
        return f"{op.block}.attn.{_ADDED[piece.place]}"
    for words, left in ((op.name, ""), (tail, head)):
        known = _MODULES.get(words)
        if known is not None:
            return ".".join(part for part in (op.block, left, known[piece.place % len(known)]) if part)
    return f"{op.block}.{op.name}"


def is_target(piece: Piece, targets: Iterable[str]) -> bool:
    """Whether an op's module is adapted."""
    if piece.op.kind not in ("linear", "convolution"):
        return False
    name = module_of(piece)
    return any(
        (target == ALL and piece.op.kind == "linear") or name == target or name.endswith(f".{target}")
        for target in targets
    )


def check_targets(program: Program, targets: Iterable[str]) -> None:
    """Raises UsageError for a target that is the end of no module's name."""
    pieces = list(_pieces(program))
    for target in targets:
        if not any(is_target(piece, (target,)) for piece in pieces):
            linear = (piece for piece in pieces if piece.op.kind == "linear")
            names = sorted({module_of(piece).removeprefix(f"{piece.op.block}.") for piece in linear})
            raise UsageError(
                f"no layer of this model is named {target!r}, so that nothing would be adapted; its dense layers are "
                f"{', '.join(names)}"
            )


def _pieces(program: Program) -> Iterable[Piece]:
    for item in program:
        if isinstance(item, Loop):
            yield from _pieces(item.body)
        else:
            yield item


def beside(adapters: Adapters, tracer: Tracer, piece: Piece, source: Value, count: float) -> Value | None:
    """The adapter beside a layer: x a b, scaled and added to the layer's own result. None for a layer without."""
    if not is_target(piece, adapters.targets or USUAL):
        return None
    op, rank, wide = piece.op, adapters.rank, adapters.wide
    first, second = _factors(op, rank, wide)
    read = source
    if wide:
        read = Value(0.0, first.read + first.read_fp32, count, source.needs)
        tracer.note(
            Flow(_field(op, "lora_cast", first.read_fp32, wide, narrow=False), False, source.needs), Saved(), count
        )
    middle = Value(first.write, first.write_fp32, count, True)
    tracer.note(Flow(first, True, source.needs), Saved((read,), weights=source.needs), count)
    tracer.note(Flow(second, True, True), Saved((middle,), weights=True), count)
    made = second.write + second.write_fp32
    total = _field(op, "lora_add", made, wide, narrow=True)
    tracer.note(Flow(total, False, True), Saved(), count)
    return tracer.make(total, True, count)


def _factors(op: Op, rank: float, wide: bool) -> tuple[Op, Op]:
    """The two factors as ops: of a dense layer [k, r] and [r, n], of a convolution its own kernel to r, then 1×1."""
    shape = op.shape
    if isinstance(shape, ConvolutionShape):
        down: ConvolutionShape | MatmulShape = shape._replace(channels_out=rank, bias=False)
        up: ConvolutionShape | MatmulShape = shape._replace(channels_in=rank, kernel=1.0, bias=False)
        area, pixels = shape.kernel * shape.kernel, shape.pixels
        sizes = (shape.channels_in * area * rank, rank * shape.channels_out)
        moved: tuple[Num, Num, Num] = (op.read, pixels * rank, pixels * shape.channels_out)
    else:
        assert isinstance(shape, MatmulShape)
        down, up, pixels = MatmulShape(shape.m, shape.k, rank), MatmulShape(shape.m, rank, shape.n), shape.m
        sizes = (float(shape.k) * rank, rank * float(shape.n))
        moved = (shape.m * shape.k, shape.m * rank, shape.m * shape.n)

    def factor(name: str, own: float, read: Num, write: Num, form: ConvolutionShape | MatmulShape) -> Op:
        half = (0.0, 0.0, read, write) if wide else (read, write, 0.0, 0.0)
        made = Op(f"{op.name}.{name}", op.kind, op.block, op.count, 2.0 * own * pixels, 0.0, own, own, own, shape=form)
        return made._replace(read=half[0], write=half[1], read_fp32=half[2], write_fp32=half[3])

    return (
        factor("lora_a", sizes[0], moved[0], moved[1], down),
        factor("lora_b", sizes[1], moved[1], moved[2], up),
    )


def _field(op: Op, name: str, elements: Num, wide: bool, *, narrow: bool) -> Op:
    """What is cast, scaled and added around the two factors."""
    shape = FieldShape(elements, "arithmetic" if narrow else "copy")
    made = Op(f"{op.name}.{name}", "pointwise", op.block, op.count, shape=shape)
    if not narrow:
        return made._replace(read=elements, write_fp32=elements)
    made = made._replace(vector_flops=2.0 * elements, kernels=3.0 if wide else 2.0)
    if not wide:
        return made._replace(read=3.0 * elements, write=elements, reused=elements)
    return made._replace(read=elements, read_fp32=3.0 * elements, write=elements, reused_fp32=elements)
