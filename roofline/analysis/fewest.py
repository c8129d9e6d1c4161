"""The fewest GPUs that hold a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from roofline.analysis.estimate import Answer
from roofline.analysis.evaluate import evaluate
from roofline.errors import UsageError
from roofline.runs.ask import ask
from roofline.runs.load import GPULike, ModelLike

#: Nodes beyond which a search is given up.
_NODES: Final = 64


def fewest_gpus(model: ModelLike, gpu: GPULike | None = None, **options: Any) -> Answer | None:
    """The answer on the fewest GPUs that hold a run, or None where 64 nodes do not.

    Within a node tensors are split over as many GPUs as the heads allow; beyond it, whole nodes are stages of a
    pipeline. Options are those of `estimate` without a plan. Raises as `estimate` does on one GPU.
    """
    first = evaluate(ask(model, gpu, options), Answer)
    if first.memory.fits:
        return first
    for plan in _plans(_node_size(model, gpu, options)):
        try:
            found = evaluate(ask(model, gpu, options | plan), Answer)
        except UsageError:
            continue
        if found.memory.fits:
            return found
    return None


def _node_size(model: ModelLike, gpu: GPULike | None, options: dict[str, Any]) -> int:
    try:
        fabric = ask(model, gpu, options | {"pp": 2}).spread.fabric
    except UsageError:
        return 1
    return fabric.node if fabric is not None else 1


def _plans(node: int) -> Iterator[dict[str, Any]]:
    """Plans in the order of their number of GPUs: parts of a node, a node, then several."""
    yield from ({"tp": size} for size in range(2, node + 1))
    yield from ({"tp": node, "pp": stages} for stages in range(2, _NODES + 1))
