"""What a file may say about positions: how the order of tokens enters a transformer."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from roofline.specs.base import Size, Spec


class Disentangled(Spec):
    """Attention between contents and distances (DeBERTa): a table of 2 `span` distances, which every layer projects.

    `keys`: queries attend to projected distances; `queries`: keys to distances projected as queries. `shared`: they are
    projected by the matrices of the tokens; else by their own, with a bias where `key_bias` says so (queries always
    have one). `norm`: the table is normed. `clipped`: only distances that a sequence has are projected.

    Source: He et al. 2020 (arXiv:2006.03654), 2021 (arXiv:2111.09543).
    """

    span: Size
    keys: bool = True
    queries: bool = True
    shared: bool = False
    key_bias: bool = True
    norm: bool = False
    clipped: bool = False


class Positions(Spec):
    """How positions enter the model.

    `rotary`: rotated into queries and keys, in the first `rotary_dim` elements of a head (by default all); `learned`:
    a table of `size` rows; `sinusoidal`: a fixed formula, of which a checkpoint may hold `size` rows; `relative`:
    distances projected in every layer (Transformer-XL); `bucketed`: a learned score per head for each of `buckets` of
    distances (T5), which layers share or have `per_layer`; `alibi`: a slope per head. Learned positions may have
    `buckets` beside them (MPNet), and any kind `disentangled` distances.
    """

    kind: Literal["rotary", "learned", "sinusoidal", "relative", "bucketed", "alibi", "none"]
    size: Size | None = None
    buckets: Size | None = None
    per_layer: bool = False
    rotary_dim: Size | None = None
    disentangled: Disentangled | None = None

    @model_validator(mode="after")
    def _learned_has_a_size(self) -> Positions:
        if self.size is not None and self.kind not in ("learned", "sinusoidal"):
            raise PydanticCustomError("positions", "size goes with kind: learned or sinusoidal, and only with them")
        if self.kind == "learned" and self.size is None:
            raise PydanticCustomError("positions", "size goes with kind: learned, and is missing")
        if self.buckets is not None and self.kind not in ("bucketed", "learned"):
            raise PydanticCustomError("positions", "buckets go with kind: bucketed or learned, and only with them")
        if self.kind == "bucketed" and self.buckets is None:
            raise PydanticCustomError("positions", "buckets go with kind: bucketed, and are missing")
        if self.per_layer and self.buckets is None:
            raise PydanticCustomError("positions", "per_layer: there are no buckets that layers could have")
        return self
