"""Families whose files bring code of their own, and what such code changes: totals that their makers publish."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

import roofline as rl
from tests.importers.configs import written

#: What the Ling and Ring files have in common.
LING: Final[dict[str, Any]] = {
    "model_type": "bailing_moe",
    "architectures": ["BailingMoeV2ForCausalLM"],
    "hidden_size": 2048,
    "intermediate_size": 5120,
    "moe_intermediate_size": 512,
    "num_hidden_layers": 20,
    "num_attention_heads": 16,
    "num_key_value_heads": 4,
    "head_dim": 128,
    "num_experts": 256,
    "num_experts_per_tok": 8,
    "num_shared_experts": 1,
    "first_k_dense_replace": 1,
    "partial_rotary_factor": 0.5,
    "use_qk_norm": True,
    "vocab_size": 157184,
}
LITE: Final = {
    **LING,
    "architectures": ["BailingMoeForCausalLM"],
    "num_hidden_layers": 28,
    "num_experts": 64,
    "num_experts_per_tok": 6,
    "moe_intermediate_size": 1408,
    "num_shared_experts": 2,
    "first_k_dense_replace": 0,
    "use_qk_norm": False,
    "norm_head": True,
    "vocab_size": 126464,
}
FLASH: Final = {
    **LING,
    "hidden_size": 4096,
    "intermediate_size": 9216,
    "moe_intermediate_size": 1024,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
}
LINEAR: Final = {
    **LING,
    "model_type": "bailing_moe_linear",
    "architectures": ["BailingMoeLinearV2ForCausalLM"],
    "layer_group_size": 5,
    "group_norm_size": 4,
    "linear_silu": False,
}
#: Billions of parameters, and of those that a token uses. Source: model cards of Ling-mini-2.0 (16B, 1.4B), Ling-lite
#: (16.8B, 2.75B), Ling-flash-2.0 (100B, 6.1B), Ring-mini-linear-2.0 (16.4B, 1.6B with the head and embedding).
PUBLISHED: Final = [
    ("mini", LING, 16.26, 1.43),
    ("lite", LITE, 16.80, 2.75),
    ("flash", FLASH, 102.9, 6.15),
    ("linear", LINEAR, 16.42, 1.60),
]


@pytest.mark.parametrize(("name", "config", "total", "active"), PUBLISHED)
def test_ling_and_ring_have_their_published_parameters(
    name: str, config: dict[str, Any], total: float, active: float, tmp_path: Path
) -> None:
    file = written(tmp_path, config, f"{name}.json")
    found = rl.estimate(str(file), gpu="h100", prompt=16).to_dict()["parameters"]
    assert found["total"] / 1e9 == pytest.approx(total, abs=0.05)
    assert found["active"] / 1e9 == pytest.approx(active, abs=0.01)


#: LongCat Flash as released. Source: its model card and Meituan 2025 (arXiv:2509.01322): 560B, of which 18.6 to 31.3B
#: are used, 27B on average.
LONGCAT: Final[dict[str, Any]] = {
    "model_type": "longcat_flash",
    "hidden_size": 6144,
    "ffn_hidden_size": 12288,
    "expert_ffn_hidden_size": 2048,
    "num_layers": 28,
    "num_attention_heads": 64,
    "n_routed_experts": 512,
    "zero_expert_num": 256,
    "moe_topk": 12,
    "q_lora_rank": 1536,
    "kv_lora_rank": 512,
    "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64,
    "v_head_dim": 128,
    "vocab_size": 131072,
}


def test_experts_without_matrices_are_held_by_the_class_of_the_library_alone(tmp_path: Path) -> None:
    own = {**LONGCAT, "auto_map": {"AutoModelForCausalLM": "modeling_longcat_flash.LongcatFlashForCausalLM"}}
    counts = [
        rl.estimate(str(written(tmp_path, config, name)), gpu="h100", prompt=16).to_dict()["parameters"]
        for name, config in (("own.json", own), ("class.json", LONGCAT))
    ]
    assert counts[0]["total"] / 1e9 == pytest.approx(560.0, abs=1.0)
    assert counts[0]["active"] == counts[1]["active"]
    assert 26e9 < counts[0]["active"] < 28e9
    assert counts[1]["total"] - counts[0]["total"] == 28 * 256 * 2 * 2048 * 6144


def test_a_frequency_is_read_where_the_file_brings_code(tmp_path: Path) -> None:
    config: dict[str, Any] = {
        "model_type": "deepseek_v3",
        "hidden_size": 128,
        "intermediate_size": 300,
        "moe_intermediate_size": 64,
        "num_hidden_layers": 5,
        "num_attention_heads": 4,
        "n_routed_experts": 8,
        "num_experts_per_tok": 2,
        "n_shared_experts": 1,
        "first_k_dense_replace": 1,
        "moe_layer_freq": 2,
        "q_lora_rank": None,
        "kv_lora_rank": 16,
        "qk_nope_head_dim": 24,
        "qk_rope_head_dim": 8,
        "v_head_dim": 24,
        "vocab_size": 1000,
    }
    of_class = rl.load_model(str(written(tmp_path, config, "class.json")))
    own = rl.load_model(str(written(tmp_path, config | {"auto_map": {"AutoModel": "x.Y"}}, "own.json")))
    experts = [
        [block.layers for block in spec.blocks if block.feed_forward.kind == "experts"] for spec in (of_class, own)
    ]
    assert experts == [[4], [2]]
    assert any("moe_layer_freq" in told for told in of_class.assumed)
