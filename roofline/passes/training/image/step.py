"""A traced forward pass to a training step: forward, what checkpoints repeat, backward, what is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple, TypeAlias

from roofline.passes.training.adapters import Adapters
from roofline.passes.training.flow import Flow
from roofline.passes.training.gradients import Accumulated, backward_ops
from roofline.passes.training.image.adapters import USUAL, beside, check_targets
from roofline.passes.training.image.kept import kept_of
from roofline.passes.training.image.recompute import recomputed
from roofline.passes.training.image.trace import Tracer
from roofline.passes.training.image.unrolled import Program
from roofline.passes.training.kept.storage import Kept
from roofline.workload.op import Op
from roofline.workload.workload import Phase

_NARROW: Final = Accumulated()
Recompute: TypeAlias = Literal["none", "full"]


class ImageTraining(NamedTuple):
    """One pass of one device over its pictures, before any optimizer.

    forward     ops of what is trained, and of what stands behind it; adapters included
    recomputed  ops that checkpoints run once more
    backward    ops of the gradients
    frozen      phases without gradients: encoders of pictures and texts
    kept        what autograd keeps from the forward for the backward pass; the loss is not among it
    loss        what the loss keeps
    trainable   parameters that are trained
    flows       the ops of the forward pass with the gradients that they need
    """

    forward: tuple[Op, ...]
    recomputed: tuple[Op, ...]
    backward: tuple[Op, ...]
    frozen: tuple[Phase, ...]
    kept: tuple[Kept, ...]
    loss: tuple[Kept, ...]
    trainable: float
    flows: tuple[Flow, ...]


def tracer_of(program: Program, adapters: Adapters | None) -> Tracer:
    """Who traces a program: all its weights are trained, or adapters in their place.

    Raises UsageError for adapters that go beside nothing.
    """
    if adapters is None:
        return Tracer(lambda piece: True)
    given = adapters
    check_targets(program, given.targets or USUAL)
    return Tracer(lambda piece: False, lambda tracer, piece, value, count: beside(given, tracer, piece, value, count))


def step_of(
    tracer: Tracer,
    recompute: Recompute = "none",
    *,
    frozen: Sequence[Phase] = (),
    loss: Sequence[Kept] = (),
    accumulated: Accumulated = _NARROW,
) -> ImageTraining:
    """A step from what was traced."""
    flows = tuple(step.flow for step in tracer.steps)
    return ImageTraining(
        forward=tuple(flow.op for flow in flows),
        recomputed=recomputed(tracer) if recompute == "full" else (),
        backward=backward_ops(flows, accumulated),
        frozen=tuple(frozen),
        kept=kept_of(tracer, checkpointed=recompute == "full"),
        loss=tuple(loss),
        trainable=sum(flow.op.count * flow.op.params for flow in flows if flow.weights),
        flows=flows,
    )
