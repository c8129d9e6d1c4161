"""What an engine's file says of training: what a framework keeps between passes, and what it hides behind what."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from roofline.specs.base import Spec, Texts
from roofline.specs.intervals import Interval

#: A factor on a time.
Multiple = Annotated[float, Field(ge=0.01, le=100)]
#: A part of a whole.
Part = Annotated[float, Field(ge=0, le=1)]


class TrainingHabits(Spec):
    """How a framework trains: habits with their sources, and coefficients that are fitted to measured steps."""

    trains: Literal["language", "image", "both"] = Field(
        "language", description="the kind of models that its runs train, or that it is made for"
    )
    kept: Literal["eager", "fused"] = Field(
        "fused",
        description="what a layer keeps for its backward pass: all that unfused modules keep, or what fused kernels do",
    )
    recompute: Literal["reentrant", "early"] = Field(
        "early",
        description="how a whole layer is repeated: all of it, or until its last kept tensor is back",
    )
    selective: Literal["attention", "products"] = Field(
        "attention",
        description="what is repeated where only some of a layer is: the core of attention, or every second product "
        "and all that is no product",
    )
    gradients: Literal["wide", "narrow", "both"] = Field(
        "wide",
        description="gradients of a run in bf16 are added up in fp32, stay in the format of the weights, or are added "
        "up in fp32 beside those of the last micro-batch in 16 bit; in fp16 they stay in 16 bit",
    )
    master: bool = Field(True, description="an optimizer in mixed precision has weights of its own in fp32")
    half: Literal["master", "shards", "autocast", "pure"] = Field(
        "master",
        description="how a run in 16 bit holds its weights: in 16 bit with a master copy in fp32, as shards in fp32 "
        "that are gathered in 16 bit, in fp32 and cast where products need it, or in 16 bit alone",
    )
    casts: bool = Field(True, description="weights cast to 8 or 4 bit, and their transposes, are kept for a whole step")
    wide_embeddings: bool = Field(False, description="an optimizer of 8 bit keeps the states of embeddings in fp32")
    loss: Literal["unfused", "in-place", "fused", "chunked"] = Field(
        "unfused",
        description="the cross-entropy: through logits in fp32, through one copy of them in fp32 that is overwritten, "
        "in one kernel over the logits, or chunk by chunk",
    )
    sharding: Literal["none", "optimizer", "gradients", "parameters"] = Field(
        "none", description="what is spread over data-parallel GPUs where nothing is asked: ZeRO 0, 1, 2 or 3"
    )
    sequence_parallel: bool = Field(
        False, description="with tensor parallelism, norms and residuals are split by tokens"
    )
    adapters_wide: bool = Field(True, description="LoRA's matrices are held and multiplied in fp32")
    dropout: bool = Field(False, description="layers drop out as the paper of the model does, and keep the masks")
    hidden: Part = Field(0.9, description="share of data-parallel exchanges that work can hide")
    network: Multiple = Field(1.0, description="on the nominal time of exchanges between nodes")
    backward: Multiple = Field(1.0, description="on the time of the kernels of the backward pass")
    experts: Multiple = Field(1.0, description="on the time of the kernels of routed experts")
    update: Multiple = Field(1.0, description="on the time of the optimizer's step")
    reserve: Part = Field(0.06, description="share that the allocator reserves beyond what is allocated")
    interval: Interval | None = Field(
        None, description="80 % interval of a step of a framework of which no training run was at hand"
    )
    sources: Annotated[Texts, Field(min_length=1)]
