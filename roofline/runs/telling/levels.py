"""The levels of execution by name, in the order in which they are compared, each with what it is in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

OF_TEXT: Final[Mapping[str, str]] = {
    "eager": "every kernel of the reference framework code; attention computes and stores the full square",
    "flash": "one kernel per operation; attention scores stay on chip and only the unmasked part is computed",
    "compiled": "element-wise operations fused with their neighbours; matrix products stay library calls",
}
OF_IMAGES: Final[Mapping[str, str]] = {
    "math": "attention on the framework's fallback path in fp32, its scores in memory",
    "classic": "kernels of diffusers run eagerly, attention with its scores in memory",
    "slice-auto": "kernels of diffusers run eagerly, attention for half of the heads at a time",
    "slice-max": "kernels of diffusers run eagerly, attention for one head at a time",
    "flash": "kernels of diffusers run eagerly, with fused attention, as an operator-level counter sees them",
    "cuda": "kernels of diffusers run eagerly, with the second read of group norms and the kernels that add biases",
    "compiled": "element-wise chains joined; convolutions, matrix products and attention stay library calls",
    "operands": "matrix products, convolutions and attention alone",
}
#: Levels that nothing runs at: what is left at best.
LIMITS: Final = ("operands",)
