"""Types of tensors in a GGUF file: how many elements stand in a block, and how many bytes it takes.

Source: block structs of ggml (ggml-org/llama.cpp, ggml/src/ggml-common.h) and the table GGML_QUANT_SIZES of its Python
library `gguf` 0.19; q2_0 from ggml-common.h alone, which the library does not know yet.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class TensorType(NamedTuple):
    """A type of tensor: the number that stands for it in a file, elements and bytes of a block."""

    name: str
    number: int
    elements: int
    size: int

    @property
    def bits(self) -> float:
        """Bits per element, scales included."""
        return 8 * self.size / self.elements


_ROWS: Final = (
    ("fp32", 0, 1, 4),
    ("fp16", 1, 1, 2),
    ("q4_0", 2, 32, 18),
    ("q4_1", 3, 32, 20),
    ("q5_0", 6, 32, 22),
    ("q5_1", 7, 32, 24),
    ("q8_0", 8, 32, 34),
    ("q8_1", 9, 32, 40),
    ("q2_k", 10, 256, 84),
    ("q3_k", 11, 256, 110),
    ("q4_k", 12, 256, 144),
    ("q5_k", 13, 256, 176),
    ("q6_k", 14, 256, 210),
    ("q8_k", 15, 256, 292),
    ("iq2_xxs", 16, 256, 66),
    ("iq2_xs", 17, 256, 74),
    ("iq3_xxs", 18, 256, 98),
    ("iq1_s", 19, 256, 50),
    ("iq4_nl", 20, 32, 18),
    ("iq3_s", 21, 256, 110),
    ("iq2_s", 22, 256, 82),
    ("iq4_xs", 23, 256, 136),
    ("int8", 24, 1, 1),
    ("int16", 25, 1, 2),
    ("int32", 26, 1, 4),
    ("int64", 27, 1, 8),
    ("fp64", 28, 1, 8),
    ("iq1_m", 29, 256, 56),
    ("bf16", 30, 1, 2),
    ("tq1_0", 34, 256, 54),
    ("tq2_0", 35, 256, 66),
    ("mxfp4", 39, 32, 17),
    ("nvfp4", 40, 64, 36),
    ("q1_0", 41, 128, 18),
    ("q2_0", 42, 64, 18),
)
#: Types by the number that a file gives them.
TENSOR_TYPES: Final = {row[1]: TensorType(*row) for row in _ROWS}
#: Types by name.
BY_NAME: Final = {row.name: row for row in TENSOR_TYPES.values()}
#: Types that a quantiser writes for weights, with what stands in a block beside the weights.
QUANTISED: Final = {
    "q1_0": "128 x 1 bit and an fp16 scale",
    "q2_0": "64 x 2 bit and an fp16 scale",
    "q4_0": "32 x 4 bit and an fp16 scale",
    "q4_1": "32 x 4 bit, fp16 scale and minimum",
    "q5_0": "32 x 5 bit and an fp16 scale",
    "q5_1": "32 x 5 bit, fp16 scale and minimum",
    "q8_0": "32 x 8 bit and an fp16 scale",
    "iq4_nl": "32 x 4 bit into a table, and an fp16 scale",
    **{
        name: f"256-weight super-block, {BY_NAME[name].size} bytes"
        for name in ("q2_k", "q3_k", "q4_k", "q5_k", "q6_k", "iq1_s", "iq1_m", "iq2_xxs", "iq2_xs", "iq2_s")
    },
    **{
        name: f"256-weight super-block, {BY_NAME[name].size} bytes"
        for name in ("iq3_xxs", "iq3_s", "iq4_xs", "tq1_0", "tq2_0")
    },
}
_SMALLER: Final = {
    **dict.fromkeys(("iq1_s", "iq1_m", "iq2_xxs", "iq2_xs", "iq2_s", "iq3_xxs", "iq3_s", "iq4_xs"), "iq4_nl"),
    **dict.fromkeys(("q2_0", "q2_k", "q3_k", "tq1_0", "tq2_0"), "q4_0"),
    "q4_k": "q5_0",
    "q5_k": "q5_1",
    "q6_k": "q8_0",
}


def fallback(name: str, row: float) -> str:
    """The type that takes a matrix with rows of `row` elements: `name`, or one with smaller blocks that divide them.

    Source: llama.cpp, src/llama-quant.cpp, `tensor_type_fallback`.
    """
    if name not in QUANTISED or not row % BY_NAME[name].elements:
        return name
    smaller = _SMALLER.get(name, "fp16")
    return "fp16" if row % BY_NAME[smaller].elements else smaller
