"""What a file may say of a feed-forward: dense, or a mixture of experts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from roofline.specs.base import Size, Spec

#: `gelu_new` is `gelu_tanh` as GPT-2's reference code computes it: eight element-wise operations, not one. `xielu` has
#: two learned scalars per layer (Huang et al. 2024, arXiv:2411.13010).
Activation = Literal["silu", "gelu", "gelu_tanh", "gelu_new", "relu", "relu2", "quick_gelu", "xielu"]


class DenseFeedForward(Spec):
    """Two matrices with an activation between, or three when gated (SwiGLU, GeGLU).

    `inner_norm` norms what goes into the last matrix. `down_bias`: that has a bias where the others have none.
    """

    kind: Literal["dense"]
    width: Size
    gated: bool = False
    activation: Activation = "silu"
    bias: bool = False
    down_bias: bool = False
    inner_norm: bool = False


class ExpertsFeedForward(Spec):
    """A mixture of experts: a router sends each token to `top_k` of `experts` feed-forwards of `width`.

    With `latent_width` the experts work on a projection of the token to that width, and their sum is projected back.
    Every token also visits a feed-forward of `shared_width`, where there is one. `router_scales`: learned scales of the
    router's input and of each expert's output. `reference_all`: the reference code runs every expert for every token;
    `computed` experts are run for each token, where these are more than the `top_k` that count. Of the `top_k` some may
    be among `zero_experts` further ones, which give the token back as it is and cost nothing; `zero_matrices`: the
    class holds the first matrices of these all the same. `output_norm` norms the sum of routed and shared experts,
    `output_bias` is a vector added to that of the routed ones. `shared_gate` is there without shared experts too,
    where the class builds it.
    """

    kind: Literal["experts"]
    width: Size
    experts: Size
    top_k: Size
    gated: bool = True
    activation: Activation = "silu"
    bias: bool = False
    router_bias: bool = False
    router_scales: bool = False
    latent_width: Size | None = None
    latent_bias: bool = False
    shared_width: Annotated[int, Field(ge=0, le=10**9)] = 0
    shared_gate: bool = False
    shared_bias: bool = False
    output_norm: bool = False
    output_bias: bool = False
    zero_experts: Annotated[int, Field(ge=0, le=10**6)] = 0
    zero_matrices: bool = False
    reference_all: bool = False
    computed: Size | None = None

    @model_validator(mode="after")
    def _top_k_of_experts(self) -> ExpertsFeedForward:
        if self.top_k > self.experts + self.zero_experts:
            raise PydanticCustomError(
                "top_k", "top_k {k} is more than the {e} experts", {"k": self.top_k, "e": self.experts}
            )
        return self


FeedForwardSpec = Annotated[DenseFeedForward | ExpertsFeedForward, Field(discriminator="kind")]
