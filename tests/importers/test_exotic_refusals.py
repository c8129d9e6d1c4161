"""Configs of sparse, latent and linear attention that contradict themselves are refused at the key; harmless keys are
not."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, Final

import pytest

from roofline.errors import SpecError
from roofline.importers.huggingface.read import read_config

_ORACLE: Final = Path(__file__).parent.parent / "oracle"
CONFIGS: Final[dict[str, Any]] = {
    name: facts["config"]
    for file in ("llm_exotic.json", "llm_exotic_small.json")
    for name, facts in json.loads((_ORACLE / file).read_text())["models"].items()
}
CONTRADICTIONS: Final = [
    ("deepseek-v3", {"qk_head_dim": 200}, "qk_head_dim"),
    ("deepseek-v3", {"num_experts_per_tok": 257}, "num_experts_per_tok"),
    ("deepseek-v3", {"kv_lora_rank": -512}, "kv_lora_rank"),
    ("deepseek-v3", {"kv_lora_rank": None}, "kv_lora_rank"),
    ("deepseek-v3", {"hidden_act": "selu"}, "hidden_act"),
    ("deepseek-v3", {"moe_layer_freq": [1, 0]}, "moe_layer_freq"),
    ("deepseek-v3", {"latent_memory_size": 64}, "latent_memory_size"),
    ("deepseek-v3.2", {"q_lora_rank": None}, "q_lora_rank"),
    ("glm-5", {"indexer_types": ["full"] * 77}, "indexer_types"),
    ("glm-5", {"indexer_types": ["shared"] * 78}, "indexer_types"),
    ("glm-5", {"index_topk_pattern": "FS"}, "index_topk_pattern"),
    ("deepseek-v4-flash", {"compress_ratios": [0, 4, 128]}, "compress_ratios"),
    ("deepseek-v4-flash", {"compress_ratios": [16] * 43}, "compress_ratios"),
    ("deepseek-v4-flash", {"num_key_value_heads": 8}, "num_key_value_heads"),
    ("deepseek-v4-flash", {"o_groups": 7}, "o_groups"),
    ("deepseek-v4-flash", {"hc_mult": 0}, "hc_mult"),
    ("minimax-m3", {"attention_output_gate": True}, "attention_output_gate"),
    ("minimax-m3", {"moe_intermediate_size": 1}, "moe_intermediate_size"),
    ("minimax-m3", {"moe_layer_freq": [1] * 59}, "moe_layer_freq"),
    ("minimax-text-01", {"layer_types": ["linear_attention"]}, "layer_types"),
    ("minimax-text-01", {"layer_types": ["lightning"] * 80}, "layer_types"),
    ("qwen3-next-80b-a3b", {"linear_num_value_heads": 33}, "linear_num_value_heads"),
    ("qwen3-next-80b-a3b", {"num_key_value_heads": 3}, "num_key_value_heads"),
    ("qwen3.5-27b", {"attn_output_gate": False}, "attn_output_gate"),
    ("kimi_linear", {"linear_attn_config": {"full_attn_layers": [2], "kda_layers": [1, 3]}}, "kda_layers"),
    ("mamba2-2.7b", {"num_heads": 81}, "num_heads"),
    ("mamba2-2.7b", {"n_groups": 3}, "n_groups"),
    ("mamba-130m", {"hidden_act": "relu"}, "hidden_act"),
    ("jamba-v0.1", {"attn_layer_offset": 8}, "attn_layer_offset"),
    ("granite-4.0-h-small", {"mamba_d_head": 32}, "mamba_d_head"),
    ("granite-4.0-h-small", {"position_embedding_type": "alibi"}, "position_embedding_type"),
    ("nemotron-h-56b", {"num_hidden_layers": 117}, "hybrid_override_pattern"),
    ("nemotron-h-56b", {"hybrid_override_pattern": "M-X"}, "hybrid_override_pattern"),
    ("recurrent_gemma", {"head_dim": 17}, "head_dim"),
    ("recurrent_gemma", {"block_types": []}, "block_types"),
    ("lfm2", {"layer_types": ["conv"]}, "layer_types"),
    ("zamba2", {"n_mamba_heads": 7}, "mamba_ngroups"),
    ("rwkv", {"attention_hidden_size": 80}, "attention_hidden_size"),
    ("xlstm", {"num_heads": 3}, "num_heads"),
    ("xlstm", {"num_hidden_layers": 10**9}, "num_hidden_layers"),
]
HARMLESS: Final = {
    "architectures": ["X"],
    "bos_token_id": 1,
    "use_cache": True,
    "initializer_range": 0.02,
    "attention_dropout": 0.1,
    "rms_norm_eps": 1e-6,
    "transformers_version": "4.51.0",
    "torch_dtype": "bfloat16",
    "auto_map": {"AutoConfig": "x.y"},
}


def _written(config: dict[str, Any], folder: Path) -> Path:
    path = folder / "config.json"
    path.write_text(json.dumps(config, indent=1))
    return path


@pytest.mark.parametrize(("name", "change", "key"), CONTRADICTIONS)
def test_a_contradiction_is_refused_at_its_key(name: str, change: dict[str, Any], key: str, tmp_path: Path) -> None:
    config = copy.deepcopy(CONFIGS[name]) | change
    with pytest.raises(SpecError, match=key) as caught:
        read_config(_written(config, tmp_path))
    assert caught.value.place is not None
    assert caught.value.place.line > 0


@pytest.mark.parametrize("name", CONFIGS)
def test_keys_that_change_no_shape_are_read_over(name: str, tmp_path: Path) -> None:
    plain = read_config(_written(CONFIGS[name], tmp_path), "model")
    dressed = read_config(_written({**HARMLESS, **CONFIGS[name]}, tmp_path), "model")
    assert plain.model_dump()["blocks"] == dressed.model_dump()["blocks"]


@pytest.mark.parametrize("name", CONFIGS)
def test_an_unknown_key_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="second_width"):
        read_config(_written({**CONFIGS[name], "second_width": 64}, tmp_path))
