"""Which units multiply a matrix: the one place that decides it, from formats, chip and engine.

Narrow weights are multiplied in one of two ways. *Quantised*: the other operand is made as narrow before the product
(W8A8, W4A4, W4A8), and units for that format multiply both. *Widened*: weights alone are narrow, and are made as wide
as the activations, at whose rate units then multiply (W8A16, W4A16). Which of the two is, in this order, what was asked
(`--activations`, a checkpoint's own format of activations), what the format's name says (`fp8-a16`), what the engine
does (`widens`, `blocks`), and the habit of the format. Either is possible only where the chip has the units.

Habits and their sources:

fp8, mxfp8     quantised, scales worked out as it runs: docs.vllm.ai, FP8 W8A8 (Ada, Hopper, Blackwell, MI300; on
               Turing and Ampere weight-only, by Marlin: vllm-project/vllm#5975); so are TensorRT-LLM's FP8 recipes
nvfp4, fp4     quantised to fp4: ModelOpt's NVFP4 quantises inputs too; without fp4 units weight-only, by Marlin
mxfp4          against mxfp8 on chips with fp4 units, at the rate of fp8, the wider operand's (PTX, tcgen05.mma
               kind::mxf8f6f4); else widened: so gpt-oss runs on Hopper (of ai-dynamo/aiconfigurator's kernels those on
               Hopper are w4a16_mxfp4, those on Blackwell w4a8_mxfp4_mxfp8). `mxfp4-a4` has both in fp4
int1 to int8   widened: GPTQ and AWQ by Marlin or ExLlama, torchao's weight-only integers. W8A8 (SmoothQuant) and W4A8
               (QServe) say so in the format of their activations: `--activations int8`, or `input_activations` of
               compressed-tensors
SVDQuant       both operands in 4 bit (arXiv:2411.05007): int4 or fp4 units
tables, means  (nf4, EXL2, HQQ, MLX, ternary): widened
GGUF           widened, unless the engine multiplies its blocks in another format
diffusers      fp8 is a way to store (`enable_layerwise_casting`: storage_dtype, compute_dtype), so that engines of
               pictures widen it
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from roofline.specs.formats.dtypes import DType

Way = Literal["as stored", "quantised", "widened"]

#: Formats that units multiply below 16 bits, and the bits of an operand.
NARROW: Final = {"fp8": 8, "int8": 8, "fp4": 4, "int4": 4}
_HALF: Final = "bf16"
_SIXTEEN: Final = 16


class Ways(NamedTuple):
    """What chooses how narrow weights are multiplied, beside the formats.

    asked   the format of the activations was asked for, or stands in the checkpoint
    widens  the engine widens fp8 and fp4 where nothing else is asked
    blocks  the format in which the engine, which reads GGUF alone, multiplies its blocks; empty: it widens them
    half    the format of 16 bit to which it widens, where activations have 16 bits and none was asked; empty: theirs
    units   narrow formats that the chip has units for; None: not looked at, taken as all
    """

    asked: bool = False
    widens: bool = False
    blocks: str = ""
    half: str = ""
    units: frozenset[str] | None = None

    def has(self, dtype: str) -> bool:
        """Whether the chip multiplies a format as it is."""
        return self.units is None or dtype not in NARROW or dtype in self.units


class Product(NamedTuple):
    """How a matrix is multiplied: in which format, in which way, and the units that were wanted and are not there."""

    dtype: str
    way: Way
    lacks: str = ""


def product_of(stored: DType, activations: DType, ways: Ways) -> Product:
    """How a matrix of weights is multiplied with activations."""
    wide = activations.bits >= _SIXTEEN
    if stored.bits >= _SIXTEEN:
        return Product(activations.compute if wide else stored.compute, "as stored")
    wanted = _wanted(stored, activations, ways)
    lacks = next((units for units in wanted if not ways.has(units)), "")
    if wanted and not lacks:
        return Product(wanted[-1], "quantised" if wanted[-1] in NARROW else "widened")
    return Product(_widened(activations, ways), "widened", lacks)


def _widened(activations: DType, ways: Ways) -> str:
    if activations.bits < _SIXTEEN:
        return _HALF
    return ways.half if ways.half and activations.bits == _SIXTEEN and not ways.asked else activations.compute


def _wanted(stored: DType, activations: DType, ways: Ways) -> tuple[str, ...]:
    """The units that a product wants, that which multiplies last; none where the weights are widened by choice."""
    if activations.bits < _SIXTEEN:
        return (_wider(stored.compute, activations.compute),)
    if activations.bits > _SIXTEEN:
        return ()
    if stored.beside:
        return (stored.compute,) if stored.beside < _SIXTEEN else ()
    if ways.blocks and not ways.asked:  # units for 4-bit floats are worth another kernel where there are some
        return ("fp4",) if stored.compute == "fp4" and ways.units is not None and ways.has("fp4") else (ways.blocks,)
    if stored.compute not in NARROW or stored.compute == "int8" or ways.asked or ways.widens:
        return ()
    return (stored.compute, stored.against) if stored.against else (stored.compute,)


def _wider(stored: str, activations: str) -> str:
    """The format in which operands of two narrow ones are multiplied: that with more bits."""
    return stored if NARROW.get(stored, 0) > NARROW.get(activations, 0) else activations
