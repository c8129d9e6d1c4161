"""The parameters of vision and audio towers, computed from their sections, against those of the libraries' models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import roofline as rl
from roofline.architectures.towers.parameters import tower_parameters
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.read import import_config, read_config
from roofline.importers.huggingface.towers.read import TOWERS, towers_of
from roofline.importers.huggingface.towers.sections import absent_sections
from roofline.importers.huggingface.towers.sound import whisper
from roofline.importers.json_document import parse_json
from roofline.importers.model_file import model_text
from roofline.specs.files.reader import read_model
from roofline.specs.text.tower import Tower

from .configs import GEMMA, LLAMA, written

_SIGLIP: Final = {
    "model_type": "siglip_vision_model",
    "hidden_size": 1152,
    "intermediate_size": 4304,
    "num_attention_heads": 16,
    "num_hidden_layers": 27,
    "patch_size": 14,
    "vision_use_head": False,
}
_CLIP: Final = {
    "model_type": "clip_vision_model",
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_attention_heads": 16,
    "num_hidden_layers": 24,
    "patch_size": 14,
    "image_size": 336,
}
_PIXTRAL: Final = {
    "model_type": "pixtral",
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_attention_heads": 16,
    "num_hidden_layers": 24,
    "patch_size": 14,
    "image_size": 1540,
    "head_dim": 64,
}
_INTERN: Final = {
    "model_type": "internvl_vision",
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_attention_heads": 16,
    "num_hidden_layers": 24,
    "patch_size": [14, 14],
    "image_size": [448, 448],
    "attention_bias": True,
}
_QWEN: Final = {"depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16, "patch_size": 14}
_QWEN3: Final = {"depth": 27, "hidden_size": 1152, "intermediate_size": 4304, "num_heads": 16, "patch_size": 16}
_MLLAMA: Final = {
    "model_type": "mllama_vision_model",
    "hidden_size": 1280,
    "intermediate_size": 5120,
    "attention_heads": 16,
    "num_hidden_layers": 32,
    "num_global_layers": 8,
    "image_size": 448,
    "patch_size": 14,
    "max_num_tiles": 4,
    "vision_output_dim": 7680,
}
_LLAMA4: Final = {
    "model_type": "llama4_vision_model",
    "hidden_size": 1408,
    "intermediate_size": 5632,
    "num_attention_heads": 16,
    "num_hidden_layers": 34,
    "image_size": 336,
    "patch_size": 14,
    "vision_output_dim": 4096,
}
_WHISPER: Final = {
    "model_type": "qwen2_audio_encoder",
    "d_model": 1280,
    "encoder_layers": 32,
    "encoder_attention_heads": 20,
    "encoder_ffn_dim": 5120,
    "num_mel_bins": 128,
    "max_source_positions": 1500,
}

#: Model type, keys beside the text, width of the text, parameters of all that stands beside it. Source: sums of tensor
#: sizes of the classes named by the model types (transformers 5.24.0, meta device); those of Llama 4 and Ministral 3
#: are the released files' totals (108,641,793,536 and 3,849,090,048) less the text models.
_COUNTED: Final = [
    ("qwen2_5_vl", {"vision_config": {**_QWEN, "out_hidden_size": 3584}}, 3584, 676_550_144),
    ("gemma3", {"vision_config": {**_SIGLIP, "image_size": 896}}, 2560, 416_866_032 + 2_950_272),
    ("llava", {"vision_config": _CLIP}, 4096, 303_507_456 + 20_979_712),
    ("internvl", {"vision_config": _INTERN, "downsample_ratio": 0.5}, 3584, 304_012_288 + 27_540_480),
    ("mistral3", {"vision_config": _PIXTRAL, "spatial_merge_size": 2}, 5120, 403_305_472 + 35_652_608),
    ("mistral3", {"vision_config": _PIXTRAL, "spatial_merge_size": 2}, 3072, 420_083_712),
    ("paligemma", {"vision_config": _SIGLIP}, 2048, 412_442_352 + 2_361_344),
    (
        "idefics3",
        {"vision_config": {**_SIGLIP, "model_type": "idefics3", "image_size": 364}, "scale_factor": 2},
        4096,
        412_926_192 + 18_874_368,
    ),
    ("mllama", {"vision_config": _MLLAMA}, 4096, 836_288_019 + 31_461_376),
    ("qwen2_audio", {"audio_config": _WHISPER}, 4096, 636_968_960 + 5_246_976),
    ("qwen3_vl_moe", {"vision_config": {**_QWEN3, "out_hidden_size": 4096}}, 4096, 576_388_336),
    ("qwen3_5", {"vision_config": {**_QWEN3, "out_hidden_size": 5120}}, 5120, 460_730_096),
    ("llama4", {"vision_config": _LLAMA4}, 5120, 871_932_416),
    (
        "gemma4",
        {
            "vision_config": {
                "hidden_size": 1152,
                "intermediate_size": 4304,
                "head_dim": 72,
                "num_attention_heads": 16,
                "num_key_value_heads": 16,
                "num_hidden_layers": 27,
            }
        },
        2816,
        569_548_080 + 3_244_032,
    ),
    (
        "kimi_k25",
        {"vision_config": {"init_pos_emb_height": 64, "init_pos_emb_width": 64, "vt_num_hidden_layers": 27}},
        7168,
        416_866_032 + 54_277_888,
    ),
    (
        "minimax_m3_vl",
        {"vision_config": {"model_type": "clip_vision_model"}, "projector_hidden_size": 6144},
        6144,
        631_185_920 + 234_381_312,
    ),
    (
        "glm4v",
        {"vision_config": {"depth": 24, "hidden_size": 1536, "num_heads": 12, "out_hidden_size": 4096}},
        4096,
        892_498_432,
    ),
    (
        "lfm2_vl",
        {
            "vision_config": {**_SIGLIP, "model_type": "siglip2_vision_model", "patch_size": 16, "num_patches": 256},
            "projector_hidden_size": 2048,
            "projector_use_layernorm": False,
        },
        2048,
        412_649_712 + 13_635_584,
    ),
    ("qwen2_vl", {"vision_config": {"hidden_size": 8192}}, 8192, 699_356_672),
    ("exaone4_5", {"vision_config": {}}, 3584, 2_671_868_672),
    (
        "voxtral",
        {"audio_config": {"model_type": "voxtral_encoder", "num_hidden_layers": 2}},
        3072,
        46_684_160 + 25_165_824,
    ),
    ("gemma4", {"audio_config": {}}, 2304, 304_824_608 + 3_538_944),
    ("glmasr", {"audio_config": {"num_hidden_layers": 2}}, 2048, 44_764_160 + 29_366_272),
]


def _beside(model_type: str, keys: dict[str, Any], width: int) -> Any:
    document = parse_json(json.dumps({"model_type": model_type, "text_config": {}, **keys}), "config.json")
    return towers_of(Config(document, {}, ("text_config",), outer=Config(document, document.data)), width)


@pytest.mark.parametrize(("model_type", "keys", "width", "parameters"), _COUNTED)
def test_parameters_are_those_of_the_class(model_type: str, keys: Any, width: int, parameters: int) -> None:
    found = _beside(model_type, keys, width)
    assert not found.left_out
    assert sum(tower_parameters(Tower.model_validate(tower)) for tower in found.towers) == parameters


def test_the_encoder_of_whisper_large_v3() -> None:
    """636,968,960 of WhisperEncoder (transformers 5.24.0, meta device)."""
    document = parse_json(json.dumps(_WHISPER), "config.json")
    tower = {"name": "audio", "kind": "whisper", **whisper(Config(document, document.data))}
    assert tower_parameters(Tower.model_validate(tower)) == 636_968_960


@pytest.mark.parametrize(
    ("model_type", "keys", "words"),
    [
        ("gemma3n", {"vision_config": {"model_type": "gemma3n_vision"}}, "not modelled"),
        ("gemma3", {"vision_config": {"model_type": "eva_vision"}}, "encoder that is not modelled"),
        ("gemma3", {"vision_config": {**_SIGLIP, "num_attention_heads": 7}}, "do not divide by 7"),
        ("gemma3", {"vision_config": {**_SIGLIP, "hidden_size": -1}}, "hidden_size"),
        ("gemma3", {"vision_config": {**_SIGLIP, "image_size": 7}}, "rows"),
        ("llava", {"mm_vision_tower": "openai/clip-vit-huge-of-mine"}, "does not state its sizes"),
    ],
)
def test_a_tower_that_cannot_be_counted_is_said_to_be_left_out(model_type: str, keys: Any, words: str) -> None:
    found = _beside(model_type, keys, 2048)
    assert not found.towers
    assert words in found.left_out[0]


def test_a_tower_that_is_not_counted_is_a_warning_of_the_answer(tmp_path: Path) -> None:
    data = {"model_type": "gemma3", "text_config": GEMMA, "vision_config": {"model_type": "eva_vision"}}
    warnings = rl.estimate(read_config(written(tmp_path, data)), gpu="h100").warnings
    assert any(warn.code == "tower-not-counted" and "eva_vision" in warn.text for warn in warnings)


def test_sizes_that_a_tower_leaves_to_its_class_are_told(tmp_path: Path) -> None:
    data = {"model_type": "gemma3", "text_config": GEMMA, "vision_config": {"hidden_size": 1152}}
    assumptions = rl.estimate(read_config(written(tmp_path, data)), gpu="h100").assumptions
    assert any("not in vision_config" in note and "num_hidden_layers 12" in note for note in assumptions)


def test_a_tower_of_which_a_file_says_nothing_is_held_only_when_asked_for(tmp_path: Path) -> None:
    """Files of text-only checkpoints keep the name of the multimodal class, which would make an encoder of its own."""
    spec = read_config(written(tmp_path, {"model_type": "gemma3", "text_config": GEMMA}))
    without, held = rl.estimate(spec, gpu="h100"), rl.estimate(spec, gpu="h100", vision=True)
    assert any("the file does not describe it" in note for note in without.assumptions)
    assert held.memory.weights_bytes - without.memory.weights_bytes == 2 * spec_towers(spec)
    assert [phase.name for phase in without.phases] == ["prefill", "decode"]


def spec_towers(spec: Any) -> float:
    return sum(tower_parameters(tower) for tower in spec.towers)


def test_sections_of_a_nested_thinker_stand_beside_its_text(tmp_path: Path) -> None:
    """Qwen2.5-Omni: the sections are inside of thinker_config, which names itself (counts of transformers 5.24.0)."""
    text = {**LLAMA, "model_type": "qwen2_5_omni_text", "use_sliding_window": False}
    thinker = {
        "model_type": "qwen2_5_omni_thinker",
        "text_config": text,
        "audio_config": {**_WHISPER, "model_type": "qwen2_5_omni_audio_encoder", "output_dim": 3584},
        "vision_config": {**_QWEN, "out_hidden_size": 3584},
    }
    spec: Any = read_config(written(tmp_path, {"model_type": "qwen2_5_omni", "thinker_config": thinker}))
    counts = {tower.name: tower_parameters(tower) for tower in spec.towers}
    assert counts == {"vision": 676_550_144, "audio": 639_647_232}


def test_an_imported_model_keeps_its_towers(tmp_path: Path) -> None:
    data = {"model_type": "gemma3", "text_config": GEMMA, "vision_config": {**_SIGLIP, "image_size": 896}}
    spec: Any = read_config(written(tmp_path, data))
    (tmp_path / "imported.yaml").write_text(model_text(import_config(tmp_path / "config.json")))
    assert read_model(tmp_path / "imported.yaml").towers == spec.towers  # type: ignore[attr-defined]


_KEYS: Final = st.sampled_from(
    """
    hidden_size intermediate_size num_attention_heads num_hidden_layers patch_size image_size depth num_heads embed_dim
    out_hidden_size spatial_merge_size merge_kernel_size deepstack_visual_indexes d_model encoder_layers num_mel_bins
    model_type supported_aspect_ratios hidden_act norm_type
    """.split()  # noqa: SIM905
)
_VALUES: Final = (
    st.none() | st.booleans() | st.integers(-3, 10**10) | st.floats() | st.text(max_size=4) | st.lists(st.integers())
)


@given(
    model_type=st.sampled_from(sorted(TOWERS)),
    section=st.dictionaries(_KEYS, _VALUES, max_size=5),
    beside=st.dictionaries(st.sampled_from(["vision_feature_layer", "scale_factor", "downsample_ratio"]), _VALUES),
)
@settings(max_examples=300, deadline=None)
def test_any_section_is_read_or_left_out(model_type: str, section: Any, beside: Any) -> None:
    """Whatever a section says, the language model is read; a tower is counted or said to be left out."""
    keys = dict.fromkeys((*TOWERS[model_type], *(absent_sections(model_type).keys() - TOWERS[model_type])), section)
    found = _beside(model_type, {**beside, **keys}, 2048)
    assert len(found.towers) + len(found.left_out) == len(keys)
    for tower in found.towers:
        assert tower_parameters(Tower.model_validate(tower)) > 0


@pytest.mark.parametrize(
    ("keys", "towers", "tokens"),
    [
        # 7,062,902,784 parameters of liuhaotian/llava-v1.5-7b with its encoder, less 6,738,415,616 of Vicuna 7B
        (
            {
                "model_type": "llava_llama",
                "hidden_size": 4096,
                "mm_vision_tower": "openai/clip-vit-large-patch14-336",
                "mm_projector_type": "mlp2x_gelu",
                "image_aspect_ratio": "pad",
            },
            324_487_168,
            576,
        ),
        # 4,146,621,440 of microsoft/Phi-3.5-vision-instruct less 3,821,079,552 of its text; 757 tokens of four crops
        (
            {
                "model_type": "phi3_v",
                "_name_or_path": "microsoft/Phi-3.5-vision-instruct",
                "hidden_size": 3072,
                "intermediate_size": 8192,
                "vocab_size": 32064,
                "original_max_position_embeddings": 4096,
                "img_processor": {"name": "clip_vision_model", "model_name": "openai/clip-vit-large-patch14-336"},
            },
            325_541_888,
            757,
        ),
    ],
)
def test_an_encoder_that_a_file_names_has_the_sizes_of_that_name(
    keys: dict[str, Any], towers: int, tokens: int, tmp_path: Path
) -> None:
    est = rl.estimate(written(tmp_path, {**LLAMA, **keys}), gpu="h100", prompt=8, images=1, image_size="1080x1920")
    assert (est.parameters.beside["towers"], est.inputs["prompt_tokens"] - 8) == (towers, tokens)


def test_of_an_encoder_that_is_not_modelled_its_size_is_told(tmp_path: Path) -> None:
    vision = {"model_type": "mine", "hidden_size": 1024, "num_hidden_layers": 24, "intermediate_size": 4096}
    data = {"model_type": "llava", "text_config": {**LLAMA, "model_type": "llama"}, "vision_config": vision}
    spec = read_config(written(tmp_path, data))
    assert "about 302 million parameters in its layers" in spec.left_out[0]
