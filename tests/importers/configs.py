"""Small config.json files that tests of importers start from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

LLAMA: Final[dict[str, Any]] = {
    "model_type": "llama",
    "hidden_size": 256,
    "intermediate_size": 512,
    "num_hidden_layers": 4,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "vocab_size": 1000,
    "torch_dtype": "bfloat16",
}
GEMMA: Final[dict[str, Any]] = {**LLAMA, "model_type": "gemma3_text", "head_dim": 32, "sliding_window": 128}
EXPERTS: Final = {"num_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 64}
MOE: Final[dict[str, Any]] = {**LLAMA, "model_type": "qwen3_moe", **EXPERTS}


def written(folder: Path, data: Any, name: str = "config.json") -> Path:
    """A file of a config, or of text as it is."""
    path = folder / name
    path.write_text(data if isinstance(data, str) else json.dumps(data, indent=2))
    return path
