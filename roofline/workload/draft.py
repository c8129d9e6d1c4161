"""What drafts tokens beside a model: whose layers, in which formats, how many tokens a step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.precision import Precision

Method: TypeAlias = Literal["mtp", "eagle", "model"]


@dataclass(frozen=True)
class Draft:
    """`tokens` are drafted for each sequence in each step, by layers of the model's own, a head, or a smaller model.

    `spec` is that of the head or the smaller model; of layers of the model's own that of the model. `named` is what the
    user called it, `assumed` whether the number of tokens was not given.
    """

    method: Method
    spec: TransformerSpec
    tokens: float
    precision: Precision
    named: str
    assumed: bool = False

    def __hash__(self) -> int:
        return hash((self.method, self.named, self.tokens))

    @property
    def mtp(self) -> bool:
        """Whether layers of the model's own draft."""
        return self.method == "mtp"
