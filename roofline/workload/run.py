"""The question: what is asked of a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from roofline.num import Num

Logits: TypeAlias = Literal["last", "all"]


@dataclass(frozen=True, slots=True)
class TextRun:
    """`batch` sequences of `prompt` tokens that generate `generate` tokens each.

    Prefill gives the first token, so decode repeats `generate - 1` times. `logits` says whether the prefill computes
    the head for the last position of each sequence or for all.
    """

    batch: Num = 1.0
    prompt: Num = 512.0
    generate: Num = 128.0
    logits: Logits = "last"
