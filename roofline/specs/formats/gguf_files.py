"""GGUF file formats: which type a quantised file gives each matrix, as rules over the layers.

Source: ggml-org/llama.cpp @007dbbf3, src/llama-quant.cpp: `llama_ftype_get_default_type`, `llama_tensor_get_type_impl`.
Files of i-quants (iq1 … iq4) are taken as they are published, made with an importance matrix (most of these types need
one); q4_0 and q5_0 as the quantiser makes them without. What only Falcon's rules change is left out. Sizes that end in
`_l` and `_xl` are those of the quantiser bartowski: embedding and head in q8_0, all else as the size below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

#: Formats of an op's layers: (format, number of layers).
Shares: TypeAlias = tuple[tuple[str, int], ...]


class ModelFacts(NamedTuple):
    """What a mix must know about a model: layers, query heads per kv head, experts, whether the head is tied.

    `packed`: queries, keys and values are one matrix. `native_experts`: the format in which the model's experts are
    published where files keep it (gpt-oss: mxfp4); none where empty.
    """

    layers: int = 1
    group: float = 1.0
    experts: int = 0
    tied: bool = False
    packed: bool = False
    native_experts: str = ""


_Rule: TypeAlias = tuple[Callable[[int, ModelFacts], bool], str]
_Rules: TypeAlias = Sequence[_Rule]


def more_bits(layer: int, layers: int) -> bool:
    """Whether GGUF's medium mixes give this layer a wider format: the first and last eighth, and every third between.

    Source: llama.cpp, `use_more_bits`.
    """
    eighth = layers // 8
    return layer < eighth or layer >= 7 * layers // 8 or (layer - eighth) % 3 == 2


def _always(_: int, __: ModelFacts) -> bool:
    return True


def _more(layer: int, facts: ModelFacts) -> bool:
    return more_bits(layer, facts.layers)


def _first_eighth(layer: int, facts: ModelFacts) -> bool:
    return layer < facts.layers // 8


def _first_sixteenth(layer: int, facts: ModelFacts) -> bool:
    return layer < facts.layers // 16


def _middle(layer: int, facts: ModelFacts) -> bool:
    return facts.layers // 8 <= layer < 7 * facts.layers // 8


def _first(count: int) -> Callable[[int, ModelFacts], bool]:
    return lambda layer, _: layer < count


def _grouped(_: int, facts: ModelFacts) -> bool:
    return facts.group >= 4


def _grouped_or_experts(_: int, facts: ModelFacts) -> bool:
    return facts.group >= 4 or facts.experts >= 4


def _eight(_: int, facts: ModelFacts) -> bool:
    return facts.experts == 8


def _eight_and_more(layer: int, facts: ModelFacts) -> bool:
    return facts.experts == 8 and _more(layer, facts)


#: The type of most matrices of each file format.
BASE: Final[Mapping[str, str]] = {
    **{name: name for name in ("q1_0", "q2_0", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "q2_k", "q6_k")},
    **{name: name for name in ("tq1_0", "tq2_0", "iq1_s", "iq1_m", "iq2_xxs", "iq2_xs", "iq3_xxs", "iq3_s")},
    **{name: name for name in ("iq4_nl", "iq4_xs")},
    **{name: name[:4] for name in ("q2_k_s", "q3_k_s", "q3_k_m", "q3_k_l", "q4_k_s", "q4_k_m", "q5_k_s", "q5_k_m")},
    **{name: name[:4] for name in ("q2_k_l", "q3_k_xl", "q4_k_l", "q5_k_l", "q6_k_l")},
    "iq2_s": "iq2_xs",
    "iq2_m": "iq2_s",
    "iq3_xs": "iq3_s",
    "iq3_m": "iq3_s",
    "mxfp4_moe": "q8_0",
}
#: File formats by the number `general.file_type` of a header. Source: `LlamaFileType` of the library `gguf` 0.19.
FILE_TYPES: Final = {
    **dict(enumerate(("fp32", "fp16", "q4_0", "q4_1"))),
    **dict(enumerate(("q8_0", "q5_0", "q5_1", "q2_k", "q3_k_s", "q3_k_m", "q3_k_l", "q4_k_s", "q4_k_m"), 7)),
    **dict(enumerate(("q5_k_s", "q5_k_m", "q6_k", "iq2_xxs", "iq2_xs", "q2_k_s", "iq3_xs", "iq3_xxs"), 16)),
    **dict(enumerate(("iq1_s", "iq4_nl", "iq3_s", "iq3_m", "iq2_s", "iq2_m", "iq4_xs", "iq1_m", "bf16"), 24)),
    **dict(enumerate(("tq1_0", "tq2_0", "mxfp4_moe", "nvfp4", "q1_0"), 36)),
}
#: File formats that differ from another one in embedding and head alone, which they keep in q8_0.
WIDE_ENDS: Final = {
    "q2_k_l": "q2_k",
    "q3_k_xl": "q3_k_l",
    "q4_k_l": "q4_k_m",
    "q5_k_l": "q5_k_m",
    "q6_k_l": "q6_k",
}
_LOW: Final = ("iq1_s", "iq1_m", "iq2_xxs", "iq2_xs", "iq2_s", "iq2_m")
_LOW_WIDE: Final = {name: "iq3_s" if name in ("iq2_s", "iq2_m") else "q2_k" for name in _LOW}
_EMBEDDING: Final = {**_LOW_WIDE, "iq3_xxs": "iq3_s", "tq1_0": "q4_k", "tq2_0": "q4_k", "q2_0": "q4_k"}
_HEAD: Final = {**dict.fromkeys((*_LOW, "iq3_xxs"), "q5_k"), "q8_0": "q8_0", "mxfp4_moe": "q8_0"}
#: attn_v, small under grouped queries.
_VALUES: Final[Mapping[str, _Rules]] = {
    **{name: ((_grouped_or_experts, "q4_k"), (_always, _LOW_WIDE[name])) for name in _LOW},
    "q2_k": ((_grouped, "q4_k"), (_always, "q3_k")),
    "q2_k_s": ((_grouped, "q4_k"),),
    "iq3_xxs": ((_grouped, "q4_k"),),
    "iq3_xs": ((_grouped, "q4_k"),),
    "iq3_s": ((_grouped, "q4_k"),),
    "iq3_m": ((_always, "q4_k"),),
    "q3_k_m": ((_first(2), "q5_k"), (_always, "q4_k")),
    "q3_k_l": ((_always, "q5_k"),),
    "iq4_nl": ((_grouped, "q5_k"),),
    "iq4_xs": ((_grouped, "q5_k"),),
    "q4_k_m": ((_more, "q6_k"),),
    "q5_k_m": ((_more, "q6_k"),),
    "q4_k_s": ((_first(4), "q5_k"),),
}
_KEYS: Final[Mapping[str, _Rules]] = {
    **dict.fromkeys(_LOW, ((_eight, "q4_k"),)),
    "iq3_xs": ((_eight, "q8_0"), (_always, "iq3_xxs")),
    "iq3_xxs": ((_eight, "q8_0"), (_always, "iq2_s")),
}
_QUERIES: Final[Mapping[str, _Rules]] = {"iq3_xs": ((_always, "iq3_xxs"),), "iq3_xxs": ((_always, "iq2_s"),)}
_OUTPUT: Final[Mapping[str, _Rules]] = {
    **dict.fromkeys(("iq2_xxs", "iq2_xs", "q3_k_s", "q4_k_s", "q4_k_m", "iq4_nl", "iq4_xs"), ((_eight, "q5_k"),)),
    **dict.fromkeys(("iq3_xs", "iq3_s"), ((_eight, "q5_k"),)),
    **dict.fromkeys(("iq1_s", "iq1_m"), ((_eight, "q5_k"), (_always, "iq2_xxs"))),
    **dict.fromkeys(("iq2_s", "iq2_m", "iq3_xxs"), ((_eight, "q5_k"), (_always, "iq3_s"))),
    "q2_k": ((_eight, "q5_k"), (_always, "q3_k")),
    "q3_k_m": ((_eight, "q5_k"), (_always, "q4_k")),
    "iq3_m": ((_eight, "q5_k"), (_always, "q4_k")),
    "q3_k_l": ((lambda _, facts: facts.experts != 8, "q5_k"),),
}
_DOWN: Final[Mapping[str, _Rules]] = {
    **{name: ((_first_eighth, _LOW_WIDE[name]),) for name in _LOW},
    "q2_k": ((_always, "q3_k"),),
    "q2_k_s": ((_first_eighth, "q4_k"),),
    "q3_k_m": ((_first_sixteenth, "q5_k"), (_always, "q4_k")),
    "iq3_m": ((_first_eighth, "q4_k"), (_eight_and_more, "q4_k")),
    "q3_k_l": ((_always, "q5_k"),),
    "q4_k_m": ((_more, "q6_k"),),
    "q5_k_m": ((_more, "q6_k"),),
    "q4_k_s": ((_first_eighth, "q5_k"),),
}
#: attn_qkv, by the rule under which files were published: llama.cpp since takes it as attn_v.
_FUSED: Final[Mapping[str, _Rules]] = {
    **dict.fromkeys(("q3_k_m", "q3_k_l", "iq3_m"), ((_always, "q4_k"),)),
    "q4_k_m": ((_always, "q5_k"),),
    "q5_k_m": ((_always, "q6_k"),),
}
_UP: Final[Mapping[str, _Rules]] = {"iq3_xs": ((_middle, "iq3_xxs"),)}
_RULES: Final[Mapping[str, Mapping[str, _Rules]]] = {
    "q_proj": _QUERIES,
    "k_proj": _KEYS,
    "v_proj": _VALUES,
    "qkv_proj": _FUSED,
    "o_proj": _OUTPUT,
    **dict.fromkeys(("down_proj", "experts_down", "shared_down_proj"), _DOWN),
    **dict.fromkeys(("gate_proj", "up_proj", "experts_up", "shared_gate_proj", "shared_up_proj"), _UP),
}
_EXPERTS: Final = ("experts_up", "experts_down")


@lru_cache(maxsize=4096)
def file_shares(name: str, op: str, role: str, facts: ModelFacts) -> Shares:
    """The types of an op's matrices in a file of format `name`, with the number of layers of each."""
    if role in ("router", "position"):
        return (("fp32", facts.layers),)
    if role in ("head", "embedding"):
        return ((_end(name, role, facts), facts.layers),)
    if facts.packed and op in ("q_proj", "k_proj", "v_proj"):
        op = "qkv_proj"
    plain = WIDE_ENDS.get(name, name)
    if plain == "mxfp4_moe":
        return (("mxfp4" if op in _EXPERTS else "q8_0", facts.layers),)
    rules = _RULES.get(op, {}).get(plain, ())
    widened = _widened(plain, op, facts)
    counts: dict[str, int] = {}
    for layer in range(facts.layers):
        found = widened(next((dtype for holds, dtype in rules if holds(layer, facts)), BASE[name]))
        counts[found] = counts.get(found, 0) + 1
    return tuple(counts.items())


def _end(name: str, role: str, facts: ModelFacts) -> str:
    if name in WIDE_ENDS:
        return "q8_0"
    if role == "head" or facts.tied:
        return _HEAD.get(name, "q6_k")
    return _EMBEDDING.get(name, BASE[name])


def _widened(name: str, op: str, facts: ModelFacts) -> Callable[[str], str]:
    """What becomes of small matrices that many share: values in models of 80 layers, keys and values of 8 experts."""
    if name in _LOW:
        return lambda dtype: dtype
    if facts.experts == 8 and op in ("k_proj", "v_proj"):
        return lambda dtype: "q8_0"
    if op == "v_proj" and facts.layers == 80 and facts.group == 8:
        return lambda dtype: "q5_k" if dtype in ("q3_k", "q4_k") else dtype
    return lambda dtype: dtype
