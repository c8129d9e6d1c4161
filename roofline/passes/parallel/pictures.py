"""Image transformers over several devices: each has a share of the tokens, and of the heads while attention runs.

Around every attention queries, keys and values are sent from devices that have some tokens of all heads to devices that
have all tokens of some heads, and the output is sent back: four all-to-alls. Weights are on every device. What has one
row per picture (the time step, modulations) is computed on every device; text encoders and autoencoder run on one.

Source: Jacobs et al. 2023, DeepSpeed Ulysses (arXiv:2309.14509); Fang et al. 2024, xDiT (arXiv:2411.01738).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from roofline.errors import UsageError
from roofline.num import Num, all_hold
from roofline.passes.parallel.shares import over_fewer_tokens
from roofline.workload.constructors_collective import collective
from roofline.workload.op import Op
from roofline.workload.shapes import ConvolutionShape, DenseAttentionShape, FieldShape, MatmulShape, Shape
from roofline.workload.workload import Phase, Workload

#: Rows per picture below which an op is taken to work on pictures, not on tokens.
_FEW: Final = 8.0


def split_pictures(workload: Workload, devices: int, batch: Num) -> Workload:
    """The workload of the first device, its denoiser split over `devices`. Raises UsageError where it cannot be."""
    if devices == 1:
        return workload
    phases = [_split(phase, devices, batch) if phase.name == "denoise" else phase for phase in workload.phases]
    return Workload(tuple(phases))


def _split(phase: Phase, devices: int, batch: Num) -> Phase:
    ops: list[Op] = []
    for op in phase.ops:
        shape = op.shape
        if isinstance(shape, ConvolutionShape) and shape.kernel > 1:
            raise UsageError(
                f"--cp {devices} splits tokens, and {op.name} is a convolution over the whole picture; use --dp for "
                "this model"
            )
        if isinstance(shape, DenseAttentionShape):
            ops += _attention(op, shape, devices)
        else:
            ops.append(_share(op, float(devices), batch))
    return replace(phase, ops=tuple(ops), boundary=phase.boundary / devices)


def _attention(op: Op, shape: DenseAttentionShape, devices: int) -> list[Op]:
    if shape.heads % devices:
        raise UsageError(f"--cp {devices} does not divide the {shape.heads:.0f} heads of {op.block}")
    width, n = shape.batch * shape.heads * shape.dim, float(devices)

    def send(name: str, rows: Num) -> Op:
        sent, live = width * rows / n, op.live / n
        return collective(f"{op.name}.{name}", op.block, "all_to_all", sent, n, count=op.count, live=live)

    own = over_fewer_tokens(op, n, shape._replace(heads=shape.heads / n))
    before = [send("queries", shape.queries), send("keys", shape.keys), send("values", shape.keys)]
    return [*before, own, send("output", shape.queries)]


def _share(op: Op, n: float, batch: Num) -> Op:
    """An op on the tokens of one device; whole where it has a few rows per picture."""
    shape: Shape | None = op.shape
    if isinstance(shape, MatmulShape):
        if all_hold(shape.m <= _FEW * batch):
            return op
        shape = shape._replace(m=shape.m / n)
    elif isinstance(shape, FieldShape):
        shape = shape._replace(elements=shape.elements / n)
    return over_fewer_tokens(op, n, shape)
