"""Checkpoints that store their matrices in several formats: which matrix takes which.

GGUF's rules depend on the layer; a mix therefore says for each op which formats its layers take, and in which shares.
A matrix is named as in the op ledger, or by its role: embedding, head, router, attention, feed_forward, experts.

bitsandbytes and SVDQuant take linear layers alone, so that convolutions stay in 16 bit too.

Source: llama.cpp, src/llama-quant.cpp, `llama_tensor_get_type` (importance-matrix variants left out); AutoGPTQ and
AutoAWQ convert the linear layers of the blocks alone; DeepSeek-V3's and Qwen3's FP8 checkpoints likewise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple, TypeAlias

#: Formats of an op's layers: (format, number of layers).
Shares: TypeAlias = tuple[tuple[str, int], ...]


class ModelFacts(NamedTuple):
    """What a mix must know about a model: layers, query heads per kv head, experts, whether the head is tied."""

    layers: int = 1
    group: float = 1.0
    experts: int = 0
    tied: bool = False


def more_bits(layer: int, layers: int) -> bool:
    """Whether GGUF's medium mixes give this layer a wider format: the first and last eighth, and every third between.

    Source: llama.cpp, `use_more_bits`.
    """
    eighth = layers // 8
    return layer < eighth or layer >= 7 * layers // 8 or (layer - eighth) % 3 == 2


def _split(layers: int, wide: str, narrow: str, chosen: Callable[[int], bool]) -> Shares:
    count = sum(chosen(layer) for layer in range(layers))
    return tuple(share for share in ((wide, count), (narrow, layers - count)) if share[1])


def _all(name: str, facts: ModelFacts) -> Shares:
    return ((name, facts.layers),)


_GGUF_PLAIN: Final = ("q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "q2_k", "q6_k")
_GGUF_SIZED: Final = ("q3_k_s", "q3_k_m", "q3_k_l", "q4_k_s", "q4_k_m", "q5_k_s", "q5_k_m")
#: Base format of each GGUF file format: q4_k of q4_k_m.
_GGUF_BASE: Final = {name: name[:4] for name in (*_GGUF_PLAIN, *_GGUF_SIZED)}
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
#: What a super-block format becomes where a row is not a multiple of 256 long.
FALLBACK: Final = {"q2_k": "iq4_nl", "q3_k": "iq4_nl", "q4_k": "q5_0", "q5_k": "q5_1", "q6_k": "q8_0"}
_VALUES: Final = ("v_proj",)
_DOWN: Final = ("down_proj", "experts_down", "shared_down_proj")


def is_mix(name: str) -> bool:
    """Whether a file of this format holds more than one format."""
    return name in _GGUF_BASE or name in _BLOCKS_ONLY


def is_gguf(name: str) -> bool:
    """Whether this is a GGUF file format: its vectors are fp32, and rows must be whole super-blocks."""
    return name in _GGUF_BASE


def shares_of(mix: str, op: str, role: str, facts: ModelFacts) -> Shares:
    """The formats of an op's matrices in a file of format `mix`, with the number of layers of each."""
    if mix in _BLOCKS_ONLY:
        wide = role in ("embedding", "head", "router", "position")
        return _all("bf16" if wide else _BLOCKS_ONLY[mix], facts)
    base = _GGUF_BASE[mix]
    if op in _VALUES:
        return _gguf_values(mix, base, facts)
    if op in _DOWN:
        return _gguf_down(mix, base, facts)
    return _all(_gguf_whole(mix, base, op, role, facts), facts)


def _gguf_whole(mix: str, base: str, op: str, role: str, facts: ModelFacts) -> str:
    """Matrices that take one format in all layers."""
    if role in ("router", "position"):
        return "fp32"
    if role == "head" or (role == "embedding" and facts.tied):
        return "q8_0" if base == "q8_0" else "q6_k"
    if op == "k_proj" and facts.experts == 8:
        return "q8_0"
    if op == "o_proj":
        if facts.experts == 8 and mix in ("q2_k", "q3_k_s", "q3_k_m", "q4_k_s", "q4_k_m"):
            return "q5_k"
        return {"q2_k": "q3_k", "q3_k_m": "q4_k", "q3_k_l": "q5_k"}.get(mix, base)
    return base


def _gguf_values(mix: str, base: str, facts: ModelFacts) -> Shares:
    """attn_v: small under grouped queries, so wide in the medium mixes."""
    layers = facts.layers
    narrow = "q5_k" if base in ("q3_k", "q4_k") and layers == 80 and facts.group == 8 else base
    if facts.experts == 8:
        return _all("q8_0", facts)
    if mix == "q3_k_m":
        return _split(layers, "q5_k", "q5_k" if narrow == "q5_k" else "q4_k", lambda i: i < 2)
    if mix in ("q4_k_m", "q5_k_m"):
        return _split(layers, "q6_k", narrow, lambda i: more_bits(i, layers))
    if mix == "q4_k_s":
        return _split(layers, "q5_k", narrow, lambda i: i < 4)
    if mix == "q2_k":
        narrow = "q4_k" if facts.group >= 4 else "q3_k"
    return _all("q5_k" if mix == "q3_k_l" else narrow, facts)


def _gguf_down(mix: str, base: str, facts: ModelFacts) -> Shares:
    layers = facts.layers
    if mix == "q3_k_m":
        return _split(layers, "q5_k", "q4_k", lambda i: i < layers // 16)
    if mix in ("q4_k_m", "q5_k_m"):
        return _split(layers, "q6_k", base, lambda i: more_bits(i, layers))
    if mix == "q4_k_s":
        return _split(layers, "q5_k", base, lambda i: i < layers // 8)
    return _all({"q2_k": "q3_k", "q3_k_l": "q5_k"}.get(mix, base), facts)
