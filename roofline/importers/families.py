"""Which function maps which model type. A family's module is loaded only when a config of it is read."""

from __future__ import annotations

from typing import Final

#: model_type -> "module:function" in this package.
FAMILIES: Final[dict[str, str]] = {
    "llama": "hf_dense:llama",
    "mistral": "hf_dense:mistral",
}

#: Where a multimodal config keeps its language model.
TEXT_SECTIONS: Final = ("text_config", "llm_config", "language_config", "thinker_config")

#: The text model of a multimodal one whose section does not name it; "outer/inner" renames an inner type.
TEXT_TYPES: Final[dict[str, str]] = {
    "llama4": "llama4_text",
    "gemma3": "gemma3_text",
    "gemma3n": "gemma3n_text",
    "gemma4": "gemma4_text",
    "mistral3": "mistral",
    "qwen3_vl": "qwen3_vl_text",
    "qwen3_vl_moe": "qwen3_vl_moe_text",
    "qwen3_5": "qwen3_5_text",
    "qwen3_5_moe": "qwen3_5_moe_text",
    "minimax_m3_vl": "minimax_m3",
    "llava": "llama",
    "llava_next": "llama",
}
