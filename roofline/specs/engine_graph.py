"""What a file in `roofline/engines/` may say of an engine's graph: kernels of an op, and what passes between them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from roofline.specs.base import Spec, Texts

#: Kernels of one op.
Cut = Annotated[float, Field(ge=1, le=100)]
#: The format of matrix units in which weights narrower than 16 bit are multiplied.
Multiplied = Literal["int8", "fp16"]


class Graph(Spec):
    """Into how many kernels an engine cuts what is counted as one, and what its kernels leave in memory.

    `linear` is a product of weights of 16 bit or more, `narrow` one of narrower weights by few rows, `many` of either
    by more rows than `matvec`.
    """

    norm: Cut = 1.0
    pointwise: Cut = Field(1.0, description="mean over rotary embeddings, activations and residuals")
    linear: Cut = 1.0
    narrow: Cut = 1.0
    many: Cut = 1.0
    attention: Cut = 1.0
    experts: Cut = Field(1.0, description="routed experts: choosing, gathering, products, weighing and summing")
    scan: Cut = Field(1.0, description="recurrent layers: convolution, gates, recurrence")
    activations: Literal[16, 32] = Field(16, description="bits of what passes from kernel to kernel")
    scores: float = Field(
        0.0,
        ge=0,
        le=1000,
        description="bytes of memory traffic per score, of every query with every key, where attention runs in pieces; "
        "0: it is fused",
    )
    matvec: float = Field(0.0, ge=0, le=1e6, description="rows up to which products run in kernels of their own")
    again: float = Field(
        0.0,
        ge=0,
        le=1e6,
        description="rows of a product for each of which narrow weights are read again, where the last cache does not "
        "hold them; 0: they are read once",
    )
    dequantises: bool = Field(
        False, description="for more rows narrow weights are written out in 16 bit, and multiplied by a library"
    )
    sources: Annotated[Texts, Field(min_length=1)]
