"""Many questions at once: grids of options."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Unpack

from roofline.keywords import Grid, with_keywords
from roofline.runs.load import GPULike, ModelLike

if TYPE_CHECKING:
    from roofline.analysis.sweeping.workers import Executor
    from roofline.api.objects.points import Sweep


@with_keywords(Grid)
def sweep(
    model: ModelLike | Iterable[ModelLike],
    gpu: GPULike | Iterable[GPULike] | None = None,
    *,
    executor: Executor | None = None,
    **options: Unpack[Grid],
) -> Sweep:
    """Every combination of the given values; any option of `estimate` may be a list (or range, or array) of values.

    The sizes (batch, users, prompt, generate, height, width, steps) are the last axes, in this order. With users there
    are columns of their steady load, `served_tpot_s` and the like. Points that cannot be are told in `refused`, and are
    not a number. With `executor` (a client of Dask, or an executor of Python) the work is done there. Raises UsageError
    for an option without values or more than 50 million points, and where no point can be.
    """
    from roofline.analysis.sweep import sweep as evaluate
    from roofline.api.objects.points import Sweep

    return evaluate(model, gpu, options, Sweep, executor)


@with_keywords(Grid)
def sweep_blocks(
    model: ModelLike | Iterable[ModelLike],
    gpu: GPULike | Iterable[GPULike] | None = None,
    *,
    executor: Executor | None = None,
    **options: Unpack[Grid],
) -> Iterator[Sweep]:
    """The same grid, of any number of points, block by block: memory does not grow with their number.

    Each block is a sweep over its part of the sizes, for one value of every other option; what cannot be is told in
    `refused` of the block before. With `executor` (a client of Dask, or an executor of Python) the work is done there,
    in the same order. Raises UsageError for an option without values, and where no point can be.
    """
    from roofline.analysis.sweep import sweep_blocks as evaluate
    from roofline.api.objects.points import Sweep

    return evaluate(model, gpu, options, Sweep, executor)
