"""The number formats of a training run: in which matrices are multiplied, and what frozen weights are stored as."""

from __future__ import annotations

from typing import Final

from roofline.passes.training.optimizer import ORTHOGONAL
from roofline.runs.checks import one_of
from roofline.workload.precision import Precision

#: By the name of a way to train: format of the matrices, and of what passes between kernels. Embeddings and head stay
#: in 16 bit where matrices are narrower, as Transformer Engine and torchtitan leave them.
MODES: Final[dict[str, tuple[str, str]]] = {
    "bf16": ("bf16", "bf16"),
    "bf16-pure": ("bf16", "bf16"),
    "fp16": ("fp16", "fp16"),
    "amp": ("bf16", "bf16"),
    "amp-fp16": ("fp16", "fp16"),
    "fp32": ("fp32", "fp32"),
    "tf32": ("tf32", "tf32"),
    "fp8": ("fp8", "bf16"),
    "mxfp8": ("mxfp8", "bf16"),
    "nvfp4": ("nvfp4", "bf16"),
    "mxfp4": ("mxfp4", "bf16"),
}
#: What frozen weights below adapters are stored as.
BASES: Final = ("bf16", "fp16", "fp32", "int8", "nf4", "nf4-dq", "fp8", "fp4")
_NARROW: Final = 16.0


def mode_of(asked: str) -> str:
    """The way to train of a name. Raises UsageError with the nearest."""
    return one_of("precision", asked.lower(), MODES)


def precision_of(mode: str, base: str | None = None) -> Precision:
    """The formats of a way to train. Raises UsageError for a base that no frozen weights are stored as."""
    matrices, between = MODES[mode]
    stored = one_of("base", base.lower(), BASES) if base else matrices
    if stored == "nf4-dq":
        stored = "nf4"
    plain = Precision.of(stored)
    if plain.weights.bits >= _NARROW:
        return Precision.of(stored, between if matrices == stored else None)
    return Precision.of(stored, overrides=dict.fromkeys(("head", "embedding", ORTHOGONAL), "bf16"))
