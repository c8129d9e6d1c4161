"""The three forms of multimodal files, and what their text sections leave to the class."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

import roofline as rl
from roofline.errors import SpecError
from roofline.importers.huggingface.read import read_config

from .configs import GEMMA, LLAMA, written

#: Qwen2.5-VL 3B and 7B. Source: sophgo/LLM-TPU models/Qwen2_5_VL; allenai/olmOCR-2-7B-1025; the totals are those of
#: Qwen2_5_VLForConditionalGeneration.language_model with its head (transformers 5.24.0, meta device).
FLAT: Final[dict[str, Any]] = {
    "model_type": "qwen2_5_vl",
    "hidden_size": 2048,
    "intermediate_size": 11008,
    "num_attention_heads": 16,
    "num_hidden_layers": 36,
    "num_key_value_heads": 2,
    "sliding_window": 32768,
    "use_sliding_window": False,
    "tie_word_embeddings": True,
    "vocab_size": 151936,
    "vision_config": {"depth": 32, "hidden_size": 1280, "out_hidden_size": 2048},
}
_SIZES: Final = {
    "hidden_size": 3584,
    "intermediate_size": 18944,
    "num_hidden_layers": 28,
    "num_attention_heads": 28,
    "num_key_value_heads": 4,
    "vocab_size": 152064,
}
DOUBLED: Final[dict[str, Any]] = {
    "model_type": "qwen2_5_vl",
    "tie_word_embeddings": False,
    "sliding_window": 32768,
    **_SIZES,
    "text_config": {"model_type": "qwen2_5_vl_text", "sliding_window": None, **_SIZES},
}


def _read(folder: Path, data: dict[str, Any]) -> Any:
    return read_config(written(folder, data))


def test_the_top_level_of_a_flat_file_is_its_text_model(tmp_path: Path) -> None:
    spec = _read(tmp_path, FLAT)
    assert rl.estimate(spec, gpu="h200").parameters.total == 3_085_938_688
    assert any("top level" in note for note in spec.assumed)


def test_a_doubled_file_is_its_section_and_what_differs_is_told(tmp_path: Path) -> None:
    spec = _read(tmp_path, DOUBLED)
    assert rl.estimate(spec, gpu="h200").parameters.total == 7_615_616_512
    assert any("text_config counts" in note and "sliding_window 32768" in note for note in spec.assumed)


def test_a_size_that_only_the_top_level_states_is_taken_there(tmp_path: Path) -> None:
    text = {key: value for key, value in DOUBLED["text_config"].items() if key != "vocab_size"}
    spec = _read(tmp_path, DOUBLED | {"text_config": text})
    assert rl.estimate(spec, gpu="h200").parameters.total == 7_615_616_512
    assert any("from the top level: vocab_size 152064" in note for note in spec.assumed)


def test_a_flat_file_must_state_its_sizes(tmp_path: Path) -> None:
    data = {key: value for key, value in FLAT.items() if key != "num_attention_heads"}
    with pytest.raises(SpecError, match="'num_attention_heads' is missing"):
        _read(tmp_path, data)


#: Text sections as they were published, and the parameters of the classes' language models with their heads
#: (transformers 5.24.0, meta device). Source of the first two: sophgo/LLM-TPU.
LEFT_TO_THE_CLASS: Final = {
    "gemma3": (
        {"model_type": "gemma3_text", "hidden_size": 2560, "intermediate_size": 10240, "num_hidden_layers": 34},
        3_880_263_168,
        "num_attention_heads 8",
    ),
    "qwen2_audio": ({"model_type": "qwen2", "intermediate_size": 11008, "vocab_size": 156032}, 7_754_878_976, "4096"),
    "llava": ({"model_type": "llama", "vocab_size": 32064}, 6_738_939_904, "num_hidden_layers 32"),
}


@pytest.mark.parametrize("model_type", LEFT_TO_THE_CLASS)
def test_a_section_leaves_to_its_class_what_it_does_not_state(tmp_path: Path, model_type: str) -> None:
    section, parameters, told = LEFT_TO_THE_CLASS[model_type]
    spec = _read(tmp_path, {"model_type": model_type, "text_config": section})
    est = rl.estimate(spec, gpu="h200")
    assert est.parameters.total == parameters
    assert any("as the config class" in note and told in note for note in est.assumptions)


def test_a_section_without_any_size_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="is missing"):
        _read(tmp_path, {"model_type": "gemma3", "text_config": {"model_type": "gemma3_text"}})


def test_a_key_of_experts_beside_a_text_model_is_refused_where_its_code_is_not_known(tmp_path: Path) -> None:
    data = {"model_type": "gemma3", "text_config": GEMMA, "num_experts": 8}
    assert any("num_experts" in note for note in _read(tmp_path, data).assumed)
    with pytest.raises(SpecError, match="num_experts"):
        _read(tmp_path, data | {"auto_map": {"AutoConfig": "configuration_x.XConfig"}})


def test_other_names_of_a_class_are_read_as_the_class(tmp_path: Path) -> None:
    """EXAONE 4.5 calls the text model exaone4_5_text, of the same class."""
    text = {**LLAMA, "sliding_window": 64, "sliding_window_pattern": "LLLG", "num_nextn_predict_layers": 1}
    spec = _read(tmp_path, {"model_type": "exaone4_5", "text_config": {**text, "model_type": "exaone4_5_text"}})
    plain = _read(tmp_path, {**text, "model_type": "exaone4"})
    assert spec.blocks == plain.blocks
    assert spec.mtp is not None


@pytest.mark.parametrize("value", [{"model_type": "clip"}, ["llama"], 3, True])
def test_a_type_of_a_section_that_is_no_text_is_refused(tmp_path: Path, value: Any) -> None:
    with pytest.raises(SpecError, match="must be text") as caught:
        _read(tmp_path, {"model_type": "llava", "text_config": {**GEMMA, "model_type": value}})
    assert caught.value.field == "text_config.model_type"
