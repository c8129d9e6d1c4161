"""Exchanges of training beside those within a pass: gradients and weights between replicas.

    zero 0, 1, 2   once a step: the gradients are summed in parts and the weights, or their sums, handed to all
    zero 3         in every micro-batch: weights are gathered for the forward pass and again for the backward pass, and
                   gradients summed in parts

Sources: Rajbhandari et al. 2020, ZeRO (arXiv:1910.02054), section 7; Zhao et al. 2023, PyTorch FSDP (arXiv:2304.11277).
"""

from __future__ import annotations

from typing import NamedTuple

from roofline.workload.constructors_collective import Operation, collective
from roofline.workload.op import Op


class Shared(NamedTuple):
    """Weights that a group of devices holds alike.

    parameters   of one device, before they are shared out
    devices      of the group; `stride` between neighbours
    gradient     elements of 16 bit that one element of a gradient is exchanged as: 2 for fp32
    trained      the share of them that has gradients
    """

    name: str
    parameters: float
    devices: int
    stride: int = 1
    gradient: float = 1.0
    trained: float = 1.0


def step_exchanges(shared: Shared, zero: int) -> list[Op]:
    """What replicas exchange once a step: sums of gradients in parts, then weights, or gradients, to all.

    Of `zero` 3 nothing is left for the end of a step.
    """
    if shared.devices == 1 or zero == 3 or not shared.parameters * shared.trained:
        return []
    back = shared.gradient if zero == 0 else 1.0
    return [
        _exchange(shared, "reduce_scatter", shared.gradient * shared.trained, "gradients"),
        _exchange(shared, "all_gather", back * shared.trained, "gradients" if zero == 0 else "weights"),
    ]


def gathered(shared: Shared, which: str) -> list[Op]:
    """What is gathered for one pass of a micro-batch where weights are shared out."""
    return [_exchange(shared, "all_gather", 1.0, which)] if shared.devices > 1 else []


def scattered(shared: Shared) -> list[Op]:
    """The gradients that a micro-batch leaves, summed in parts."""
    if shared.devices == 1 or not shared.trained:
        return []
    return [_exchange(shared, "reduce_scatter", shared.gradient * shared.trained, "gradients")]


def _exchange(shared: Shared, operation: Operation, elements: float, what: str) -> Op:
    name, devices, stride = f"{shared.name}.{what}.{operation}", float(shared.devices), float(shared.stride)
    return collective(name, "exchange", operation, shared.parameters * elements, devices, stride=stride)
