"""Quantised checkpoints of families with code of their own: which operations their modules are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from roofline.importers.huggingface.read import import_named

MODELS: Final[dict[str, Any]] = json.loads((Path(__file__).parent / "own_families.json").read_text())["models"]
_QKV: Final = {"q_proj", "k_proj", "v_proj"}
_GATED: Final = {"gate_proj", "up_proj"}
#: Names as the released checkpoints have them.
MODULES: Final[dict[str, dict[str, set[str]]]] = {
    "internlm2-7b": {
        "model.layers.3.attention.wqkv": _QKV,
        "model.layers.3.attention.wo": {"o_proj"},
        "model.layers.3.feed_forward.w1": {"gate_proj"},
        "model.layers.3.feed_forward.w2": {"down_proj"},
        "model.layers.3.feed_forward.w3": {"up_proj"},
        "model.tok_embeddings": {"embedding"},
        "output": {"head"},
    },
    "baichuan2-7b": {"model.layers.0.self_attn.W_pack": _QKV, "model.layers.0.mlp.gate_proj": {"gate_proj"}},
    "chatglm3-6b": {
        "transformer.encoder.layers.5.self_attention.query_key_value": _QKV,
        "transformer.encoder.layers.5.self_attention.dense": {"o_proj"},
        "transformer.encoder.layers.5.mlp.dense_h_to_4h": _GATED,
        "transformer.encoder.layers.5.mlp.dense_4h_to_h": {"down_proj"},
        "transformer.output_layer": {"head"},
        "transformer.embedding.word_embeddings": {"embedding"},
    },
    "qwen-7b": {
        "transformer.h.1.attn.c_attn": _QKV,
        "transformer.h.1.attn.c_proj": {"o_proj"},
        "transformer.h.1.mlp.w1": {"up_proj"},
        "transformer.h.1.mlp.w2": {"gate_proj"},
        "transformer.h.1.mlp.c_proj": {"down_proj"},
    },
    "phi-2": {"transformer.h.0.mixer.Wqkv": _QKV, "transformer.h.0.mixer.out_proj": {"o_proj"}},
    "openelm-270m": {
        "transformer.layers.2.attn.qkv_proj": _QKV,
        "transformer.layers.2.ffn.proj_1": _GATED,
        "transformer.layers.2.ffn.proj_2": {"down_proj"},
    },
    "deepseek-moe-16b": {
        "model.layers.1.mlp.gate": {"router"},
        "model.layers.1.mlp.shared_experts.down_proj": {"shared_down_proj"},
        "model.layers.0.mlp.down_proj": {"down_proj"},
    },
}


@pytest.mark.parametrize("model", MODULES)
def test_modules_of_released_checkpoints_are_known(tmp_path: Path, model: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(MODELS[model]["config"]))
    names = import_named(path).names
    assert names is not None
    assert {name: set(names.operations(name)) for name in MODULES[model]} == MODULES[model]


def test_an_ignored_module_of_qwen_stays_in_its_format(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    weights = {"num_bits": 4, "type": "int", "symmetric": True, "strategy": "group", "group_size": 128}
    group = {"targets": ["Linear"], "weights": weights}
    quantization = {"quant_method": "compressed-tensors", "config_groups": {"group_0": group}}
    quantization["ignore"] = ["lm_head", *(f"transformer.h.{layer}.mlp.w2" for layer in range(32))]
    path.write_text(json.dumps({**MODELS["qwen-7b"]["config"], "quantization_config": quantization}))
    data = import_named(path).data
    (block,) = data["blocks"]
    formats = {**data.get("dtypes", {}), **block.get("dtypes", {})}
    assert formats["gate_proj"] == "bf16"
    assert data["dtype"] != "bf16"
