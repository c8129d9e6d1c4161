"""The question: what is asked of a model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from roofline.num import Num, maximum, minimum

if TYPE_CHECKING:
    from roofline.workload.allocation import CacheLayout
    from roofline.workload.draft import Draft
    from roofline.workload.media import Media

Logits: TypeAlias = Literal["last", "all"]
Work: TypeAlias = Literal["ideal", "reference"]
Latent: TypeAlias = Literal["absorbed", "naive"]


@dataclass(frozen=True, slots=True)
class TextRun:
    """`batch` sequences of `prompt` tokens that generate `generate` tokens each.

    Prefill gives the first token, so decode repeats `generate - 1` times. `logits` says whether the prefill computes
    the head for the last position of each sequence or for all. `latent` says how a decode step computes latent
    attention: with the up-projections absorbed into queries and outputs, or naively on keys and values expanded from
    the whole cache. `work` is the ideal, or with the needless work of the model's reference code.
    `layout` is how an engine allocates the cache; without one it holds each key once and no more. `past` tokens per
    sequence are cached before the prompt, which is read `passes` times over, the later ones behind the earlier: the
    equal parts of a prompt that is really read in pieces of `piece` tokens and a shorter one.
    `draft` is held beside the model and changes nothing of its phases. `media` are the pictures and the sound of each
    prompt, whose tokens `prompt` includes. `users` are those of a steady load of which the batch is what runs at once,
    where they were asked for; they change nothing of the phases. `first_apart`: the prefill leaves out the last token
    of the prompt, which a decode step reads: that step gives the first token.
    """

    batch: Num = 1.0
    prompt: Num = 512.0
    generate: Num = 128.0
    logits: Logits = "last"
    latent: Latent = "absorbed"
    work: Work = "ideal"
    layout: CacheLayout | None = None
    past: Num = 0.0
    passes: Num = 1.0
    piece: Num = 0.0
    draft: Draft | None = None
    media: Media | None = None
    users: Num | None = None
    first_apart: bool = False

    @property
    def steps(self) -> Num:
        """Decode steps: the prefill gives the first token."""
        return maximum(self.generate - 1.0, 0.0)

    @property
    def as_run(self) -> TextRun:
        """The run whose phases it has: with a token less in the prefill and a decode step more, where one reads it."""
        if not self.first_apart:
            return self
        more = minimum(self.generate, 1.0)
        prompt = maximum(self.prompt - more, 1.0)
        return replace(self, prompt=prompt, generate=self.generate + more, first_apart=False)

    @property
    def cached(self) -> Num:
        """Tokens of a sequence that are cached at the end: the last one is never fed back."""
        return self.prompt + self.steps


@dataclass(frozen=True, slots=True)
class ImageRun:
    """`batch` pictures of `height` × `width` pixels, made in `steps` steps.

    `passes` copies of the batch go through the denoiser in every step (2 with classifier-free guidance, which
    `guidance` is the scale of). `strength`
    is how much of a given picture is replaced: only that share of the steps is run. `tiled` decodes and encodes in
    overlapping tiles, `sliced` picture by picture. `checked`: pictures pass the safety checker that the pipeline has.
    """

    batch: Num = 1.0
    height: Num = 512.0
    width: Num = 512.0
    steps: Num = 50.0
    passes: float = 2.0
    scheduler: str = "euler"
    strength: float | None = None
    tiled: bool = False
    sliced: bool = False
    guidance: float = 7.5
    checked: bool = True
