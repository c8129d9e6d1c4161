"""Recorded counts of training steps of image models, and the same from the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from roofline.analysis.training.image.training import image_training
from roofline.passes.training.adapters import Adapters
from roofline.passes.training.flow import Flow
from roofline.passes.training.gradients import gradient_ops
from roofline.passes.training.image.step import ImageTraining
from roofline.runs.load import load_model
from roofline.workload.op import Op
from roofline.workload.run import ImageRun
from roofline.workload.shapes import DenseAttentionShape

FACTS: Final[dict[str, Any]] = json.loads(Path(__file__).with_name("image.json").read_text("utf-8"))


def step(spec: Any, mode: str, batch: float, side: float) -> ImageTraining:
    """A step over latents of `side` × `side`; an autoencoder's is over its pictures."""
    size = side * float(spec.scale)
    return image_training(
        spec,
        ImageRun(batch=batch, height=size, width=size),
        part="vae" if "autoencoder" in spec.family else "denoiser",
        adapters=Adapters(16.0, ()) if mode == "lora" else None,
        recompute="full" if mode == "checkpointed" else "none",
    )


def named(model: str, mode: str, batch: float, side: float) -> ImageTraining:
    """A step of a bundled model."""
    return step(load_model(model), mode, batch, side)


def flops(ops: Iterable[Op]) -> float:
    """FLOPs of all executions."""
    return sum(float(op.count * op.flops) for op in ops)


def gradient_flops(flows: Iterable[Flow]) -> float:
    """FLOPs of a backward pass with attention as two products: each has one more per operand that needs a gradient."""
    return sum(map(_gradients, flows))


def _gradients(flow: Flow) -> float:
    op = flow.op
    if op.kind == "attention" and isinstance(op.shape, DenseAttentionShape):
        products = flow.inputs + flow.keys + (flow.inputs or flow.keys) + flow.values
        return float(op.count * op.flops) / 2.0 * products
    return flops(gradient_ops(flow))


def kept(done: ImageTraining) -> float:
    """Bytes that autograd keeps."""
    return sum(float(each.bytes) for each in done.kept)
