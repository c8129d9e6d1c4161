"""What of a model's reference code says which tensors training keeps, where shapes alone do not."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from roofline.specs.base import AsTuple, Spec

Dropped = Literal["embedding", "attention", "residual", "inner", "final"]


class ReferenceCode(Spec):
    """How the reference code (transformers) of a model computes what every implementation gives alike.

    Source: the modeling files of transformers 5.24.0, by model type.
    """

    norm: Literal["narrow", "wide", "shifted", "again"] = Field(
        "narrow",
        description="how a norm's weight is multiplied: in the format of activations, in fp32 (OLMo 2), plus one in "
        "fp32 (Gemma), or with the input, which is not cast first (T5)",
    )
    dropout: Annotated[tuple[Dropped, ...], AsTuple] = Field((), description="where it drops out while it trains")
    joined_feed_forward: bool = Field(False, description="gate and up projection are one matrix")
    router_input: Literal["narrow", "wide"] = Field("narrow", description="what the router reads is cast to fp32")
    router_weights: Literal["narrow", "wide"] = Field("wide", description="the weights of chosen experts stay in fp32")
    router_sums: bool = Field(True, description="the weights of chosen experts are made to add up to 1")
    scores: Literal["wide", "narrow"] = Field("wide", description="scores are cast to fp32 for the softmax")
    copied: bool = Field(False, description="queries, keys and values are copied out of their one matrix (Falcon)")
    capped: bool = Field(False, description="scores of attention pass through a tanh (Gemma 2)")
    capped_logits: bool = Field(False, description="logits do")
    layer_norm: Literal["kernel", "widened", "steps"] = Field(
        "kernel",
        description="how a layer norm is computed: in one kernel that keeps its input, in one in fp32 (OLMo), or step "
        "by step in fp32 (Cohere)",
    )
    spread: bool = Field(False, description="cosines and sines are spread anew in every layer (GLM, Helium)")
    tables: Literal["narrow", "wide"] = Field("narrow", description="cosines and sines of positions are in fp32")
    places: Literal["made", "passed", "held"] = Field(
        "made",
        description="places of tokens, where a table of them is learned: made in every pass, and passed to all layers "
        "(OPT), or held with the model (BERT)",
    )
    loss: Literal["wide", "narrow"] = Field("wide", description="logits are cast to fp32 for the loss")


#: Where nothing is said.
USUAL = ReferenceCode()
