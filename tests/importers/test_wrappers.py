"""Language models inside of multimodal classes: their sizes, and which word ties the head, class by class."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

import roofline as rl
from roofline.errors import SpecError
from roofline.importers.huggingface.read import read_config

from .configs import LLAMA, written

FACTS: Final[dict[str, Any]] = json.loads(Path(__file__).with_name("wrappers.json").read_text())["wrappers"]
_SAID: Final[dict[str, tuple[bool | None, bool | None]]] = {
    "nothing": (None, None),
    "outer tied, text not": (True, False),
    "text tied, outer not": (False, True),
}
CASES: Final = [(wrapper, said) for wrapper, facts in FACTS.items() for said in facts["parameters"]]


def _parameters(file: Path) -> float:
    return rl.estimate(read_config(file), gpu="h200", prompt=16, generate=1).parameters.total


@pytest.mark.parametrize(("wrapper", "said"), CASES, ids=[f"{wrapper}: {said}" for wrapper, said in CASES])
def test_the_language_model_of_every_class_has_the_parameters_of_the_library(
    tmp_path: Path, wrapper: str, said: str
) -> None:
    """A file as sparse as the library reads it: what it leaves out is its classes' own."""
    facts, (outer, text) = FACTS[wrapper], _SAID[said]
    section = facts["text"] | ({} if text is None else {"tie_word_embeddings": text})
    data = {"model_type": wrapper, "architectures": [facts["class"]], facts["section"]: section}
    data |= {} if outer is None else {"tie_word_embeddings": outer}
    assert _parameters(written(tmp_path, data)) == facts["parameters"][said]


def test_a_word_without_effect_is_told(tmp_path: Path) -> None:
    text = {**LLAMA, "model_type": "qwen2", "tie_word_embeddings": False}
    spec = read_config(written(tmp_path, {"model_type": "internvl", "text_config": text}))
    assert spec.tied_embeddings
    assert "text_config.tie_word_embeddings false has no effect in internvl: the head is the embedding" in spec.assumed


def test_without_its_class_a_wrapper_is_followed_by_its_text_section(tmp_path: Path) -> None:
    """InternVL's own code (internvl_chat) is no class of the library; nor is what brings code and says nothing."""
    text = {**LLAMA, "model_type": "qwen2", "tie_word_embeddings": False}
    for outer in ({"model_type": "internvl_chat", "llm_config": text}, _with_code(text)):
        assert not read_config(written(tmp_path, outer)).tied_embeddings


def test_files_of_version_4_follow_their_text_section(tmp_path: Path) -> None:
    """Mistral Small 3.1 of transformers 4.50 has a head of its own, though the class of version 5 would tie it."""
    data = {"model_type": "mistral3", "text_config": {**LLAMA, "model_type": "mistral"}}
    tied = [
        read_config(written(tmp_path, data | {"transformers_version": version})).tied_embeddings
        for version in ("4.50.0.dev0", "5.24.0")
    ]
    assert tied == [False, True]


def _with_code(text: dict[str, Any]) -> dict[str, Any]:
    return {"model_type": "internvl", "auto_map": {"AutoModel": "modeling.Own"}, "text_config": text}


def test_a_class_inside_of_a_class_is_the_one_that_counts(tmp_path: Path) -> None:
    """Qwen2.5-Omni: the thinker holds the text section, and the word of the thinker ties."""
    text = {**LLAMA, "model_type": "qwen2_5_omni_text"}
    thinker = {"model_type": "qwen2_5_omni_thinker", "tie_word_embeddings": True, "text_config": text}
    data = {"model_type": "qwen2_5_omni", "tie_word_embeddings": False, "thinker_config": thinker}
    assert read_config(written(tmp_path, data)).tied_embeddings


def test_minicpm_v_is_flat_and_its_version_says_which_text_model_it_has(tmp_path: Path) -> None:
    """MiniCPM-V 2.6 is Qwen 2, with biases; 4.0 is Llama, without; 4.5 is Qwen 3. Source: vLLM, minicpmv.py."""
    media = {"query_num": 64, "slice_config": {"max_slice_nums": 9}, "vision_config": {"hidden_size": 1152}}
    flat = {key: value for key, value in LLAMA.items() if key != "model_type"} | {"model_type": "minicpmv", **media}
    attention = {
        version: read_config(written(tmp_path, flat | {"version": version})).blocks[0].attention
        for version in (2.6, 4.0, 4.5)
    }
    assert [part.qkv_bias for part in attention.values()] == [True, False, False]
    assert [part.qk_norm for part in attention.values()] == [None, None, "head"]


def test_deepseek_without_latents_has_plain_attention(tmp_path: Path) -> None:
    """DeepSeek-VL2 tiny and DeepSeek-OCR: `use_mla: false`, and a head said to be there."""
    text = {
        **LLAMA,
        "model_type": "deepseek_v2",
        "num_key_value_heads": 8,
        "use_mla": False,
        "lm_head": True,
        "rm_head": False,
        "kv_lora_rank": None,
        "qk_nope_head_dim": 0,
        "qk_rope_head_dim": 0,
        "v_head_dim": 0,
        "n_routed_experts": 8,
        "num_experts_per_tok": 2,
        "moe_intermediate_size": 64,
        "n_shared_experts": 2,
        "first_k_dense_replace": 1,
    }
    spec = read_config(written(tmp_path, {"model_type": "deepseek_vl_v2", "language_config": text}))
    assert {(part.attention.kind, part.attention.head_dim) for part in spec.blocks} == {("softmax", 32)}


def test_a_multimodal_file_without_its_language_model_says_so(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="holds neither a section for its language model nor sizes"):
        read_config(written(tmp_path, {"model_type": "gemma3", "vision_config": {}}))


def test_a_flat_file_of_a_class_that_is_not_modelled_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="is not an architecture that is modelled"):
        read_config(written(tmp_path, {**LLAMA, "model_type": "glm_image", "vision_config": {}}))


def test_a_model_that_retrieves_pages_has_vectors_for_a_head(tmp_path: Path) -> None:
    """ColPali: PaliGemma's language model of 2,508,531,712, and 262,272 that project (transformers 5.24.0)."""
    text = {
        "model_type": "gemma",
        "vocab_size": 257152,
        "hidden_size": 2048,
        "intermediate_size": 16384,
        "num_attention_heads": 8,
        "num_key_value_heads": 1,
        "num_hidden_layers": 18,
    }
    data = {
        "model_type": "colpali",
        "architectures": ["ColPaliForRetrieval"],
        "embedding_dim": 128,
        "vlm_config": {"model_type": "paligemma", "text_config": text},
    }
    assert _parameters(written(tmp_path, data)) == 2_508_531_712 + 262_272


def test_tokens_that_are_decoded_at_once_change_no_shape(tmp_path: Path) -> None:
    """LocateAnything says `block_size` in its text section."""
    text = {**LLAMA, "model_type": "qwen2"}
    plain, blocks = (
        read_config(written(tmp_path, {"model_type": "locateanything", "text_config": text | more}))
        for more in ({}, {"block_size": 6})
    )
    assert plain.blocks == blocks.blocks
    assert any("text_config.block_size" in note for note in blocks.assumed)
