"""Files in other words than a config.json: params.json of Mistral and Meta, drafts of speculators, DeciLM's blocks."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

import roofline as rl
from roofline.errors import SpecError
from roofline.importers.huggingface.read import import_config, read_config
from roofline.importers.model_file import model_text

from .configs import LLAMA, written

MISTRAL: Final[dict[str, Any]] = {
    "dim": 4096,
    "n_layers": 32,
    "head_dim": 128,
    "hidden_dim": 14336,
    "n_heads": 32,
    "n_kv_heads": 8,
    "norm_eps": 1e-05,
    "vocab_size": 32000,
    "rope_theta": 10000.0,
}
_PIXTRAL: Final = {
    "hidden_size": 1024,
    "num_channels": 3,
    "image_size": 1024,
    "patch_size": 16,
    "rope_theta": 10000.0,
    "intermediate_size": 4096,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "adapter_bias": True,
}
_LATENT: Final = {
    "q_lora_rank": 1536,
    "kv_lora_rank": 512,
    "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64,
    "v_head_dim": 128,
}
_EXPERTS: Final = {
    "num_experts": 128,
    "num_experts_per_tok": 4,
    "expert_hidden_dim": 4096,
    "num_shared_experts": 1,
    "first_k_dense_replace": 3,
    "route_every_n": 1,
    "num_expert_groups": 1,
    "num_expert_groups_per_tok": 1,
    "routed_scale": 1.0,
    "expert_parallel": 1,
    "expert_model_parallel": 1,
}
_WHISPER: Final = {
    "dim": 1280,
    "n_layers": 32,
    "head_dim": 64,
    "hidden_dim": 5120,
    "n_heads": 20,
    "max_source_positions": 1500,
    "audio_encoding_args": {"num_mel_bins": 128, "sampling_rate": 16000},
}
#: Files and parameters. Mistral 7B and Mixtral 8x7B: those of their config.json (tests/oracle). Pixtral and Voxtral:
#: text models of 12,247,782,400 and 4,014,136,320, of the same shapes in transformers 5.24.0. Mistral Large 3: its card
#: says 673 billion and 2.5 for the encoder. Codestral Mamba: 7,285,403,648 on its card. Llama 3 8B: its config.json.
FILES: Final[dict[str, tuple[dict[str, Any], int, int]]] = {
    "mistral-7b": ({**MISTRAL, "sliding_window": 4096}, 7_241_732_096, 0),
    "mixtral-8x7b": ({**MISTRAL, "moe": {"num_experts": 8, "num_experts_per_tok": 2}}, 46_702_792_704, 0),
    "pixtral-12b": (
        {**MISTRAL, "dim": 5120, "n_layers": 40, "vocab_size": 131072, "vision_encoder": _PIXTRAL},
        12_247_782_400,
        434_957_312,
    ),
    "mistral-large-3": (
        {
            **MISTRAL,
            "dim": 7168,
            "n_layers": 61,
            "hidden_dim": 16384,
            "n_heads": 128,
            "n_kv_heads": 128,
            "vocab_size": 131072,
            "tied_embeddings": False,
            "max_position_embeddings": 294912,
            "llama_4_scaling": {"original_max_position_embeddings": 8192, "beta": 0.1},
            "yarn": {"original_max_position_embeddings": 8192, "factor": 36},
            "quantization": {"qformat_weight": "fp8_e4m3", "qscheme_act": "TENSOR"},
            **_LATENT,
            "moe": _EXPERTS,
            "vision_encoder": {
                **_PIXTRAL,
                "hidden_size": 1664,
                "intermediate_size": 8192,
                "num_hidden_layers": 48,
                "image_size": 1540,
                "patch_size": 14,
                "mm_projector_id": "patch_merge",
                "spatial_merge_size": 2,
                "adapter_bias": False,
            },
        },
        673_421_089_792,
        2_570_087_168,
    ),
    "voxtral-mini": (
        {
            **MISTRAL,
            "dim": 3072,
            "n_layers": 30,
            "hidden_dim": 8192,
            "vocab_size": 131072,
            "multimodal": {"whisper_model_args": {"encoder_args": _WHISPER}},
        },
        4_014_136_320,
        662_134_784,
    ),
    "codestral-mamba": (
        {"dim": 4096, "n_layers": 64, "vocab_size": 32768, "n_groups": 8, "rms_norm": True, "model_type": "mamba"},
        7_285_403_648,
        0,
    ),
    "llama-3-8b": (
        {
            "dim": 4096,
            "n_layers": 32,
            "n_heads": 32,
            "n_kv_heads": 8,
            "vocab_size": 128256,
            "multiple_of": 1024,
            "ffn_dim_multiplier": 1.3,
            "norm_eps": 1e-05,
            "rope_theta": 500000.0,
        },
        8_030_261_248,
        0,
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_folder_with_params_json_is_its_model(tmp_path: Path, name: str) -> None:
    data, parameters, towers = FILES[name]
    folder = tmp_path / name
    folder.mkdir()
    written(folder, data, "params.json")
    spec = rl.load_model(str(folder))
    est = rl.estimate(spec, gpu="h200", tp=8)
    assert (spec.name, est.parameters.total) == (name, parameters)
    assert est.parameters.beside.get("towers", 0) == pytest.approx(towers, rel=0.001)


def test_formats_and_context_of_a_params_json(tmp_path: Path) -> None:
    spec = read_config(written(tmp_path, FILES["mistral-large-3"][0], "params.json"))
    assert (spec.dtype, spec.max_context) == ("fp8", 294_912)


def test_a_list_of_windows_is_repeated(tmp_path: Path) -> None:
    """Ministral 8B: one layer in four sees everything."""
    data = {**MISTRAL, "n_layers": 8, "_sliding_window": [None, 1024, 1024, 1024], "max_seq_len": 32768}
    spec = read_config(written(tmp_path, data, "params.json"))
    assert {group.attention.window: group.layers for group in spec.blocks} == {None: 2, 1024: 6}
    assert spec.max_context == 32_768


def test_tied_embeddings_of_a_params_json_count_inside_too(tmp_path: Path) -> None:
    """The rules of the library's classes do not bind another dialect: HF's Voxtral never ties."""
    data = FILES["voxtral-mini"][0]
    tied = read_config(written(tmp_path, data | {"tied_embeddings": True}, "params.json"))
    assert tied.tied_embeddings
    assert not read_config(written(tmp_path, data, "params.json")).tied_embeddings


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"n_layers": 0}, r"params.json:3:3: num_hidden_layers: 0 is not"),
        ({"moe": 8}, r"moe: must be a mapping"),
        ({"n_experts_deep": 4}, r"params.json:\d+:\d+: n_experts_deep: unknown key"),
        ({"sliding_window": [None, 64, 128, 64]}, r"sliding_window"),
    ],
)
def test_a_params_json_that_cannot_be_is_refused_with_its_line(tmp_path: Path, more: Any, match: str) -> None:
    with pytest.raises(SpecError, match=match):
        read_config(written(tmp_path, MISTRAL | more, "params.json"))


def test_a_vocabulary_that_is_left_to_the_tokenizer_is_refused(tmp_path: Path) -> None:
    data = {"dim": 4096, "n_layers": 32, "n_heads": 32, "multiple_of": 256, "vocab_size": -1}
    with pytest.raises(SpecError, match=r"params.json:6:3: vocab_size: -1 leaves the number to the tokenizer"):
        read_config(written(tmp_path, data, "params.json"))


def test_the_config_json_of_a_folder_comes_first(tmp_path: Path) -> None:
    written(tmp_path, MISTRAL, "params.json")
    written(tmp_path, LLAMA)
    assert read_config(tmp_path).width == LLAMA["hidden_size"]


_LAYER: Final = {key: value for key, value in LLAMA.items() if key != "torch_dtype"} | {"num_hidden_layers": 1}


def test_drafts_of_speculators_are_eagle_heads(tmp_path: Path) -> None:
    """The keys of an EAGLE 3 head as an issue of vLLM (54526) shows them."""
    third = {
        "speculators_model_type": "eagle3",
        "speculators_config": {"algorithm": "eagle3"},
        "auto_map": {"": "config.Eagle3SpeculatorConfig"},
        "draft_vocab_size": 320,
        "eagle_aux_hidden_state_layer_ids": [2, 46, 91, 93],
        "norm_before_fc": True,
        "fc_norm": False,
        "target_hidden_size": None,
        "dtype": "bfloat16",
        "transformer_layer_config": {
            **_LAYER,
            "layer_types": ["sliding_attention"],
            "sliding_window": 64,
            "use_sliding_window": True,
        },
    }
    spec = read_config(written(tmp_path, third))
    assert spec.eagle is not None
    assert (spec.eagle.version, spec.eagle.features, spec.eagle.head_vocabulary) == (3, 4, 320)
    assert spec.blocks[0].attention.window == 64


def test_first_eagle_heads_of_speculators_have_no_norms_of_their_own(tmp_path: Path) -> None:
    first = {"speculators_model_type": "eagle", "fusion_bias": True, "layernorms": False}
    spec = read_config(written(tmp_path, {**first, "transformer_layer_config": _LAYER}))
    assert spec.eagle is not None
    assert (spec.eagle.version, spec.eagle.projection_bias, spec.eagle.last_norm) == (1, True, False)


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"speculators_model_type": "dflash"}, "'dflash' is not modelled"),
        ({"layernorms": True}, "layernorms"),
        ({"transformer_layer_type": "Qwen3DecoderLayer"}, "transformer_layer_type"),
    ],
)
def test_other_drafts_of_speculators_are_refused(tmp_path: Path, more: dict[str, Any], match: str) -> None:
    data = {"speculators_model_type": "eagle", "transformer_layer_config": _LAYER} | more
    with pytest.raises(SpecError, match=match):
        read_config(written(tmp_path, data))


def _attention(group: int | None = None, **more: Any) -> dict[str, Any]:
    return {"n_heads_in_group": group, "no_op": False, "replace_with_linear": False, "sparsify": None, **more}


def _feed_forward(factor: float | None = None, **more: Any) -> dict[str, Any]:
    return {"ffn_mult": factor, "no_op": False, "replace_with_linear": False, "sparsify": None, **more}


NAS: Final[dict[str, Any]] = {
    "architectures": ["DeciLMForCausalLM"],
    "auto_map": {"AutoConfig": "configuration_decilm.DeciLMConfig"},
    "model_type": "nemotron-nas",
    "hidden_size": 8192,
    "num_attention_heads": 64,
    "num_key_value_heads": None,
    "intermediate_size": None,
    "num_hidden_layers": 5,
    "vocab_size": 128256,
    "hidden_act": "silu",
    "block_configs": [
        {"attention": _attention(8), "ffn": _feed_forward(5.25)},
        {"attention": _attention(no_op=True), "ffn": _feed_forward(0.5)},
        {"attention": _attention(replace_with_linear=True), "ffn": _feed_forward(2.625)},
        {"attention": _attention(16), "ffn": _feed_forward(replace_with_linear=True)},
        {"attention": _attention(no_op=True), "ffn": _feed_forward(no_op=True)},
    ],
}


def test_blocks_of_nemotron_nas_are_counted_one_by_one(tmp_path: Path) -> None:
    """By hand: a feed-forward is two thirds of ffn_mult widths, up to a multiple of 256; a sublayer brings its norm."""
    d, head = 8192, 128
    attention = {kv: d * (64 + 2 * kv) * head + 64 * head * d for kv in (8, 4)}
    forwards = [3 * d * width for width in (28672, 2816, 14336)]
    layers = attention[8] + attention[4] + sum(forwards) + 2 * d * d + 7 * d
    est = rl.estimate(read_config(written(tmp_path, NAS)), gpu="h100", prompt=16)
    assert est.parameters.total == layers + 2 * 128256 * d + d
    assert est.memory.kv_cache_bytes_per_token == 2 * 2 * head * (8 + 4)


def test_blocks_of_nemotron_nas_survive_a_model_file_and_devices(tmp_path: Path) -> None:
    path = written(tmp_path, NAS)
    again = rl.load_model(str(written(tmp_path, model_text(import_config(path)), "again.yaml")))
    assert again.blocks == read_config(path).blocks
    assert rl.estimate(again, gpu="h100", tp=2).parameters.total > 0


@pytest.mark.parametrize(
    ("block", "match"),
    [
        ({"attention": _attention(7), "ffn": _feed_forward(1.0)}, "do not divide by 7"),
        ({"attention": _attention(), "ffn": _feed_forward(1.0)}, "n_heads_in_group"),
        ({"attention": _attention(8), "ffn": _feed_forward()}, "ffn_mult"),
        ({"attention": _attention(8)}, "needs attention and ffn"),
        ({"attention": _attention(8, num_sink_tokens=4), "ffn": _feed_forward(1.0)}, "num_sink_tokens"),
        ({"attention": _attention(8), "ffn": _feed_forward(1.0, moe={"experts": 8})}, "moe"),
    ],
)
def test_a_block_that_cannot_be_is_refused(tmp_path: Path, block: dict[str, Any], match: str) -> None:
    data = NAS | {"block_configs": [block, *NAS["block_configs"][1:]]}
    with pytest.raises(SpecError, match=match):
        read_config(written(tmp_path, data))


def test_decilm_says_its_key_value_heads_layer_by_layer(tmp_path: Path) -> None:
    data = {**LLAMA, "model_type": "deci", "num_key_value_heads_per_layer": [4, 4, 2, 1]}
    spec = read_config(written(tmp_path, data))
    assert {group.attention.kv_heads: group.layers for group in spec.blocks} == {4: 2, 2: 1, 1: 1}
