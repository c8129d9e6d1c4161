"""A training step of an image model: forward, what a checkpoint repeats, backward, what is kept, what encodes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple, TypeAlias

from roofline.passes.training.adapters import Adapters
from roofline.passes.training.flow import Flow
from roofline.passes.training.gradients import Accumulated, backward_ops
from roofline.passes.training.image.adapters import USUAL, beside, check_targets
from roofline.passes.training.image.kept import Kept, kept_of
from roofline.passes.training.image.programs import program_of
from roofline.passes.training.image.recompute import recomputed
from roofline.passes.training.image.trace import Tracer
from roofline.specs.image.parts import ImageSpec, UNetSpec
from roofline.specs.image.plain import PlainUNetSpec
from roofline.specs.image.transformers import DenoiserSpec
from roofline.workload.op import Op
from roofline.workload.workload import Phase

Part: TypeAlias = Literal["denoiser", "vae", "controlnet"]
Recompute: TypeAlias = Literal["none", "full"]
_DENOISERS = (UNetSpec, PlainUNetSpec, DenoiserSpec)


class ImageTraining(NamedTuple):
    """One step on one device, before any optimizer.

    forward     ops with a gradient behind them or before them, adapters and frozen layers included
    recomputed  ops that checkpoints run once more
    backward    ops of the gradients
    frozen      phases without gradients: encoders of pictures and texts
    kept        what autograd keeps from the forward for the backward pass
    trainable   parameters that are trained
    flows       the ops of the forward pass with the gradients that they need
    """

    forward: tuple[Op, ...]
    recomputed: tuple[Op, ...]
    backward: tuple[Op, ...]
    frozen: tuple[Phase, ...]
    kept: tuple[Kept, ...]
    trainable: float
    flows: tuple[Flow, ...]


def traced(spec: ImageSpec, ops: list[Op], adapters: Adapters | None = None) -> Tracer:
    """The forward pass of one part, traced. Raises UsageError for adapters that go beside nothing."""
    program = program_of(spec, ops)
    if adapters is None:
        tracer = Tracer(lambda piece: True)
    else:
        given = adapters
        check_targets(program, given.targets or USUAL)
        tracer = Tracer(lambda piece: False, lambda t, piece, value, count: beside(given, t, piece, value, count))
    tracer.run(program)
    return tracer


def training_of(
    tracer: Tracer, recompute: Recompute, frozen: Iterable[Phase], accumulated: Accumulated
) -> ImageTraining:
    """A step from a traced forward pass."""
    flows = tuple(step.flow for step in tracer.steps)
    again = recomputed(tracer) if recompute == "full" else ()
    kept = kept_of(tracer, checkpointed=recompute == "full")
    trainable = sum(flow.op.count * flow.op.params for flow in flows if flow.weights)
    forward = tuple(flow.op for flow in flows)
    return ImageTraining(forward, again, backward_ops(flows, accumulated), tuple(frozen), kept, trainable, flows)
