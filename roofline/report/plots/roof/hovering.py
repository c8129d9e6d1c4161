"""What is told of a dot, of a step of a path and of a measured point where a pointer rests on it."""

from __future__ import annotations

from typing import Final

from roofline.report.plots.roof.dots import Dot
from roofline.report.plots.roof.ledger import At, Kernel
from roofline.report.plots.roof.measured import Point
from roofline.report.plots.roof.picture import Series
from roofline.report.plots.roof.trail import Step, Trail
from roofline.units import format_si, format_time

#: Formulas, and names, that one text holds.
_FORMULAS, _NAMES = 3, 8
_TIMES: Final[tuple[At, ...]] = ("bound", "expected")


def dot_text(dot: Dot, one: Series) -> str:
    """Names, formulas, FLOPs, bytes, intensity, times, share of the run and of the bound."""
    names = [f"{unit.name} {unit.detail}".strip() for unit in dot.units]
    more = [f"and {len(names) - _NAMES} more"] if len(names) > _NAMES else []
    head = ", ".join([*names[:_NAMES], *more])
    return "\n".join(
        [head, *_where(one, dot.phase), *_counts(dot.kernels, dot.intensity, dot.vector), _share(dot.share)]
    )


def step_text(trail: Trail, step: Step, one: Series) -> str:
    """The value of the size, and what a dot tells."""
    head = f"{trail.op}, {trail.size} {step.value:,g}"
    return "\n".join([head, *_where(one, trail.phase), *_counts(step.kernels, step.intensity, False)])


def point_text(point: Point, one: Series) -> str:
    """The name of a measured point, its intensity and its rate."""
    rate = f"{plain_intensity(point.intensity)}, measured {format_si(point.rate, 'FLOP/s')}"
    return "\n".join([point.name, *_where(one, point.phase), rate])


def _where(one: Series, phase: str) -> list[str]:
    return list(filter(None, [", ".join(filter(None, [phase, one.name]))]))


def _counts(kernels: list[Kernel] | tuple[Kernel, ...], intensity: float, vector: bool) -> list[str]:
    """Lines of formula, counts and times; of one repeat of the phase."""
    shapes = list(dict.fromkeys(kernel.shape for kernel in kernels if kernel.shape))
    flops = sum(kernel.vector_flops if vector else kernel.flops for kernel in kernels)
    moved = sum(kernel.bytes for kernel in kernels)
    bound, expected = (sum(kernel.seconds(at) for kernel in kernels) for at in _TIMES)
    what = "vector FLOP" if vector else "FLOP"
    times = f"bound {format_time(bound)}, expected {format_time(expected)}"
    reached = f"reaches {100 * bound / expected:.0f} % of its bound" if expected > 0 else ""
    formulas = [*shapes[:_FORMULAS], *(["…"] if len(shapes) > _FORMULAS else [])]
    counts = f"{format_si(flops, what)}, {format_si(moved, 'B')}, {plain_intensity(intensity)}"
    return list(filter(None, [*formulas, counts, times, reached]))


def plain_intensity(value: float) -> str:
    """FLOPs per byte with their unit."""
    return f"{value:,.0f} FLOP/B" if value >= 9.95 else f"{value:.2g} FLOP/B"


def _share(share: float) -> str:
    return f"{100 * share:.2g} % of the run's time"
