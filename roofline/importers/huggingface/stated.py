"""What a config.json must state itself, and what its config class may add.

A config class gives every key a default, but these are the sizes of some one model: what a file leaves to them is
listed with every estimate, and a file without the sizes that make the model is refused. Text sections of multimodal
files are saved as what differs from their class, so there the rest is the class's (Gemma 3, Qwen2-Audio, LLaVA 1.5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from roofline.importers.huggingface.config import Config, ContradictionError

_LAYERS: Final = (
    "num_hidden_layers",
    "n_layer",
    "n_layers",
    "num_layers",
    "num_blocks",
    "encoder_layers",
    "decoder_layers",
)
_WIDTHS: Final = ("hidden_size", "n_embd", "d_model", "dim", "embedding_dim")
_OF_STACKS: Final = ("encoder_attention_heads", "decoder_attention_heads")
_HEADS: Final = ("num_attention_heads", "n_head", "n_heads", "num_heads", *_OF_STACKS)
_FEED_FORWARDS: Final = ("intermediate_size", "ffn_dim", "hidden_dim", "d_ff", "encoder_ffn_dim", "decoder_ffn_dim")
_EXPERTS: Final = ("moe_intermediate_size", "num_experts", "num_local_experts", "n_routed_experts")
_LATENT: Final = (
    "kv_lora_rank",
    "q_lora_rank",
    "qk_nope_head_dim",
    "qk_rope_head_dim",
    "v_head_dim",
)
_CHOSEN: Final = ("index_head_dim", "index_n_heads")
#: Sizes that a file must state, in the spellings of the families.
ESSENTIAL: Final = (*_LAYERS, *_WIDTHS, *_HEADS, "vocab_size", *_FEED_FORWARDS, *_EXPERTS, *_LATENT, *_CHOSEN)
#: Model types whose class is the released model, and the sizes that its file may leave to the class.
DOCUMENTED: Final = {"gemma3n_text": ESSENTIAL, "kimi_linear": ESSENTIAL}


def mapped(function: Callable[[Config], dict[str, Any]], config: Config, model_type: str) -> dict[str, Any]:
    """What a family's function makes of a file. Raises SpecError for a size that the file must state and does not.

    That is said before that a made-up size contradicts a stated one.
    """
    try:
        body = function(config)
    except ContradictionError:
        _check_stated(config, model_type)
        raise
    _check_stated(config, model_type)
    return body


def taken_defaults(config: Config) -> str:
    """The values that a config class gave, as `key value, …`; nulls, which give nothing, are left out."""
    given = [(key, value) for key, value in _assumed(config) if isinstance(value, (int, float, str))]
    return ", ".join(f"{key} {str(value).lower() if isinstance(value, bool) else value}" for key, value in given)


def _assumed(config: Config) -> Iterator[tuple[str, Any]]:
    yield from config.assumed.items()
    for child in config.children:
        yield from _assumed(child)


def _leaves_the_rest(config: Config) -> bool:
    """Whether it is the text section of a multimodal file that states a size.

    Such sections are saved as the differences from their class: what they leave out is the class's own. A section
    without any size says nothing about its model.
    """
    return bool(config.path) and any(config.data.get(key) is not None for key in ESSENTIAL)


def _check_stated(config: Config, model_type: str) -> None:
    """A null among the defaults means that the family derives the size, as the width of a feed-forward."""
    if _leaves_the_rest(config):
        return
    for key in ESSENTIAL:
        value = config.assumed.get(key)
        if value is not None and key not in DOCUMENTED.get(model_type, ()):
            hint = (
                f"The config class of {model_type} has {value}, which says nothing about this model. "
                "A config.json states its layers, widths, heads and vocabulary."
            )
            raise config.missing(key, hint)
