"""The states of a training run on one device, to the byte: weights, gradients, master copy, moments, copies.

What replicas share out: ZeRO 1 master copy and moments, 2 gradients too, 3 weights too. Weights that FSDP holds as
shards are shards from stage 2 on, where they stay gathered between the passes (SHARD_GRAD_OP).

Sources: Rajbhandari et al. 2020, ZeRO (arXiv:1910.02054), section 5; Zhao et al. 2023, PyTorch FSDP
(arXiv:2304.11277), sections 3.2 and 4.2: shards of some devices, replicas of these (HSDP).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from roofline.runs.training.optimizers import state_bytes
from roofline.runs.training.recipes import Recipe
from roofline.workload.plan import Plan
from roofline.workload.storage.tensors import INNER, Tensor

#: Stages from which on each part is shared out.
OPTIMIZER, GRADIENTS, WEIGHTS = 1, 2, 3
#: Roles of weights that products take: cast to their format where weights are wider. Narrow ones leave the head out.
_PRODUCTS: Final = (*INNER, "head")


class Sharing(NamedTuple):
    """Who shares states out.

    zero      0 nobody, 1 to 3 as ZeRO
    devices   that hold the same weights: replicas, and those that share a sequence; of HSDP those of a group
    experts   that hold the same experts
    whole     gradients are summed up on each device before they are shared out (FSDP's `no_sync`)
    by_rows   a device has whole rows of each tensor, the first ones one more (FSDP2); else an exact share
    """

    zero: int = 0
    devices: int = 1
    experts: int = 1
    whole: bool = False
    by_rows: bool = False

    @classmethod
    def of(
        cls, plan: Plan, zero: int, group: int | None = None, *, whole: bool = False, by_rows: bool = False
    ) -> Sharing:
        """Of a plan; `group`: so many devices share, and as many such groups as there are do alike (HSDP).

        Experts are laid over tp, cp and dp: over tp alone, each device of a group of tensors has a part of them, and
        their replicas are those of all other weights.
        """
        devices, experts = plan.dp * plan.cp, plan.tp * plan.cp * plan.dp // max(plan.tp, plan.ep)
        if group is not None:
            devices, experts = min(group, devices), min(group, experts)
        return cls(zero, devices, experts, whole)

    def over(self, tensor: Tensor) -> int:
        """How many devices hold the same."""
        return self.experts if tensor.role == "expert" else self.devices

    def share(self, tensor: Tensor) -> float:
        """The share of a tensor on the device that has most of it."""
        devices = self.over(tensor)
        return math.ceil(tensor.rows / devices) / tensor.rows if self.by_rows else 1.0 / devices


#: One device, which shares nothing.
ALONE: Final = Sharing()


class States(NamedTuple):
    """Bytes on one device.

    `copies` are there while a micro-batch is under way, `step` while the optimizer runs, never both.
    """

    weights: float = 0.0
    gradients: float = 0.0
    master: float = 0.0
    optimizer: float = 0.0
    copies: float = 0.0
    ema: float = 0.0
    step: float = 0.0

    @property
    def total(self) -> float:
        """What is there between steps, and the gradients."""
        return self.weights + self.gradients + self.master + self.optimizer + self.ema

    def plus(self, other: States) -> States:
        """Of two sets of weights together."""
        return States(*(a + b for a, b in zip(self, other, strict=True)))


def states_of(
    tensors: Iterable[Tensor], recipe: Recipe, sharing: Sharing = ALONE, *, in_backward: bool = False
) -> States:
    """The states of trained tensors, those of one device before replicas share them out.

    `in_backward`: each tensor is updated as soon as its gradient is there, which is then freed; of gradients, only the
    largest tensor's is ever held.
    """
    found, largest = States(), 0.0
    for tensor in tensors:
        own = _of(tensor, recipe, sharing)
        found = found.plus(own)
        largest = max(largest, own.gradients / max(tensor.count, 1.0))
    return found._replace(gradients=largest) if in_backward else found


def _of(tensor: Tensor, recipe: Recipe, sharing: Sharing) -> States:
    number, share, zero = tensor.elements, sharing.share(tensor), sharing.zero
    shards = recipe.holding == "shards" and zero >= GRADIENTS and sharing.over(tensor) > 1
    narrowed = share if zero >= OPTIMIZER else 1.0
    gradients = share if zero >= GRADIENTS and not sharing.whole else 1.0
    moments = state_bytes(recipe.rule, tensor, recipe.moment, "embeddings" if recipe.wide_embeddings else "none")
    held = share if zero >= WEIGHTS or shards else 1.0
    return States(
        weights=number * recipe.weights * held,
        gradients=number * recipe.gradients * gradients,
        master=number * recipe.master * narrowed,
        optimizer=moments * narrowed,
        copies=_copies(tensor, recipe, sharing, shards=shards),
        ema=number * recipe.ema * held,
        step=number * recipe.step * narrowed,
    )


def _copies(tensor: Tensor, recipe: Recipe, sharing: Sharing, *, shards: bool) -> float:
    """Casted copies: of what is gathered layer by layer none is kept, of what stays gathered all."""
    if sharing.zero >= WEIGHTS:
        return 0.0
    if shards:
        return tensor.elements * recipe.compute
    roles = INNER if recipe.narrow else _PRODUCTS
    return tensor.elements * recipe.copies if tensor.role in roles else 0.0


def gathered_bytes(units: Sequence[float], recipe: Recipe, *, ahead: int = 1, reduced: float | None = None) -> float:
    """Bytes of weights that are gathered, and of a gradient before it is shared out, at the fullest moment of a pass.

    `units` are parameters that are gathered at once, in order: a table, layers, a head. `ahead` of them are fetched
    while one is at work. The gradient of one is there in the format of products and, where another, in that in which it
    is summed (`reduced` bytes an element).

    Source: Zhao et al. 2023, PyTorch FSDP (arXiv:2304.11277), sections 3.3.2 and 4.2.
    """
    gradient = recipe.compute + (reduced if reduced is not None and reduced != recipe.compute else 0.0)
    windows = (units[first : first + 1 + ahead] for first in range(max(1, len(units) - ahead)))
    return max((recipe.compute * sum(window) + gradient * max(window, default=0.0) for window in windows), default=0.0)
