"""The way of a ControlNet's picture, in pixels, to the size of the latents.

Source: diffusers 0.42.1, ControlNetConditioningEmbedding in controlnet.py.
"""

from __future__ import annotations

from itertools import pairwise

from roofline.num import Num
from roofline.workload.constructors_image import Block, Plane
from roofline.workload.op import Op


def hint_ops(block: Block, widths: tuple[float, ...], ends: tuple[float, float], plane: Plane, held: Num) -> list[Op]:
    """A picture [b, c, h, w] through convolutions, every second of stride 2; `ends`: channels of picture and output."""
    ops = [
        block.convolution("hint.conv_in", plane, plane, ends[0], widths[0], live=held),
        _silu(block, plane, widths[0], held),
    ]
    for before, after in pairwise(widths):
        ops.append(block.convolution("hint.conv", plane, plane, before, before, live=held))
        ops.append(_silu(block, plane, before, held))
        smaller = plane.halved()
        ops.append(block.convolution("hint.down", plane, smaller, before, after, live=held))
        ops.append(_silu(block, smaller, after, held))
        plane = smaller
    return [*ops, block.convolution("hint.conv_out", plane, plane, widths[-1], ends[1], live=held)]


def _silu(block: Block, plane: Plane, channels: float, held: Num) -> Op:
    x = channels * plane.pixels
    return block.field("hint.silu", "silu", x, x, live=held)
