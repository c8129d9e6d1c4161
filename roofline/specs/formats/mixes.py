"""Checkpoints that store their matrices in several formats: which matrix takes which.

GGUF's rules (`roofline.specs.formats.gguf_files`) depend on the layer; a mix therefore says for each op which formats
its layers take, and in which shares. A matrix is named as in the op ledger, or by its role: embedding, head, router,
attention, feed_forward, experts.

bitsandbytes and SVDQuant take linear layers alone, so that convolutions stay in 16 bit too.

Source: AutoGPTQ and AutoAWQ convert the linear layers of the blocks alone; DeepSeek-V3's and Qwen3's FP8 checkpoints
likewise; nunchaku's SVDQuant checkpoints (Li et al. 2024, arXiv:2411.05007) those of the transformer's blocks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from roofline.specs.formats.gguf_files import BASE, ModelFacts, Shares, file_shares, more_bits

__all__ = [
    "CHECKPOINTS",
    "Checkpoint",
    "ModelFacts",
    "Shares",
    "format_of_blocks",
    "is_gguf",
    "is_mix",
    "more_bits",
    "shares_of",
]


class Checkpoint(NamedTuple):
    """A checkpoint whose blocks are in the format `base`; all else stays in 16 bit.

    `what` it is called; `linear`: that only linear layers are narrowed; `compute`: in which format it multiplies, where
    that is another than the base's.
    """

    base: str
    what: str
    linear: bool = False
    compute: str = ""


CHECKPOINTS: Final[Mapping[str, Checkpoint]] = {
    "awq": Checkpoint("int4-awq", "AWQ checkpoint"),
    "gptq-int4": Checkpoint("int4-gptq", "GPTQ checkpoint"),
    "gptq-int8": Checkpoint("int8-gptq", "GPTQ checkpoint"),
    "nf4": Checkpoint("nf4-b64", "bitsandbytes 4 bit", linear=True),
    "bnb-int8": Checkpoint("int8", "bitsandbytes 8 bit (LLM.int8)", linear=True, compute="bf16"),
    "svdquant-int4": Checkpoint("int4-r32", "SVDQuant", linear=True),
    "svdquant-nvfp4": Checkpoint("nvfp4-r32", "SVDQuant", linear=True),
    "fp8-block": Checkpoint("fp8-b128", "FP8 checkpoint"),
}


def is_mix(name: str) -> bool:
    """Whether a file of this format holds more than one format."""
    return name in BASE or name in CHECKPOINTS


def format_of_blocks(name: str) -> str:
    """The format of the matrices of the blocks where all have one; else, and of a single format, the name itself."""
    return CHECKPOINTS[name].base if name in CHECKPOINTS else name


def is_gguf(name: str) -> bool:
    """Whether this is a GGUF file format: its vectors are fp32, and rows must be whole blocks."""
    return name in BASE


def shares_of(mix: str, op: str, role: str, facts: ModelFacts) -> Shares:
    """The formats of an op's matrices in a file of format `mix`, with the number of layers of each."""
    if mix in CHECKPOINTS:
        wide = role in ("embedding", "head", "router", "position")
        return (("bf16" if wide else CHECKPOINTS[mix].base, facts.layers),)
    return file_shares(mix, op, role, facts)
