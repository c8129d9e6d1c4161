"""Habits of reference code that shapes do not show, by the model type that Hugging Face's transformers gives a model.

They change what autograd keeps, and nothing else here. A model of a type that is not listed is taken to be written as
Llama is: norms widen their input to 4 bytes, no dropout.

Source: the model classes and config defaults of transformers 5.24.0 (`modeling_*.py`, `configuration_*.py`); dropout is
that of the config class, for a spec does not say whether a file changes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

#: How an RMS norm is written. `llama`: normalised in 4 bytes, narrowed, then weighted; `wide`: weighted before it is
#: narrowed; `offset`: as wide, with weights 1 + w; `t5`: the unwidened input is multiplied.
RmsNorm = Literal["llama", "wide", "offset", "t5"]

#: How a layer norm is written. `kernel`: one kernel that keeps its input and two numbers a row; `widened`: the same in
#: 4 bytes; `steps`: element by element in 4 bytes, as Cohere's.
LayerNorm = Literal["kernel", "widened", "steps"]


class Habits(NamedTuple):
    """What of a model's code matters for what is kept.

    rms            how its RMS norms are written
    dropped        where there is dropout: in `attention`, `residual`, `activation`, and behind ops of these names
    joined_rotary  rotated queries are joined with the rest of a head even where all of it is rotated
    softcap        scores of attention go through tanh; `head_softcap`: logits too
    wide_router    the router's product is in 4 bytes
    router_norm    weights of the chosen experts are divided by their sum
    wide_weights   experts' outputs are multiplied with weights of 4 bytes
    narrow_loss    the loss is computed in the format of the logits
    narrow_softmax   probabilities are computed in the format of the scores
    broadcast      heads of keys and values are not repeated for the query heads that they serve
    wide_tables    cosines and sines are in 4 bytes
    ids            look-ups whose indices are made anew for each batch, and kept
    passed_ids     layers are given position ids, though nothing is rotated
    layer          how its layer norms are written
    spread_tables  cosines and sines are spread anew in every layer, which keeps them
    experts_known  somebody has measured what its router and its experts keep
    joined_gate    gate and up projection are one matrix, `gate_up_proj`
    """

    rms: RmsNorm = "llama"
    dropped: frozenset[str] = frozenset()
    joined_rotary: bool = False
    softcap: bool = False
    head_softcap: bool = False
    wide_router: bool = False
    router_norm: bool = True
    wide_weights: bool = True
    narrow_loss: bool = False
    narrow_softmax: bool = False
    broadcast: bool = False
    wide_tables: bool = False
    ids: frozenset[str] = frozenset()
    passed_ids: bool = False
    joined_gate: bool = False
    layer: LayerNorm = "kernel"
    spread_tables: bool = False
    experts_known: bool = False


LLAMA: Final = Habits()
_GPT: Final = Habits(
    dropped=frozenset(("position_add", "attention", "residual")), ids=frozenset(("position_embedding",))
)
_BERT: Final = Habits(
    dropped=frozenset(("embedding_norm", "attention", "residual")),
    ids=frozenset(("type_embedding",)),
    narrow_loss=True,
    narrow_softmax=True,
)
_GEMMA: Final = Habits(rms="offset")
_T5: Final = Habits(
    rms="t5",
    dropped=frozenset(("embedding", "attention", "residual", "activation", "encoder_norm", "final_norm")),
    ids=frozenset(("distance_bias",)),
    narrow_loss=True,
    narrow_softmax=True,
)
_DEEPSEEK: Final = Habits(joined_rotary=True, wide_router=True, router_norm=False)

_BART: Final = Habits(dropped=frozenset(("embedding_norm", "residual")), ids=frozenset(("position_embedding",)))
_WIDE: Final = Habits(rms="wide")
_TABLE: Final[dict[str, Habits]] = {
    **dict.fromkeys(("gpt2", "gpt_bigcode", "imagegpt"), _GPT),
    **dict.fromkeys(("bert", "roberta", "xlm-roberta", "electra", "distilbert", "albert", "camembert", "mpnet"), _BERT),
    **dict.fromkeys(("bart", "mbart", "pegasus", "marian", "blenderbot"), _BART),
    **dict.fromkeys(("t5", "mt5", "umt5", "longt5"), _T5),
    **dict.fromkeys(("gemma", "gemma3", "gemma3_text", "recurrent_gemma", "qwen3_5"), _GEMMA),
    **dict.fromkeys(("gemma3n", "gemma3n_text", "gemma4", "gemma4_text", "gpt_oss", "afmoe", "flex_olmo"), _WIDE),
    **dict.fromkeys(("olmo2", "olmo3"), _WIDE._replace(wide_tables=True)),
    **dict.fromkeys(("glm", "glm4"), Habits(joined_gate=True, spread_tables=True)),
    **dict.fromkeys(("chatglm", "modernbert"), Habits(joined_gate=True)),
    "opt": Habits(dropped=frozenset(("residual",)), ids=frozenset(("position_embedding",)), passed_ids=True),
    "starcoder2": Habits(dropped=frozenset(("residual", "embedding"))),
    **dict.fromkeys(("gemma2", "vaultgemma"), _GEMMA._replace(softcap=True, head_softcap=True)),
    **dict.fromkeys(("cohere", "cohere2"), Habits(layer="steps")),
    "olmo": Habits(layer="widened", wide_tables=True),
    "helium": _GEMMA._replace(spread_tables=True),
    "seed_oss": Habits(dropped=frozenset(("attention", "residual"))),
    "nanochat": Habits(head_softcap=True),
    "qwen3_next": _GEMMA._replace(wide_weights=False),
    "falcon": Habits(narrow_softmax=True, broadcast=True),
    "phi3": Habits(joined_rotary=True, joined_gate=True),
    **dict.fromkeys(("mixtral", "minimax_m2"), Habits(experts_known=True)),
    "qwen3_moe": Habits(wide_weights=False, experts_known=True),
    "qwen2_moe": Habits(wide_weights=False, router_norm=False),
    "deepseek_v2": _DEEPSEEK._replace(experts_known=True),
    "deepseek_v3": _DEEPSEEK._replace(router_norm=True),
}
#: Beginnings of the names of models whose file does not say their type.
_NAMES: Final[dict[str, str]] = {
    "gpt2": "gpt2",
    "gpt-2": "gpt2",
    "opt-": "opt",
    "starcoder2": "starcoder2",
    "bert-": "bert",
    "roberta": "roberta",
    "t5-": "t5",
    "gemma-2": "gemma2",
    "gemma-3-": "gemma3",
    "gemma-3n": "gemma3n",
    "gemma-4": "gemma4",
    "gpt-oss": "gpt_oss",
    "glm-4-": "glm4",
    "modernbert": "modernbert",
    "bart-": "bart",
    "gemma-": "gemma",
    "olmo-2": "olmo2",
    "olmo-3": "olmo3",
    "falcon-7b": "falcon",
    "falcon-40b": "falcon",
    "phi-3": "phi3",
    "phi-4": "phi3",
    "qwen3-next": "qwen3_next",
    "mixtral": "mixtral",
    "qwen3-30b": "qwen3_moe",
    "qwen3-235b": "qwen3_moe",
    "qwen1.5-moe": "qwen2_moe",
    "deepseek-v2": "deepseek_v2",
    "deepseek-v3": "deepseek_v3",
}
_TYPE: Final = re.compile(r"model_type ([A-Za-z0-9_-]+)")


def model_type_of(name: str, sources: Iterable[str] = ()) -> str | None:
    """The model type that a spec was read of, or that its name begins with; None where neither says one."""
    for source in sources:
        found = _TYPE.search(source)
        if found:
            return found.group(1)
    return next((kind for start, kind in _NAMES.items() if name.startswith(start)), None)


def habits_of(name: str, sources: Iterable[str] = ()) -> Habits:
    """The habits of the code of a model: `name` and `sources` as its spec has them."""
    return _TABLE.get(model_type_of(name, sources) or "", LLAMA)
