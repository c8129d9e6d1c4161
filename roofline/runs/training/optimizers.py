"""What optimizers keep between steps, tensor by tensor."""

from __future__ import annotations

import math
from typing import Final, Literal, NamedTuple

from roofline.runs.checks import one_of
from roofline.workload.storage.tensors import INNER, Tensor

#: Elements of a block with a scale of its own, in fp32, of states in 8 bit.
BLOCK: Final = 256
#: Elements below which a tensor's states are not narrowed.
SMALL: Final = 4096
_SCALE: Final = 4.0
_WIDE: Final = 4.0


class Optimizer(NamedTuple):
    """What an optimizer keeps of a tensor.

    moments    running means as large as the tensor, of matrices within the layers; `others` those of all else
    bits       of an element: 0 as wide as the recipe's moments, 16 or 8 whatever these are
    factored   one moment more, of squares, as a mean per row and one per column
    flops      vector FLOPs of a step, per parameter
    orthogonal  whether momenta of the layers' matrices are made orthogonal, by products of matrices
    """

    name: str
    moments: float
    others: float
    bits: int = 0
    factored: bool = False
    flops: float = 14.0
    source: str = ""
    orthogonal: bool = False


def _alike(name: str, moments: float, source: str, bits: int = 0, flops: float = 14.0) -> Optimizer:
    return Optimizer(name, moments, moments, bits, flops=flops, source=source)


_ROWS: Final = (
    _alike("adamw", 2.0, "Kingma and Ba 2014 (arXiv:1412.6980); Loshchilov and Hutter 2017 (arXiv:1711.05101)"),
    _alike(
        "adamw-8bit",
        2.0,
        "Dettmers et al. 2021 (arXiv:2110.02861); bitsandbytes: blocks of 256 with a scale in fp32, min_8bit_size 4096",
        bits=8,
        flops=20.0,
    ),
    _alike("adamw-bf16", 2.0, "DeepSeek-V3 (arXiv:2412.19437), section 3.3.3: both moments in bf16", bits=16),
    Optimizer(
        "adafactor", 0.0, 0.0, factored=True, flops=16.0, source="Shazeer and Stern 2018 (arXiv:1804.04235), section 3"
    ),
    Optimizer(
        "adafactor-momentum", 1.0, 1.0, factored=True, flops=18.0, source="the same with a first moment (section 2)"
    ),
    Optimizer(
        "muon",
        1.0,
        2.0,
        source="Jordan 2024, Muon: momentum for matrices of hidden layers; AdamW for embeddings, head and vectors",
        orthogonal=True,
    ),
    _alike("lion", 1.0, "Chen et al. 2023 (arXiv:2302.06675), algorithm 2", flops=8.0),
    _alike("sgd", 0.0, "", flops=2.0),
    _alike("sgd-momentum", 1.0, "Sutskever et al. 2013", flops=4.0),
)
OPTIMIZERS: Final[dict[str, Optimizer]] = {row.name: row for row in _ROWS}
_ALIASES: Final[dict[str, str]] = {
    "adam": "adamw",
    "adam-8bit": "adamw-8bit",
    "paged-adamw-8bit": "adamw-8bit",
    "momentum": "sgd-momentum",
}


def optimizer_of(name: str) -> Optimizer:
    """The optimizer of that name. Raises UsageError with the nearest."""
    key = name.strip().lower().replace("_", "-")
    return OPTIMIZERS[_ALIASES.get(key) or one_of("optimizer", key, OPTIMIZERS)]


def typical(optimizer: Optimizer, moment: float) -> float:
    """Bytes per parameter of a large matrix, whose rows and columns count for nothing; `moment`: of an element."""
    if optimizer.bits == 8:
        return optimizer.moments * (1.0 + _SCALE / BLOCK)
    return optimizer.moments * (optimizer.bits / 8.0 or moment)


def state_bytes(optimizer: Optimizer, tensor: Tensor, moment: float, wide: Literal["none", "embeddings"]) -> float:
    """Bytes that an optimizer keeps of all tensors of a kind, on one device that shares nothing.

    `moment` are the bytes of an element of a moment where the optimizer does not say; `wide`: which tensors an
    optimizer of 8 bit keeps in fp32, beside small ones.
    """
    moments = optimizer.moments if tensor.role in INNER else optimizer.others
    each = optimizer.bits / 8.0 or moment
    if optimizer.bits == 8:
        return tensor.count * moments * _narrow(tensor, wide)
    squares = tensor.factored if optimizer.factored else 0.0
    return tensor.count * each * (moments * tensor.each + squares)


def _narrow(tensor: Tensor, wide: str) -> float:
    """Bytes of one moment in 8 bit, with the scales of its blocks."""
    if tensor.each < SMALL or (wide == "embeddings" and tensor.role == "embedding"):
        return _WIDE * tensor.each
    return tensor.each + _SCALE * math.ceil(tensor.each / BLOCK)
