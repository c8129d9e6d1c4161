"""The number formats of tables of measured kernels."""

from __future__ import annotations

from typing import Final

#: Bits of weights and of activations, and the peak that multiplies them.
MULTIPLIED: Final = {
    "bfloat16": (16.0, 16.0, "bf16"),
    "fp8": (8.0, 8.0, "fp8"),
    "fp8_block": (8.0, 8.0, "fp8"),
    "fp8_static": (8.0, 8.0, "fp8"),
    "nvfp4": (4.5, 4.5, "fp4"),
    "int8_wo": (8.0, 16.0, "bf16"),
    "int4_wo": (4.25, 16.0, "bf16"),
    "sq": (8.0, 8.0, "int8"),
    "w4a16_mxfp4": (4.25, 16.0, "bf16"),
    "w4a8_mxfp4_mxfp8": (4.25, 8.0, "fp8"),
}
#: Formats as the tables call them, and as the coefficients are filed.
FORMATS: Final = {
    "bfloat16": "bf16",
    "nvfp4": "fp4",
    "sq": "int8",
    "int8_wo": "int8-weights",
    "int4_wo": "int4-weights",
    "w4a16_mxfp4": "mxfp4-weights",
    "w4a8_mxfp4_mxfp8": "mxfp4-fp8",
    "half": "bf16",
}
