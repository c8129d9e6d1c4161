"""What a config.json says wrongly, or what is not modelled, is refused: the key, the value, what is understood."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import roofline as rl
from roofline.errors import RooflineError, SpecError, UnsupportedError
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.families import FAMILIES
from roofline.importers.huggingface.harmless import is_harmless
from roofline.importers.huggingface.read import import_config, read_config
from roofline.importers.json_document import parse_json

from .configs import GEMMA, LLAMA, MOE, written


@pytest.mark.parametrize(
    ("base", "change", "key", "words"),
    [
        (LLAMA, {"num_attention_heads": 7}, "num_key_value_heads", "7 heads do not divide among 2"),
        (LLAMA, {"hidden_size": 250}, "hidden_size", "do not divide by 8"),
        (LLAMA, {"hidden_size": -256}, "hidden_size", "-256 is not a whole number from 1"),
        (LLAMA, {"hidden_size": 256.5}, "hidden_size", "must be a whole number, not 256.5"),
        (LLAMA, {"hidden_size": "256"}, "hidden_size", "must be a whole number, not '256'"),
        (LLAMA, {"hidden_size": True}, "hidden_size", "must be a whole number, not true"),
        (LLAMA, {"hidden_size": None}, "hidden_size", "must be a whole number, not null"),
        (LLAMA, {"hidden_size": 10**12}, "hidden_size", "10^9"),
        (LLAMA, {"num_hidden_layers": 0}, "num_hidden_layers", "0 is not"),
        (LLAMA, {"attention_bias": "yes"}, "attention_bias", "must be true or false"),
        (LLAMA, {"hidden_act": "xyzlu"}, "hidden_act", "activation 'xyzlu' is not modelled"),
        (LLAMA, {"torch_dtype": "int3"}, "torch_dtype", "'int3' is not a known format"),
        (LLAMA, {"ffn_multiplier_list": [1, 2]}, "ffn_multiplier_list", "unknown key for llama, which may change"),
        (LLAMA, {"num_memory_tokens": 16}, "num_memory_tokens", "unknown key"),
        (LLAMA, {"hidden_sise": 256}, "hidden_sise", "'hidden_size' is understood"),
        (LLAMA, {"use_moe": True}, "use_moe", "unknown key"),
        (GEMMA, {"layer_types": ["full_attention"] * 3}, "layer_types", "has 3 items for 4 layers"),
        (GEMMA, {"layer_types": ["full_attention", "mamba", "x", "y"]}, "layer_types", "'mamba' is not modelled"),
        (GEMMA, {"layer_types": "full"}, "layer_types", "must be a list"),
        (MOE, {"num_experts_per_tok": 9}, "num_experts_per_tok", "9 of 8 experts"),
        (MOE, {"mlp_only_layers": [7]}, "mlp_only_layers", "names layer 7 of 4"),
        (MOE, {"num_local_experts": 16}, "num_local_experts", "contradicts num_experts = 8"),
        (LLAMA, {"quantization_config": {"quant_method": "exl9"}}, "quant_method", "'exl9' is not a known"),
        (LLAMA, {"quantization_config": {"quant_method": "gptq", "bits": 9}}, "bits", "9 bit is not modelled"),
        (LLAMA, {"model_type": "hyena"}, "model_type", "'hyena' is not an architecture that is modelled"),
        (LLAMA, {"model_type": None}, "model_type", "missing"),
        (LLAMA, {"model_type": 3}, "model_type", "must be text"),
    ],
)
def test_a_wrong_value_names_its_key_and_place(
    tmp_path: Path, base: dict[str, Any], change: dict[str, Any], key: str, words: str
) -> None:
    path = written(tmp_path, {**base, **change})
    with pytest.raises(SpecError) as caught:
        read_config(path)
    error = caught.value
    assert words in str(error)
    assert key in error.field or key in str(error)
    assert error.place is not None
    assert error.place.path == str(path)


def test_the_place_is_the_line_of_the_key(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        read_config(written(tmp_path, {**LLAMA, "num_attention_heads": 7}))
    place = caught.value.place
    assert place is not None
    assert '"num_key_value_heads"' in place.text


def test_the_place_is_in_the_right_section(tmp_path: Path) -> None:
    vision = {"hidden_size": 99, "num_attention_heads": 3}
    data = {"model_type": "gemma3", "vision_config": vision, "text_config": {**GEMMA, "hidden_size": -1}}
    with pytest.raises(SpecError) as caught:
        read_config(written(tmp_path, data))
    assert caught.value.field == "text_config.hidden_size"
    assert caught.value.place is not None
    assert "-1" in caught.value.place.text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"model_type": "llama", "hidden_size": 1, "hidden_size": 2}', "duplicate key 'hidden_size'"),
        ('{"model_type": "llama",}', "is not valid JSON"),
        ('{"model_type": "llama"', "is not valid JSON"),
        ("", "is not valid JSON"),
        ("[1, 2]", "must be a mapping"),
        ('"llama"', "must be a mapping"),
        ("[" * 200 + "]" * 200, "nested deeper"),
        ("[" * 100_000, "nested deeper"),
        ('{"model_type": "llama", "hidden_size": NaN}', "must be a whole number"),
        ('{"model_type": "llama", "hidden_size": 1e400}', "must be a whole number"),
        ('{"quantization": {"quant_algo": "FP8"}}', "is a quantisation file"),
    ],
)
def test_text_that_is_no_config_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(SpecError, match="(?s)" + words.replace("(", r"\(")):
        read_config(written(tmp_path, text))


def test_a_file_that_is_missing_large_or_binary_is_refused(tmp_path: Path) -> None:
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "large.json").write_text(" " * 21_000_000)
    for name, words in (("none.json", "no such"), ("binary.json", "not text"), ("large.json", "at most")):
        with pytest.raises(SpecError, match=words):
            read_config(tmp_path / name)
    with pytest.raises(SpecError, match=r"without a config\.json"):
        read_config(tmp_path)


OWN: Final = {"auto_map": {"AutoConfig": "configuration_x.XConfig"}}
HARMLESS: Final[dict[str, Any]] = {
    "architectures": ["LlamaForCausalLM"],
    "bos_token_id": 1,
    "eos_token_id": [2, 3],
    "pad_token_id": None,
    "transformers_version": "4.44.0",
    "use_cache": True,
    "attention_dropout": 0.0,
    "initializer_range": 0.02,
    "rms_norm_eps": 1e-5,
    "rope_theta": 5e5,
    "rope_scaling": {"factor": 8.0},
    "pretraining_tp": 1,
    "_name_or_path": "x",
    "auto_map": {"AutoModel": "modeling.X"},
    "router_aux_loss_coef": 0.1,
    "vision_config": {"depth": 12},
    "task_specific_params": None,
    "some_new_option": None,
    "use_new_kernel": False,
}


def test_harmless_keys_of_real_files_are_no_reason_to_refuse(tmp_path: Path) -> None:
    assert import_config(written(tmp_path, {**LLAMA, **HARMLESS}))["width"] == 256


def test_absent_and_null_differ(tmp_path: Path) -> None:
    """Mistral's class slides over 4096 keys where the key is absent; null means no window."""
    base = {**LLAMA, "model_type": "mistral"}
    absent = import_config(written(tmp_path, base))["blocks"][0]["attention"]
    null = import_config(written(tmp_path, {**base, "sliding_window": None}))["blocks"][0]["attention"]
    assert absent["window"] == 4096
    assert "window" not in null


def test_defaults_of_the_class_are_listed(tmp_path: Path) -> None:
    data = {key: value for key, value in LLAMA.items() if key != "tie_word_embeddings"}
    spec = read_config(written(tmp_path, data))
    assert "tie_word_embeddings false" in spec.assumed[0]  # type: ignore[attr-defined]
    assert spec.assumed[0] in rl.estimate(spec, gpu="a100").assumptions  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "key",
    ["num_hidden_layers", "hidden_size", "num_attention_heads", "intermediate_size", "vocab_size"],
)
def test_a_size_that_makes_the_model_must_be_stated(tmp_path: Path, key: str) -> None:
    data = {name: value for name, value in LLAMA.items() if name != key}
    with pytest.raises(SpecError, match=f"{key!r} is missing"):
        read_config(written(tmp_path, data))


def test_a_missing_size_is_named_before_what_a_default_contradicts(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="'num_hidden_layers' is missing"):
        read_config(written(tmp_path, {"model_type": "llama", "hidden_size": 5000}))


def test_a_class_that_is_the_released_model_may_give_the_sizes(tmp_path: Path) -> None:
    spec = read_config(written(tmp_path, {"model_type": "gemma3n_text"}))
    assert rl.estimate(spec, gpu="a100").parameters.total == 6_835_235_568
    assert "num_hidden_layers 35" in spec.assumed[0]  # type: ignore[attr-defined]


def test_a_config_that_is_silent_about_positions_has_no_known_longest_context(tmp_path: Path) -> None:
    data = {key: value for key, value in LLAMA.items() if key != "max_position_embeddings"}
    spec = read_config(written(tmp_path, data))
    assert spec.max_context is None  # type: ignore[attr-defined]
    est = rl.estimate(spec, gpu="a100", prompt=100_000)
    assert "context-exceeds-maximum" not in [warn.code for warn in est.warnings]


def test_an_unknown_key_that_is_like_none_gets_no_suggestion(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        read_config(written(tmp_path, LLAMA | {"banana_layers": 3}))
    assert "is understood" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("max_sequence_length", 2048),
        ("max_batch_size", 8),
        ("inference_runner", 3),
        ("pad_key_length", True),
        ("unsloth_version", "2024.9"),
        ("neftune_noise_alpha", 0.1),
        ("banana", 3),
        ("num_key_value_groups", 4),
        ("max_window_layers", 28),
    ],
)
def test_a_key_that_the_class_does_not_know_is_ignored_and_told(tmp_path: Path, key: str, value: Any) -> None:
    """LlamaForCausalLM ignores them, so the numbers are those of the file without; the answer says so."""
    spec = read_config(written(tmp_path, LLAMA | {key: value}))
    without = read_config(written(tmp_path, LLAMA))
    assert spec.blocks == without.blocks  # type: ignore[attr-defined]
    assert any("LlamaForCausalLM" in note and key in note for note in rl.estimate(spec, gpu="a100").assumptions)


@pytest.mark.parametrize("change", [{"num_query_groups": 4}, {"normalization": "LayerNorm"}])
def test_a_key_that_contradicts_what_was_read_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedError, match="unknown key"):
        read_config(written(tmp_path, LLAMA | change))
    with pytest.raises(UnsupportedError, match="unknown key"):
        read_config(written(tmp_path, LLAMA | OWN | change | {"transformers_version": "4.40.0"}))


@pytest.mark.parametrize("change", [{"use_qkv_bias": False}, {"num_memory_tokens": 0}, {"extra_experts": None}])
def test_what_is_off_changes_nothing_and_is_not_told(tmp_path: Path, change: dict[str, Any]) -> None:
    spec: Any = read_config(written(tmp_path, LLAMA | change))
    assert not [note for note in spec.assumed if next(iter(change)) in note]


def test_a_file_as_old_as_the_class_has_no_key_that_the_class_is_too_old_for(tmp_path: Path) -> None:
    shapely = {"num_memory_tokens": 16}
    assert read_config(written(tmp_path, LLAMA | shapely | {"transformers_version": "4.41.2"}))
    for version in ("99.1.0", "", "x"):
        with pytest.raises(UnsupportedError, match="may be older than this key"):
            read_config(written(tmp_path, LLAMA | shapely | {"transformers_version": version}))


def test_a_slip_is_refused_in_an_old_file_too(tmp_path: Path) -> None:
    renamed = {key.replace("value_heads", "value_head"): value for key, value in LLAMA.items()}
    with pytest.raises(UnsupportedError, match="'num_key_value_heads' is understood"):
        read_config(written(tmp_path, renamed | {"transformers_version": "4.41.2"}))


def test_a_value_that_is_the_default_of_the_class_is_as_good_as_absent(tmp_path: Path) -> None:
    mixtral = LLAMA | {"model_type": "mixtral", "num_local_experts": 8, "num_experts_per_tok": 2}
    assert read_config(written(tmp_path, mixtral | {"router_jitter_noise": 0.0}))


@pytest.mark.parametrize("window", [None, 64])
def test_a_window_that_the_class_does_not_know_is_that_of_its_cache(tmp_path: Path, window: int | None) -> None:
    """`DynamicCache` of transformers 5.24.0 keeps 255 of 512 tokens for a llama whose file says sliding_window 256."""
    spec: Any = read_config(written(tmp_path, LLAMA | {"sliding_window": window}))
    assert spec.blocks[0].attention.window == window
    off = {"sliding_window": 64, "use_sliding_window": False}
    assert read_config(written(tmp_path, LLAMA | off)).blocks[0].attention.window is None  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "change",
    [
        {"num_query_groups": 2},
        {"normalization": "RMSNorm"},
        {"swiglu": True, "position_embedding_type": "rope", "group_query_attention": True},
    ],
)
def test_a_key_that_repeats_what_was_read_is_no_reason_to_refuse(tmp_path: Path, change: dict[str, Any]) -> None:
    assert import_config(written(tmp_path, LLAMA | change))["width"] == 256


def test_a_file_with_code_of_its_own_may_read_other_keys(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="banana_layers"):
        read_config(written(tmp_path, LLAMA | OWN | {"banana_layers": 3}))
    spec: Any = read_config(written(tmp_path, LLAMA | OWN | {"banana": 3}))
    assert any("banana" in note for note in spec.assumed)


def test_a_folder_is_named_after_itself(tmp_path: Path) -> None:
    folder = tmp_path / "My Model 8B"
    folder.mkdir()
    written(folder, LLAMA)
    assert read_config(folder).name == "My-Model-8B"  # type: ignore[attr-defined]


_SCALARS: Final = st.none() | st.booleans() | st.integers(-5, 5000) | st.floats(allow_nan=True) | st.text(max_size=8)
_MAPPINGS: Final = st.dictionaries(st.text(max_size=4), st.integers(), max_size=3)
_VALUES: Final = _SCALARS | st.lists(st.integers(-2, 9), max_size=5) | _MAPPINGS
_NAMES: Final = """
    hidden_size num_hidden_layers num_attention_heads num_key_value_heads head_dim intermediate_size vocab_size
    layer_types sliding_window hidden_act tie_word_embeddings quantization_config attention_bias num_experts
    n_routed_experts mlp_only_layers rope_parameters text_config max_position_embeddings torch_dtype attention_types
    attn_config ffn_config no_rope_layers
"""
_KEYS: Final = st.sampled_from(_NAMES.split())


@given(model_type=st.sampled_from(sorted(FAMILIES)), changes=st.dictionaries(_KEYS, _VALUES, max_size=4))
@settings(max_examples=300, deadline=None)
def test_any_config_is_read_or_refused(model_type: str, changes: dict[str, Any], tmp_path_factory: Any) -> None:
    """Whatever a file says, the answer is a spec or an error of ours, never a crash."""
    path = tmp_path_factory.getbasetemp() / "config.json"
    path.write_text(json.dumps({**LLAMA, "model_type": model_type, **changes}))
    try:
        read_config(path)
    except RooflineError as error:
        assert str(error)


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_text_is_json_or_refused(text: str) -> None:
    with suppress(SpecError):
        parse_json(text, "x")


def test_two_spellings_must_agree() -> None:
    document = parse_json('{"n_embd": 1, "hidden_size": 2}', "x")
    config = Config(document, document.data, names={"hidden_size": "n_embd"})
    with pytest.raises(SpecError, match="contradicts"):
        config.whole("n_embd")


@pytest.mark.parametrize("key", ["num_experts", "hidden_size", "n_layer", "kv_lora_rank", "attn_layer_period"])
def test_no_structural_key_is_on_the_harmless_list(key: str) -> None:
    assert not is_harmless(key, 8)


def test_an_unmodelled_architecture_names_what_is_near(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="Nearest: llama"):
        read_config(written(tmp_path, {**LLAMA, "model_type": "llama5"}))


@pytest.mark.parametrize(("key", "model_type"), [("add_cross_attention", "gpt2"), ("is_decoder", "bert")])
def test_a_decoder_made_of_another_model_is_refused_where_its_class_reads_that(
    tmp_path: Path, key: str, model_type: str
) -> None:
    sizes = {"n_layer": 4, "n_embd": 64, "n_head": 4} if model_type == "gpt2" else {**LLAMA}
    data = {**sizes, "vocab_size": 1000, "model_type": model_type}
    for removed in ("num_key_value_heads", "torch_dtype"):
        data.pop(removed, None)
    assert read_config(written(tmp_path, {**data, key: False}))
    with pytest.raises(UnsupportedError, match=key):
        read_config(written(tmp_path, {**data, key: True}))
