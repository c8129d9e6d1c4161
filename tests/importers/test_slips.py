"""Files with a slip, without a key that they need, or that are none: each is told, with what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

import roofline as rl
from roofline.errors import SpecError
from roofline.importers.huggingface.read import read_config

from .configs import LLAMA, written

_VISION: Final = {"depth": 2, "hidden_size": 256, "num_heads": 4, "patch_size": 14}
_DEEPSEEK: Final = {
    "model_type": "deepseek_v3",
    "vocab_size": 1000,
    "hidden_size": 256,
    "intermediate_size": 512,
    "moe_intermediate_size": 64,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "n_routed_experts": 16,
    "n_shared_experts": 1,
    "num_experts_per_tok": 4,
    "n_group": 4,
    "topk_group": 2,
    "first_k_dense_replace": 1,
    "kv_lora_rank": 64,
    "q_lora_rank": 96,
    "qk_nope_head_dim": 32,
    "qk_rope_head_dim": 16,
    "v_head_dim": 32,
}


@pytest.mark.parametrize(
    ("key", "written_as"),
    [
        ("num_hidden_layers", "num_hidden_layer"),
        ("hidden_size", "hidden_sise"),
        ("vocab_size", "vocab-size"),
        ("num_attention_heads", "num_atention_heads"),
        ("intermediate_size", "intermediat_size"),
        ("model_type", "model_typ"),
    ],
)
def test_a_key_that_is_missing_and_stands_there_misspelt_is_shown(tmp_path: Path, key: str, written_as: str) -> None:
    data = {written_as if name == key else name: value for name, value in LLAMA.items()}
    path = tmp_path / "config.json"
    path.write_text(json.dumps(data, indent=1))
    line = 2 + list(data).index(written_as)
    with pytest.raises(SpecError, match=rf"'{key}' is missing[\s\S]*{written_as}.* on line {line}") as error:
        read_config(path)
    assert error.value.place is not None
    assert error.value.place.line == line


def test_another_key_is_not_taken_for_a_slip(tmp_path: Path) -> None:
    data = {**_DEEPSEEK}
    del data["intermediate_size"]
    with pytest.raises(SpecError, match="'intermediate_size' is missing") as error:
        read_config(written(tmp_path, data))
    assert "Did you mean" not in str(error.value)


@pytest.mark.parametrize(
    "key",
    ["kv_lora_rank", "q_lora_rank", "moe_intermediate_size", "qk_rope_head_dim", "v_head_dim"],
)
def test_a_size_that_makes_the_model_is_not_left_to_its_class(tmp_path: Path, key: str) -> None:
    assert read_config(written(tmp_path, _DEEPSEEK))
    with pytest.raises(SpecError, match=f"'{key}' is missing"):
        read_config(written(tmp_path, {name: value for name, value in _DEEPSEEK.items() if name != key}))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n",
            "Git LFS pointer[^\n]*\n.*git lfs pull",
        ),
        ("<!DOCTYPE html>\n<html><head></head></html>", "HTML page[^\n]*\n.*/resolve/"),
        ("\n <html lang='en'>", "HTML page"),
    ],
)
def test_a_file_that_is_not_the_config_is_named(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "config.json").write_text(text)
    for path in (tmp_path, tmp_path / "config.json"):
        with pytest.raises(SpecError, match=words):
            rl.load_model(str(path))


def test_a_class_says_the_model_type_that_a_file_lacks(tmp_path: Path) -> None:
    data: dict[str, Any] = {**LLAMA, "architectures": ["LlamaForCausalLM"]}
    whole = read_config(written(tmp_path, data))
    spec = read_config(written(tmp_path, {key: value for key, value in data.items() if key != "model_type"}))
    assert spec.blocks == whole.blocks  # type: ignore[attr-defined]
    assert any("no model_type in the file: llama" in note for note in spec.assumed)


def test_a_class_says_the_model_type_of_a_multimodal_file(tmp_path: Path) -> None:
    data = {**LLAMA, "architectures": ["Qwen2VLForConditionalGeneration"], "vision_config": _VISION}
    del data["model_type"]
    assert rl.estimate(written(tmp_path, data), gpu="h100").parameters.beside["towers"] > 0


def test_the_section_that_an_internvl_lacks_is_said(tmp_path: Path) -> None:
    data = {"model_type": "internvl_chat", "vision_config": {"hidden_size": 1024}}
    with pytest.raises(SpecError, match="llm_config"):
        read_config(written(tmp_path, data))
    read_config(written(tmp_path, {**data, "llm_config": LLAMA}))


@pytest.mark.parametrize("held", ["qwen2_vl", "qwen2_5_vl"])
def test_the_model_inside_of_a_retriever_may_be_flat(tmp_path: Path, held: str) -> None:
    """ColQwen2: `vlm_config` is a Qwen2-VL whose sizes stand beside its vision_config."""
    text = {**LLAMA, "model_type": held, "vision_config": {**_VISION, "out_hidden_size": 256}}
    data = {
        "model_type": "colqwen2",
        "architectures": ["ColQwen2ForRetrieval"],
        "embedding_dim": 128,
        "vlm_config": text,
    }
    est = rl.estimate(written(tmp_path, data), gpu="h100")
    assert est.parameters.beside["towers"] > 0
    assert not any("no vision_config" in note for note in est.assumptions)
    assert [phase.name for phase in est.phases] == ["prefill"]
