"""Families whose files bring code of their own: published counts, and what is not modelled is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from roofline.architectures.text.transformer import transformer_workload
from roofline.errors import SpecError
from roofline.importers.huggingface.read import read_config
from roofline.specs.text.transformer import SoftmaxAttention, TransformerSpec
from roofline.workload.run import TextRun

MODELS: Final[dict[str, Any]] = json.loads((Path(__file__).parent / "own_families.json").read_text())["models"]


def _read(folder: Path, config: dict[str, Any]) -> TransformerSpec:
    path = folder / "model.json"
    path.write_text(json.dumps(config))
    spec = read_config(path)
    assert isinstance(spec, TransformerSpec)
    return spec


def _parameters(spec: TransformerSpec) -> float:
    return transformer_workload(spec, TextRun(1.0, 16.0, 1.0)).parameters


def _attention(spec: TransformerSpec, group: int = 0) -> SoftmaxAttention:
    attention = spec.blocks[group].attention
    assert isinstance(attention, SoftmaxAttention)
    return attention


def _config(name: str, **change: Any) -> dict[str, Any]:
    return {**MODELS[name]["config"], **change}


@pytest.mark.parametrize("name", MODELS)
def test_parameters_are_those_that_are_published(tmp_path: Path, name: str) -> None:
    assert _parameters(_read(tmp_path, MODELS[name]["config"])) == MODELS[name]["parameters"]


@pytest.mark.parametrize(
    ("name", "positions", "context"),
    [
        ("baichuan-7b", "rotary", 4096),
        ("baichuan-13b", "alibi", 4096),
        ("baichuan2-7b", "rotary", 4096),
        ("chatglm2-6b", "rotary", 32768),
        ("qwen-7b", "rotary", 8192),
    ],
)
def test_positions_and_context(tmp_path: Path, name: str, positions: str, context: int) -> None:
    spec = _read(tmp_path, MODELS[name]["config"])
    assert (spec.positions.kind, spec.max_context) == (positions, context)


def test_a_baichuan_file_without_a_context_takes_the_positions_of_its_width_and_says_so(tmp_path: Path) -> None:
    spec = _read(tmp_path, _config("baichuan-13b", model_max_length=None))
    assert spec.positions.kind == "alibi"
    assert any("max_position_embeddings nor model_max_length" in note for note in spec.assumed)


def test_chatglm_without_multi_query_attention_has_a_key_head_per_query_head(tmp_path: Path) -> None:
    spec = _read(tmp_path, _config("chatglm3-6b", multi_query_attention=False))
    assert _attention(spec).kv_heads == _attention(spec).heads == 32


def test_chatglm_with_biases_everywhere(tmp_path: Path) -> None:
    more = _parameters(_read(tmp_path, _config("chatglm3-6b", add_bias_linear=True))) - 6_243_584_000
    assert more == 28 * (4096 + 2 * 13696 + 4096)


def test_the_first_chatglm_tells_what_its_prompt_attends_to(tmp_path: Path) -> None:
    spec = _read(tmp_path, MODELS["chatglm-6b"]["config"])
    assert any("attends to all of itself" in note for note in spec.assumed)


def test_phi4mm_tells_how_many_parameters_its_adapters_have(tmp_path: Path) -> None:
    sizes = {"hidden_size": 128, "num_hidden_layers": 3, "num_attention_heads": 8, "num_key_value_heads": 2}
    config = {"model_type": "phi4mm", **sizes, "intermediate_size": 96, "vocab_size": 100, "embd_layer": {"a": 1}}
    spec = _read(tmp_path, {**config, "vision_lora": {"r": 4, "lora_alpha": 8}, "speech_lora": {"r": 2}})
    adapters = 3 * 6 * ((128 + 192) + (128 + 128) + (128 + 192) + (96 + 128))
    assert any(f"{adapters:,} parameters" in left for left in spec.left_out)
    assert any("embd_layer" in left for left in spec.left_out)


def test_qwen_refuses_an_odd_width_of_gate_and_up(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="gate and up"):
        _read(tmp_path, _config("qwen-7b", intermediate_size=22017))


def test_minicpm_has_experts_where_its_file_says_so(tmp_path: Path) -> None:
    spec = _read(tmp_path, _config("minicpm-2b", num_experts=8, num_experts_per_tok=2))
    feed_forward = spec.blocks[0].feed_forward
    assert feed_forward is not None
    assert feed_forward.kind == "experts"
    assert _parameters(spec) - MODELS["minicpm-2b"]["parameters"] == 40 * (7 * 3 * 2304 * 5760 + 8 * 2304)


def test_minicpm_tells_of_sparse_attention_that_is_not_counted(tmp_path: Path) -> None:
    spec = _read(tmp_path, _config("minicpm-2b", sparse_config={"kernel_size": 32, "block_size": 64, "topk": 64}))
    assert any("sparse_config" in note for note in spec.assumed)


def test_openelm_has_heads_of_its_own_in_each_layer(tmp_path: Path) -> None:
    spec = _read(tmp_path, MODELS["openelm-270m"]["config"])
    assert [_attention(spec, index).heads for index in (0, 6)] == [12, 16]
    assert sum(group.layers for group in spec.blocks) == 16
    with pytest.raises(SpecError, match="num_query_heads"):
        _read(tmp_path, _config("openelm-270m", num_query_heads=[12] * 15))


def test_decilm_has_key_heads_of_its_own_in_each_layer(tmp_path: Path) -> None:
    sizes = {"hidden_size": 128, "num_hidden_layers": 3, "num_attention_heads": 8, "vocab_size": 100}
    config = {"model_type": "deci", **sizes, "intermediate_size": 64, "max_position_embeddings": 64}
    spec = _read(tmp_path, {**config, "num_key_value_heads_per_layer": [4, 1, 4]})
    assert [(group.layers, _attention(spec, i).kv_heads) for i, group in enumerate(spec.blocks)] == [(2, 4), (1, 1)]
    with pytest.raises(SpecError, match="num_key_value_heads_per_layer"):
        _read(tmp_path, config)


def test_telechat_has_biases_of_the_last_matrices_alone(tmp_path: Path) -> None:
    config = {"model_type": "telechat", "hidden_size": 128, "n_layer": 2, "n_head": 8, "ffn_hidden_size": 96}
    spec = _read(tmp_path, {**config, "vocab_size": 100, "seq_length": 64})
    matrices = 4 * 128 * 128 + 3 * 128 * 96
    assert _parameters(spec) == 2 * 100 * 128 + 2 * (matrices + 2 * 128 + 2 * 128) + 128


@pytest.mark.parametrize("key", ["attention_bias", "qkv_bias"])
def test_a_flag_that_the_class_does_not_read_is_told(tmp_path: Path, key: str) -> None:
    config = {"model_type": "qwen2", "hidden_size": 128, "num_hidden_layers": 2, "num_attention_heads": 8}
    config |= {"intermediate_size": 64, "vocab_size": 100, "num_key_value_heads": 2, key: False}
    spec = _read(tmp_path, config)
    assert _attention(spec).qkv_bias
    assert any(f"{key} false has no effect" in note for note in spec.assumed)
