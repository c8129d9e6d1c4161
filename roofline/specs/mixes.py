"""Checkpoints that store their matrices in several formats: which matrix takes which.

GGUF's rules (`roofline.specs.gguf_files`) depend on the layer; a mix therefore says for each op which formats its
layers take, and in which shares. A matrix is named as in the op ledger, or by its role: embedding, head, router,
attention, feed_forward, experts.

bitsandbytes and SVDQuant take linear layers alone, so that convolutions stay in 16 bit too.

Source: AutoGPTQ and AutoAWQ convert the linear layers of the blocks alone; DeepSeek-V3's and Qwen3's FP8 checkpoints
likewise; nunchaku's SVDQuant checkpoints (Li et al. 2024, arXiv:2411.05007) those of the transformer's blocks.
"""

from __future__ import annotations

from typing import Final

from roofline.specs.gguf_files import BASE, ModelFacts, Shares, file_shares, more_bits

__all__ = ["ModelFacts", "Shares", "format_of_blocks", "is_gguf", "is_mix", "more_bits", "shares_of"]

#: Other checkpoints: the format of the matrices of the blocks; all else stays in 16 bit.
_BLOCKS_ONLY: Final = {
    "awq": "int4-gptq",
    "gptq-int4": "int4-gptq",
    "gptq-int8": "int8-gptq",
    "fp8-block": "fp8-b128",
} | {
    "nf4": "nf4-b64",
    "bnb-int8": "int8",
    "svdquant-int4": "int4-r32",
    "svdquant-nvfp4": "nvfp4-r32",
}


def is_mix(name: str) -> bool:
    """Whether a file of this format holds more than one format."""
    return name in BASE or name in _BLOCKS_ONLY


def format_of_blocks(name: str) -> str:
    """The format of the matrices of the blocks where all have one; else, and of a single format, the name itself."""
    return _BLOCKS_ONLY.get(name, name)


def is_gguf(name: str) -> bool:
    """Whether this is a GGUF file format: its vectors are fp32, and rows must be whole blocks."""
    return name in BASE


def shares_of(mix: str, op: str, role: str, facts: ModelFacts) -> Shares:
    """The formats of an op's matrices in a file of format `mix`, with the number of layers of each."""
    if mix in _BLOCKS_ONLY:
        wide = role in ("embedding", "head", "router", "position")
        return (("bf16" if wide else _BLOCKS_ONLY[mix], facts.layers),)
    return file_shares(mix, op, role, facts)
