"""What a file in `models/` may say about other heads than that over the vocabulary."""

from __future__ import annotations

from typing import Literal

from roofline.specs.base import Size, Spec


class Classifier(Spec):
    """A head that gives each position, or each sequence, a score for every one of `labels`.

    `inner` is the width of a layer with bias and `activation` before it. `each`: which rows it reads, every token, or
    one of each `sequence`.
    """

    labels: Size
    bias: bool = False
    inner: Size | None = None
    activation: Literal["relu", "gelu", "silu"] = "relu"
    each: Literal["token", "sequence"] = "token"


class Eagle(Spec):
    """What makes of a transformer of few layers a head that drafts for another model, from what that computes.

    `version` 1: a projection of the token's embedding and the model's last hidden state, side by side, then the layers;
    3: a projection of `features` hidden states of the model, which queries, keys and values of the first layer read
    beside the embedding, each normed. The hidden states are `target_width` wide. Without `own_embedding` the model's
    table is read, without `head_vocabulary` the model's head; a head of its own may know fewer tokens.

    Source: Li et al. 2024 (arXiv:2401.15077), 2025 (arXiv:2503.01840); SafeAILab/EAGLE, eagle/model/cnets.py.
    """

    version: Literal[1, 3]
    features: Size
    target_width: Size
    own_embedding: bool = False
    head_vocabulary: Size | None = None
    projection_bias: bool = False
    projection_norm: bool = False
    first_norm: bool = True
    last_norm: bool = True
