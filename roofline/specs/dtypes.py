"""Number formats: how many bits one element takes in memory, scales included, and which peak multiplies it.

The one place to add a precision: a row here, and a `peak` line on the hardware that accelerates it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from roofline.errors import UnknownNameError


@dataclass(frozen=True, slots=True)
class DType:
    """A number format.

    `bits` is what one element takes in memory with its share of the group's scales. `compute` is the format whose peak
    multiplies it: a weight-only format is widened before the multiplication, so it computes in 16 bit. `layout` says
    what the bits are, for people.
    """

    name: str
    bits: float
    compute: str
    layout: str

    @property
    def bytes(self) -> float:
        """Bytes per element."""
        return self.bits / 8


def _rows() -> dict[str, DType]:
    half = "bf16"
    rows = [
        DType("fp64", 64, "fp64", "IEEE double"),
        DType("fp32", 32, "fp32", "IEEE single"),
        DType("tf32", 32, "tf32", "stored as fp32, multiplied with 10 bits of mantissa"),
        DType("fp16", 16, "fp16", "IEEE half"),
        DType("bf16", 16, "bf16", "bfloat16"),
        DType("fp8", 8, "fp8", "e4m3, one scale per tensor"),
        DType("fp8_e5m2", 8, "fp8", "e5m2, one scale per tensor"),
        DType("int8", 8, "int8", "one scale per channel, not counted"),
        DType("int4", 4, half, "weight-only, one scale per channel, not counted"),
        DType("int4-g128", 4 + 32 / 128, half, "weight-only, fp16 scale and fp16 zero point per 128"),
        DType("int4-g64", 4 + 32 / 64, half, "weight-only, fp16 scale and fp16 zero point per 64"),
        DType("int4-g32", 4 + 32 / 32, half, "weight-only, fp16 scale and fp16 zero point per 32"),
        DType("fp4", 4, "fp4", "e2m1 without scales"),
        DType("nvfp4", 4 + 8 / 16, "fp4", "e2m1 with an fp8 scale per 16"),
        DType("mxfp4", 4 + 8 / 32, "fp4", "e2m1 with an 8-bit exponent per 32"),
        DType("mxfp8", 8 + 8 / 32, "fp8", "e4m3 with an 8-bit exponent per 32"),
        DType("q4_0", 4.5, half, "GGUF: 32 x 4 bit and an fp16 scale"),
        DType("q4_1", 5.0, half, "GGUF: 32 x 4 bit, fp16 scale and minimum"),
        DType("q5_0", 5.5, half, "GGUF: 32 x 5 bit and an fp16 scale"),
        DType("q5_1", 6.0, half, "GGUF: 32 x 5 bit, fp16 scale and minimum"),
        DType("q8_0", 8.5, half, "GGUF: 32 x 8 bit and an fp16 scale"),
        DType("q2_k", 2.625, half, "GGUF: 256-weight super-block, 84 bytes"),
        DType("q3_k", 3.4375, half, "GGUF: 256-weight super-block, 110 bytes"),
        DType("q4_k", 4.5, half, "GGUF: 256-weight super-block, 144 bytes"),
        DType("q5_k", 5.5, half, "GGUF: 256-weight super-block, 176 bytes"),
        DType("q6_k", 6.5625, half, "GGUF: 256-weight super-block, 210 bytes"),
    ]
    return {row.name: row for row in rows}


DTYPES: Final[dict[str, DType]] = _rows()

ALIASES: Final[dict[str, str]] = {
    "float64": "fp64", "double": "fp64", "float32": "fp32", "float": "fp32", "f32": "fp32",
    "float16": "fp16", "half": "fp16", "f16": "fp16", "bfloat16": "bf16",
    "fp8_e4m3": "fp8", "float8_e4m3fn": "fp8", "e4m3": "fp8", "e5m2": "fp8_e5m2", "float8_e5m2": "fp8_e5m2",
    "i8": "int8", "i4": "int4", "int4_g128": "int4-g128", "int4_g64": "int4-g64", "int4_g32": "int4-g32",
}  # fmt: skip


def find_dtype(name: str) -> DType:
    """The number format of that name or alias. Raises UnknownNameError with the nearest names."""
    key = name.strip().lower()
    key = ALIASES.get(key, key)
    if key not in DTYPES:
        raise UnknownNameError("precision", name, [*DTYPES, *ALIASES], "roofline list precisions")
    return DTYPES[key]
