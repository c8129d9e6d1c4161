"""An image model's ops of one forward pass to a program, by its family."""

from __future__ import annotations

from collections.abc import Sequence

from roofline.errors import UnsupportedError
from roofline.passes.training.image.convolutional import block_programs
from roofline.passes.training.image.unroll import looped_program
from roofline.passes.training.image.unrolled import Program
from roofline.passes.training.image.wires.conditions import CONDITIONS
from roofline.passes.training.image.wires.convolutions import CONTROL, CONVOLUTIONS
from roofline.passes.training.image.wires.transformers import FLUX, JOINED, TABLED, TRANSFORMERS
from roofline.specs.image.parts import AutoencoderSpec, ImageSpec, UNetTrunk
from roofline.specs.image.plain import PlainUNetSpec, VQVAESpec
from roofline.specs.image.transformers import DiTSpec, FluxShape, MMDiTShape, PixArtSpec
from roofline.workload.op import Op

_LAYERS = ("transformer_blocks", "single_transformer_blocks")


def program_of(spec: ImageSpec, ops: Sequence[Op]) -> Program:
    """Raises UnsupportedError for a family whose training is not modelled."""
    if isinstance(spec, UNetTrunk):
        table = CONDITIONS | CONVOLUTIONS | CONTROL
        return block_programs(ops, table, _text_first(spec), checkpoints="layers")
    if isinstance(spec, (PlainUNetSpec, VQVAESpec)):
        return block_programs(ops, CONDITIONS | CONVOLUTIONS)
    if isinstance(spec, AutoencoderSpec):
        return block_programs(ops, CONDITIONS | CONVOLUTIONS | _PIXELS_IN, checkpoints="blocks")
    if isinstance(spec, (DiTSpec, PixArtSpec, MMDiTShape, FluxShape)):
        return _transformer(spec, ops)
    raise UnsupportedError(f"{spec.name}: training of this family of image models is not modelled")


#: An encoder reads pixels.
_PIXELS_IN = {"conv_in": "pixels > x"}


def _text_first(spec: UNetTrunk) -> tuple[str, ...]:
    """Blocks of transformer layers whose first attention reads the text too."""
    named = [(f"down_blocks.{index}", block) for index, block in enumerate(spec.down)]
    named += [(f"up_blocks.{index}", block) for index, block in enumerate(getattr(spec, "up", ()))]
    names = [name for name, block in named if block.only_cross]
    return (*names, "mid_block") if spec.mid is not None and spec.mid.only_cross else tuple(names)


def _transformer(spec: DiTSpec | PixArtSpec | MMDiTShape | FluxShape, ops: Sequence[Op]) -> Program:
    table = CONDITIONS | TRANSFORMERS
    begins = "norm1.silu"
    if isinstance(spec, DiTSpec):
        begins = "frequencies"
    elif isinstance(spec, PixArtSpec):
        table, begins = table | TABLED, "scales"
    elif isinstance(spec, FluxShape):
        table = table | FLUX
    else:
        table = table | JOINED
    return looped_program(ops, _LAYERS, begins, table)
