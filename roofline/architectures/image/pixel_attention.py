"""Plain attention of the pixels of a plane to each other, as autoencoders and unconditional UNets have it.

Source: diffusers 0.42.1, Attention with a group norm and biases, AttnProcessor2_0 in attention_processor.py.
"""

from __future__ import annotations

from roofline.architectures.image.blocks import Features, more_than_one
from roofline.num import Num
from roofline.workload.constructors_image import Block
from roofline.workload.op import Op


def pixel_attention_ops(block: Block, source: Features, heads: float, groups: float | None, held: Num) -> list[Op]:
    """Norm (in `groups`, or none), queries, keys and values with biases, attention, output, plus the input.

    x [b, c, h, w] -> [b, c, h, w].
    """
    (plane, channels), x = source, source.elements
    beside, rows, three = held + 2.0 * x, plane.pixels, block.times(3.0)
    area, dim = plane.area, channels / heads
    norm = [] if groups is None else [block.group_norm("attention.norm", plane, channels, groups, live=held + x)]
    return [
        *norm,
        three.copies("attention.copy", more_than_one(plane.batch), x, live=beside + 2.0 * x),
        three.linear("attention.qkv", rows, channels, channels, bias=False, live=beside + 2.0 * x),
        three.field("attention.bias", "arithmetic", x, x, weights=channels, live=beside + 3.0 * x),
        block.attention("attention", plane.batch, heads, area, area, dim, wide_softmax=True, live=beside + x),
        block.linear("attention.to_out", rows, channels, channels, live=beside + 4.0 * x),
        block.field("attention.residual", "arithmetic", 2.0 * x, x, live=held + 5.0 * x),
        block.field("attention.rescale", "arithmetic", x, x, live=beside + 4.0 * x),
    ]
