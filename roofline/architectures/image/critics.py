"""What judges an autoencoder's pictures while it is trained: a perceptual distance and a discriminator.

Sources: VGG16's convolutions, Simonyan and Zisserman 2014 (arXiv:1409.1556), table 1, column D; LPIPS, Zhang et al.
2018 (arXiv:1801.03924), equation 1, its code's networks of one 1×1 convolution per level; PatchGAN, Isola et al. 2017
(arXiv:1611.07004), as explainingai-code/StableDiffusion-PyTorch @f562b158 builds it, models/discriminator.py.
"""

from __future__ import annotations

from typing import Final

from roofline.num import Num, floor
from roofline.workload.constructors_image import STYLES, Block, Plane
from roofline.workload.op import Op
from roofline.workload.shapes import FieldShape

#: Widths and convolutions of VGG16's five levels; a maximum over 2×2 pixels stands between two levels.
VGG16: Final = ((64.0, 2), (128.0, 2), (256.0, 3), (512.0, 3), (512.0, 3))
#: Widths of the discriminator's convolutions of 4×4, all but the last of stride 2.
PATCH_GAN: Final = (64.0, 128.0, 256.0, 1.0)
_SIDE, _PAD, _COLOURS = 4.0, 1.0, 3.0


def features_ops(name: str, pixels: Plane) -> list[Op]:
    """VGG16's convolutions over pictures [b, 3, h, w], every level brought to unit length per pixel."""
    block, plane, before = Block(name), pixels, _COLOURS
    x = before * plane.pixels
    ops = [block.times(2.0).field("vgg.scale", "arithmetic", x, x)]
    for level, (width, layers) in enumerate(VGG16):
        if level:
            half = _halved(plane)
            ops.append(block.field("vgg.pool", "reduce", before * plane.pixels, before * half.pixels))
            plane = half
        n = width * plane.pixels
        for _ in range(layers):
            ops.append(block.convolution("vgg.conv", plane, plane, before, width))
            ops.append(block.field("vgg.relu", "relu", n, n))
            before = width
        ops.append(block.field(f"vgg.unit{level}", "arithmetic", n, n, kernels=5.0))
    return ops


def distance_ops(pixels: Plane) -> list[Op]:
    """The distance of two pictures' features, each level weighted by a 1×1 convolution without bias."""
    block, plane, ops = Block("lpips"), pixels, list[Op]()
    for level, (width, _) in enumerate(VGG16):
        plane = _halved(plane) if level else plane
        n = width * plane.pixels
        ops += [
            block.field(f"lpips.difference{level}", "arithmetic", 2.0 * n, n),
            block.field("lpips.square", "arithmetic", n, n),
            block.convolution("lpips.lin", plane, plane, width, 1.0, 1.0, bias=False),
            block.field("lpips.mean", "reduce", plane.pixels, plane.batch),
        ]
    return ops


def _halved(plane: Plane) -> Plane:
    return Plane(plane.batch, floor(plane.height / 2.0), floor(plane.width / 2.0))


def discriminator_ops(pixels: Plane, channels: float) -> list[Op]:
    """Pictures [b, c, h, w] to a judgement of every patch: convolutions with a norm over the batch between."""
    block, plane, before, ops = Block("discriminator"), pixels, channels, list[Op]()
    last = len(PATCH_GAN) - 1
    for index, width in enumerate(PATCH_GAN):
        stride = 1.0 if index == last else 2.0
        target = Plane(plane.batch, _strided(plane.height, stride), _strided(plane.width, stride))
        ops.append(block.convolution("critic.conv", plane, target, before, width, _SIDE, bias=index == 0))
        n = width * target.pixels
        if 0 < index < last:
            ops.append(_batch_norm(block, n, width))
        if index < last:
            ops.append(block.field("critic.leaky", "relu", n, n))
        plane, before = target, width
    return ops


def _strided(side: Num, stride: float) -> Num:
    return floor((side + 2.0 * _PAD - _SIDE) / stride) + 1.0


def _batch_norm(block: Block, elements: Num, width: float) -> Op:
    """A norm over the batch and the pixels of each channel; mean and deviation of each channel are written too."""
    own = 2.0 * width
    shape = FieldShape(elements, "group")
    vector = STYLES["group"] * elements
    return Op(
        "critic.norm",
        "norm",
        block.name,
        block.number,
        vector_flops=vector,
        params=own,
        active=own,
        weights=own,
        read=elements,
        write=elements + own,
        shape=shape,
    )
