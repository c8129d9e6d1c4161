"""The kernels of a run as a roofline plot reads them: counts and times of one repeat, and what tells them apart."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from roofline.analysis.estimate import Answer
from roofline.answer.phase import OUTSIDE, OpRow
from roofline.passes.fusion.joined import JOINS, joined_name, products_of
from roofline.workload.op import Op
from roofline.workload.shapes import AttentionShape, ConvolutionShape, DenseAttentionShape, ExpertsShape, MatmulShape

#: Which time a dot stands at.
At: TypeAlias = Literal["expected", "bound"]
AT: Final = ("expected", "bound")
#: Digits to which intensities are told apart.
_DIGITS: Final = 3


@dataclass(frozen=True, slots=True)
class Kernel:
    """One kernel of a phase: totals over its executions in one repeat, and how often the phase repeats.

    `detail` tells it from others of its name in the phase (the resolution, the block); empty where nothing need.
    """

    phase: str
    name: str
    kind: str
    detail: str
    shape: str
    dtype: str
    flops: float
    vector_flops: float
    bytes: float
    bound_s: float
    expected_s: float
    repeat: float

    def seconds(self, at: At) -> float:
        """Seconds in one repeat."""
        return self.expected_s if at == "expected" else self.bound_s

    def spent(self, at: At) -> float:
        """Seconds in the whole run."""
        return self.repeat * self.seconds(at)

    @property
    def outside(self) -> bool:
        """Whether it is no op but what is beside them: launches, the host, what is hidden behind work."""
        return self.kind == OUTSIDE

    @property
    def is_seen(self) -> bool:
        """Whether it has a place under the roofs: FLOPs of matrices, and bytes."""
        return self.flops > 0 and self.bytes > 0 and not self.outside


@dataclass(frozen=True)
class Ledger:
    """All kernels of a run; phases in their order."""

    kernels: tuple[Kernel, ...]

    @property
    def phases(self) -> list[str]:
        """The names of the phases."""
        return list(dict.fromkeys(kernel.phase for kernel in self.kernels))

    def of(self, phase: str) -> list[Kernel]:
        """The kernels of a phase."""
        return [kernel for kernel in self.kernels if kernel.phase == phase]

    def total(self, at: At) -> float:
        """Seconds of the whole run."""
        return sum(kernel.spent(at) for kernel in self.kernels) or 1.0

    def share(self, kernels: Iterable[Kernel], at: At) -> float:
        """The part of the whole run's time that some kernels take."""
        return sum(kernel.spent(at) for kernel in kernels) / self.total(at)


def ledger_of(estimate: Answer) -> Ledger:
    """The kernels of all phases of a run, as its engine launches them."""
    return Ledger(tuple(kernel for phase in estimate.phases for kernel in _kernels(estimate, phase.name)))


def _kernels(estimate: Answer, name: str) -> Iterator[Kernel]:
    rows, repeat = estimate.ops(name), float(estimate.phase(name).repeat)
    shapes = {(op.name, op.block, _rounded(op.flops)): op for op in _launched(estimate.workload[name].ops)}
    found = [shapes.get((row.name, row.block, _rounded(row.flops / (row.count or 1.0)))) for row in rows]
    ratio = _ratio(estimate)
    for row, detail, op in zip(rows, _details(rows, found, ratio), found, strict=True):
        yield Kernel(
            phase=name,
            name=row.name,
            kind=row.kind,
            detail=detail,
            shape=_shape(op, row),
            dtype=row.dtype,
            flops=float(row.flops),
            vector_flops=float(row.vector_flops),
            bytes=float(row.bytes),
            bound_s=float(row.bound_s),
            expected_s=float(row.expected_s),
            repeat=repeat,
        )


def _launched(ops: Sequence[Op]) -> Iterator[Op]:
    """The ops, and the products of projections that an engine may multiply as one."""
    yield from ops
    for which in JOINS:
        for product in products_of(ops, which):
            shapes = [op.shape for op in product if isinstance(op.shape, MatmulShape)]
            if len(product) > 1 and len(shapes) == len(product):
                flops, columns = sum(op.flops for op in product), sum(shape.n for shape in shapes)
                joined = joined_name([op.name for op in product])
                yield product[0]._replace(name=joined, flops=flops, shape=shapes[0]._replace(n=columns))


def _rounded(flops: object) -> float:
    return float(f"{float(flops):.6g}")  # type: ignore[arg-type]


def _ratio(estimate: Answer) -> float:
    """Height over width of a picture."""
    height, width = (estimate.inputs.get(side) for side in ("height", "width"))
    return float(height) / float(width) if height and width else 1.0


def _details(rows: Sequence[OpRow], ops: Sequence[Op | None], ratio: float) -> list[str]:
    """What tells each row from those of its name: its resolution, else its block; nothing where they are alike."""
    sizes: dict[str, set[str]] = {}
    intensities: dict[str, set[str]] = {}
    told = [_size(op, ratio) for op in ops]
    for row, size in zip(rows, told, strict=True):
        sizes.setdefault(row.name, set()).add(size)
        intensities.setdefault(row.name, set()).add(f"{float(row.intensity):.{_DIGITS}g}")
    return [
        ""
        if len(intensities[row.name]) == 1
        else size
        if size and len(sizes[row.name]) > 1
        else _short_block(row.block)
        for row, size in zip(rows, told, strict=True)
    ]


def _short_block(block: str) -> str:
    return block.partition(".attention")[0].partition(".feed_forward")[0]


def _size(op: Op | None, ratio: float) -> str:
    """The size of what an op works on, in a word or two; empty where its shape tells none."""
    shape = op.shape if op is not None else None
    if isinstance(shape, ConvolutionShape):
        return resolution(float(shape.pixels) / float(shape.batch), ratio)
    if isinstance(shape, DenseAttentionShape):
        return f"{float(shape.queries):,.0f} tokens"
    if isinstance(shape, MatmulShape):
        return f"{float(shape.m):,.0f} rows"
    return ""


def resolution(pixels: float, ratio: float = 1.0) -> str:
    """Pixels as height × width, of a picture whose height is `ratio` times its width: ``64×64``."""
    height = round(math.sqrt(pixels * ratio))
    width = round(pixels / height) if height else 0
    return f"{height:,}×{width:,}" if height * width == round(pixels) else f"{pixels:,.0f} px"


def _shape(op: Op | None, row: OpRow) -> str:
    """How an op's FLOPs come about, in symbols with their numbers; a multiply-add is two."""
    shape, times = op.shape if op is not None else None, f"{float(row.count):,.0f} × " if row.count != 1 else ""
    if isinstance(shape, MatmulShape):
        return f"{times}2·m·k·n = 2 · {float(shape.m):,.0f} · {float(shape.k):,.0f} · {float(shape.n):,.0f}"
    if isinstance(shape, ConvolutionShape):
        kernel = f"{float(shape.kernel):.0f}²"
        sizes = f"{float(shape.pixels):,.0f} · {kernel} · {shape.channels_in:,.0f} · {shape.channels_out:,.0f}"
        return f"{times}2·pixels·kernel²·in·out = 2 · {sizes}"
    if isinstance(shape, DenseAttentionShape):
        sizes = f"{float(shape.batch):,.0f} · {shape.heads:,.0f} · {float(shape.queries):,.0f}"
        return f"{times}4·batch·heads·queries·keys·dim = 4 · {sizes} · {float(shape.keys):,.0f} · {shape.dim:,.0f}"
    if isinstance(shape, AttentionShape):
        width = float(shape.key_dim + shape.value_dim)
        each = float(row.flops) / (row.count or 1.0) / (2.0 * float(shape.span.batch) * shape.heads * width)
        sizes = f"{float(shape.span.batch):,.0f} · {shape.heads:,.0f} · {each:,.0f} · {width:,.0f}"
        return f"{times}2·batch·heads·pairs·(key + value width) = 2 · {sizes}"
    if isinstance(shape, ExpertsShape):
        sizes = f"{float(shape.tokens):,.0f} · {shape.top_k:,.0f} · {shape.width:,.0f} · {shape.hidden:,.0f}"
        return (
            f"{times}2·{3 if shape.gated else 2}·tokens·experts each·width·hidden = {6 if shape.gated else 4} · {sizes}"
        )
    return ""
