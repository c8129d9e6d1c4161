"""What frozen weights take below adapters (LoRA, QLoRA)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from roofline.runs.checks import one_of
from roofline.runs.training.formats import BASES
from roofline.specs.formats.dtypes import DType, find_dtype
from roofline.workload.storage.matrices import Matrix, matrix_bits
from roofline.workload.storage.tensors import Tensor

_HALF: Final = 2.0
_SIXTEEN: Final = 16.0
#: Names of bitsandbytes' formats as `roofline.specs.formats.dtypes` has them.
_NAMED: Final = {"nf4": "nf4-b64", "nf4-dq": "nf4-b64-dq", "fp4": "fp4-b64"}
_NARROWED: Final = ("matrix", "expert")


def base_format(base: str | None) -> DType:
    """The format of frozen matrices: bf16 where nothing is said. Raises UsageError with the nearest.

    int8 has a scale in fp32 per row (LLM.int8: bitsandbytes' `SCB`).
    """
    name = one_of("base", (base or "bf16").lower(), BASES)
    found = find_dtype(_NAMED.get(name, name))
    return found._replace(channel_bits=32.0) if name == "int8" else found


def frozen_bytes(tensors: Iterable[Tensor], base: str | None = None) -> float:
    """Bytes of frozen weights: matrices of layers in the format of the base, with its scales.

    Where that is narrower than 16 bit, embeddings, head, routers, convolutions and vectors stay in 16 bit.

    Source: Dettmers et al. 2023, QLoRA (arXiv:2305.14314), section 3: 4.5 bit with a scale in fp32 per 64, 4.127 bit
    with these in 8 bit; transformers leaves the head out (`llm_int8_skip_modules`).
    """
    dtype = base_format(base)
    return sum(tensor.elements * _each(tensor, dtype) for tensor in tensors)


def _each(tensor: Tensor, dtype: DType) -> float:
    if dtype.bits >= _SIXTEEN:
        return dtype.bits / 8.0
    if tensor.role not in _NARROWED or tensor.name == "router":
        return _HALF
    return matrix_bits(dtype, Matrix(tensor.columns, tensor.rows)) / 8.0


def unpacked_bytes(tensors: Iterable[Tensor], base: str | None = None) -> float:
    """Bytes of the largest matrix in 16 bit, to which a narrow base is widened for each product."""
    if base_format(base).bits >= _SIXTEEN:
        return 0.0
    return max((_HALF * tensor.each for tensor in tensors if tensor.role in _NARROWED), default=0.0)
