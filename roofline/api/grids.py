"""Many questions at once: grids of options."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Unpack

from roofline.keywords import Grid, with_keywords
from roofline.runs.load import GPULike, ModelLike

if TYPE_CHECKING:
    from roofline.analysis.sweep import Sweep


@with_keywords(Grid)
def sweep(
    model: ModelLike | Iterable[ModelLike], gpu: GPULike | Iterable[GPULike] | None = None, **options: Unpack[Grid]
) -> Sweep:
    """Every combination of the given values; any option of `estimate` may be a list (or range, or array) of values.

    The sizes (batch, users, prompt, generate, height, width, steps) are the last axes, in this order. With users there
    are columns of their steady load, `served_tpot_s` and the like. Raises UsageError for an option without values or
    more than 50 million points.
    """
    from roofline.analysis.sweep import sweep as evaluate

    return evaluate(model, gpu, options)


@with_keywords(Grid)
def sweep_blocks(
    model: ModelLike | Iterable[ModelLike], gpu: GPULike | Iterable[GPULike] | None = None, **options: Unpack[Grid]
) -> Iterator[Sweep]:
    """The same grid, of any number of points, block by block: memory does not grow with their number.

    Each block is a sweep over its part of the sizes, for one value of every other option. Raises UsageError for an
    option without values.
    """
    from roofline.analysis.sweep import sweep_blocks as evaluate

    return evaluate(model, gpu, options)
