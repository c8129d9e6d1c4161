"""Bytes of quantised checkpoints to the byte, against tensors written out by name and shape."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

import roofline as rl
from roofline.importers.huggingface.read import import_config, read_config

from .configs import EXPERTS, LLAMA, MOE, written
from .tensors import Stored, channels, groups, total

Matrix = Callable[[int, int], float]
QWEN3: Final = {**MOE, "head_dim": 32, "tie_word_embeddings": False}
#: Widths that no group of 128 or 64 divides.
ODD: Final = {**LLAMA, "hidden_size": 160, "intermediate_size": 416, "num_attention_heads": 5, "num_key_value_heads": 5}
HYBRID: Final[dict[str, Any]] = {
    "model_type": "qwen3_5_moe",
    "tie_word_embeddings": False,
    "text_config": {
        "model_type": "qwen3_5_moe_text",
        "dtype": "bfloat16",
        "hidden_size": 256,
        "num_hidden_layers": 8,
        "num_attention_heads": 8,
        "num_key_value_heads": 2,
        "head_dim": 32,
        "linear_num_key_heads": 2,
        "linear_num_value_heads": 4,
        "linear_key_head_dim": 64,
        "linear_value_head_dim": 64,
        "linear_conv_kernel_dim": 4,
        "layer_types": ["linear_attention"] * 3 + ["full_attention"] + ["linear_attention"] * 3 + ["full_attention"],
        "vocab_size": 1000,
        "max_position_embeddings": 4096,
        "shared_expert_intermediate_size": 64,
        **EXPERTS,
    },
}


def _bytes(
    folder: Path, config: dict[str, Any], quantization: dict[str, Any], key: str = "quantization_config"
) -> float:
    path = written(folder, {**config, key: quantization})
    memory = rl.estimate(read_config(path), gpu="h100").to_dict()["memory"]
    return float(memory["weights_bytes"] - memory.get("towers_bytes", 0.0))


def blocks(matrix: Matrix, left: str = "$^") -> Stored:
    """All matrices of the layers but for routers and those of an expression."""

    def stored(name: str, k: int, n: int) -> float | None:
        kept = ".layers." not in name or name.endswith("mlp.gate") or re.search(left, name)
        return None if kept else matrix(k, n)

    return stored


def _gptq(bits: int, size: int) -> dict[str, Any]:
    return {"quant_method": "gptq", "bits": bits, "group_size": size, "desc_act": False, "sym": True}


def _tensors(bits: int, kind: str, strategy: str, size: int | None = None, **more: Any) -> dict[str, Any]:
    weights = {"num_bits": bits, "type": kind, "strategy": strategy, "group_size": size, "symmetric": True, **more}
    group = {"targets": ["Linear"], "weights": weights}
    return {"quant_method": "compressed-tensors", "ignore": ["lm_head"], "config_groups": {"group_0": group}}


WHOLE: Final[list[tuple[str, dict[str, Any], Matrix]]] = [
    *((f"gptq-{b}-{g}", _gptq(b, g), groups(b, 16 + b, g)) for b in (2, 3, 4, 8) for g in (32, 64, 128, 16)),
    ("gptq-channel", _gptq(4, -1), channels(4, 20)),
    (
        "awq",
        {"quant_method": "awq", "bits": 4, "group_size": 64, "zero_point": True, "version": "gemm"},
        groups(4, 20, 64),
    ),
    ("auto-round", {"quant_method": "intel/auto-round", "bits": 3, "group_size": 64, "sym": True}, groups(3, 19, 64)),
    ("nf4", {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}, groups(4, 32, 64)),
    (
        "nf4-double",
        {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_use_double_quant": True},
        groups(4, 8 + 32 / 256, 64),
    ),
    ("ct-int4-g32", _tensors(4, "int", "group", 32), groups(4, 16, 32)),
    ("ct-int4-asymmetric", _tensors(4, "int", "group", 128, symmetric=False), groups(4, 20, 128)),
    ("ct-int8-channel", _tensors(8, "int", "channel"), channels(8, 16)),
    ("ct-fp8-channel", _tensors(8, "float", "channel"), channels(8, 32)),
    ("ct-fp8", _tensors(8, "float", "tensor"), groups(8, 0, 1, 32)),
    ("ct-mxfp8", _tensors(8, "float", "group", 32), groups(8, 8, 32)),
    ("ct-mxfp4", _tensors(4, "float", "group", 32), groups(4, 8, 32)),
    ("ct-nvfp4", _tensors(4, "float", "tensor_group", 16), groups(4, 8, 16, 32)),
    ("modelopt", {"quant_method": "modelopt_fp4", "quant_algo": "NVFP4", "ignore": ["lm_head"]}, groups(4, 8, 16, 32)),
    (
        "quark",
        {
            "quant_method": "quark",
            "exclude": ["lm_head"],
            "global_quant_config": {
                "weight": {"dtype": "fp4", "qscheme": "per_group", "group_size": 32, "scale_format": "e8m0"},
                "input_tensors": {"dtype": "fp4", "qscheme": "per_group", "group_size": 32, "is_dynamic": True},
            },
        },
        groups(4, 8, 32),
    ),
    (
        "torchao",
        {
            "quant_method": "torchao",
            "quant_type": {"default": {"_type": "Int4WeightOnlyConfig", "_data": {"group_size": 64}}},
        },
        groups(4, 32, 64),
    ),
    (
        "hqq-3",
        {"quant_method": "hqq", "quant_config": {"weight_quant_params": {"nbits": 3, "group_size": 64, "axis": 1}}},
        groups(3.2, 32, 64),
    ),
    ("exl2", {"quant_method": "exl2", "version": "0.2.4", "bits": 4.65, "head_bits": 16}, groups(4.65, 0, 1)),
]


@pytest.mark.parametrize("config", [LLAMA, ODD, QWEN3], ids=["llama", "odd", "experts"])
@pytest.mark.parametrize(("quantization", "matrix"), [row[1:] for row in WHOLE], ids=[row[0] for row in WHOLE])
def test_all_matrices_of_the_layers_take_their_format(
    tmp_path: Path, config: dict[str, Any], quantization: dict[str, Any], matrix: Matrix
) -> None:
    stored = blocks(matrix)
    if quantization["quant_method"] == "exl2":
        stored = lambda name, k, n: 2.0 * k * n if name == "lm_head" else blocks(matrix)(name, k, n)  # noqa: E731
    assert _bytes(tmp_path, config, quantization) == pytest.approx(total(config, stored), rel=1e-12)


RULES: Final[list[tuple[str, dict[str, Any], Stored]]] = [
    (
        "dynamic",
        _gptq(4, 128)
        | {"dynamic": {"lm_head": {}, "-:.*attn.*": {}, r"+:.*\.3\.mlp\.experts\..*": {"bits": 8, "group_size": 32}}},
        lambda name, k, n: (
            (groups(8, 24, 32) if ".3.mlp.experts" in name else groups(4, 20, 128))(k, n)
            if ".mlp." in name and not name.endswith("mlp.gate")
            else None
        ),
    ),
    (
        "projections of linear attention",
        _tensors(4, "float", "tensor_group", 16)
        | {
            "ignore": [
                "lm_head",
                "re:.*in_proj_a$",
                "re:.*in_proj_z$",
                r"re:.*linear_attn\.out_proj",
                "re:.*mlp.*gate$",
            ]
        },
        blocks(groups(4, 8, 16, 32), r"in_proj_a$|in_proj_z$|out_proj|gate$"),
    ),
    (
        "one layer by expression",
        _tensors(4, "int", "group", 32) | {"ignore": ["lm_head", r"re:.*layers\.7\..*"]},
        blocks(groups(4, 16, 32), r"layers\.7\."),
    ),
    (
        "layer 1 is not layers 10 to 19",
        _tensors(4, "int", "group", 32) | {"ignore": ["lm_head", "model.language_model.layers.1"]},
        blocks(groups(4, 16, 32), r"layers\.1\."),
    ),
    (
        "some experts by name",
        {
            "quant_method": "auto-round",
            "bits": 4,
            "group_size": 128,
            "extra_config": {
                **{f"model.language_model.layers.2.mlp.experts.{e}.down_proj": {"bits": 8} for e in (1, 5)},
                **{f"model.language_model.layers.4.mlp.experts.{e}.up_proj": {"bits": 16} for e in range(8)},
                r".*layers\.6\.mlp\.experts\.[0-2]\.gate_proj": {"bits": 2, "group_size": 32},
            },
        },
        lambda name, k, n: (
            None
            if re.search(r"layers\.4\.mlp\.experts\.\d\.up_proj", name)
            else blocks(
                groups(8, 24, 128)
                if re.search(r"layers\.2\.mlp\.experts\.[15]\.down", name)
                else groups(2, 18, 32)
                if re.search(r"layers\.6\.mlp\.experts\.[0-2]\.gate", name)
                else groups(4, 20, 128)
            )(name, k, n)
        ),
    ),
    (
        "modelopt by layer",
        {
            "quant_method": "modelopt",
            "quant_algo": "MIXED_PRECISION",
            "exclude_modules": ["lm_head"],
            "quantized_layers": {
                "model.language_model.layers.3.self_attn.q_proj": {"quant_algo": "FP8"},
                "model.language_model.layers.0.linear_attn.in_proj_b": {"quant_algo": "W4A16_AWQ", "group_size": 64},
                **{f"model.language_model.layers.{i}.mlp.experts": {"quant_algo": "NVFP4"} for i in range(8)},
            },
        },
        lambda name, k, n: (
            groups(8, 0, 1, 32)(k, n)
            if name.endswith("3.self_attn.q_proj")
            else groups(4, 16, 64)(k, n)
            if name.endswith("0.linear_attn.in_proj_b")
            else groups(4, 8, 16, 32)(k, n)
            if ".experts." in name
            else None
        ),
    ),
    (
        "quark by layer",
        {
            "quant_method": "quark",
            "exclude": ["lm_head", "*mlp.gate", "re:.*shared_expert_gate"],
            "global_quant_config": {"weight": {"dtype": "int4", "qscheme": "per_group", "group_size": 32}},
            "layer_quant_config": {"*down_proj": {"weight": {"dtype": "int8", "qscheme": "per_channel"}}},
        },
        lambda name, k, n: blocks(channels(8, 16) if name.endswith("down_proj") else groups(4, 16, 32), "gate$")(
            name, k, n
        ),
    ),
    (
        "torchao by module",
        {
            "quant_method": "torchao",
            "quant_type": {
                "default": {
                    "_type": "ModuleFqnToConfig",
                    "_data": {
                        "module_fqn_to_config": {
                            "_default": {"_type": "Int4WeightOnlyConfig", "_data": {"group_size": 32}},
                            "re:.*self_attn.*": None,
                            "model.language_model.layers.0.mlp.shared_expert.up_proj": {
                                "_type": "Int8WeightOnlyConfig",
                                "_data": {},
                            },
                        }
                    },
                }
            },
        },
        lambda name, k, n: blocks(
            channels(8, 16) if "0.mlp.shared_expert.up" in name else groups(4, 32, 32), "self_attn"
        )(name, k, n),
    ),
]


@pytest.mark.parametrize(("quantization", "stored"), [row[1:] for row in RULES], ids=[row[0] for row in RULES])
def test_rules_by_module_reach_the_modules_that_they_name(
    tmp_path: Path, quantization: dict[str, Any], stored: Stored
) -> None:
    """To a few bytes: a scale per tensor is counted per operation, of which a module may be two, or half of one."""
    assert _bytes(tmp_path, HYBRID, quantization) == pytest.approx(total(HYBRID, stored), rel=1e-6)


def test_mlx_quantises_embedding_head_and_routers_and_names_modules(tmp_path: Path) -> None:
    quantization = {
        "group_size": 64,
        "bits": 4,
        "mode": "affine",
        "model.layers.1.mlp.gate": {"group_size": 64, "bits": 8},
        "model.layers.2.mlp.switch_mlp.down_proj": {"group_size": 32, "bits": 6},
        "model.layers.3.self_attn.v_proj": False,
    }

    def stored(name: str, k: int, n: int) -> float | None:
        if name == "model.layers.3.self_attn.v_proj":
            return None
        if name == "model.layers.1.mlp.gate":
            return groups(8, 32, 64)(k, n)
        sixth = re.search(r"layers\.2\.mlp\.experts\.\d\.down_proj", name)
        return groups(6, 32, 32)(k, n) if sixth else groups(4, 32, 64)(k, n)

    path = written(tmp_path, {**QWEN3, "quantization": quantization, "quantization_config": quantization})
    est = rl.estimate(read_config(path), gpu="h100")
    assert est.memory.weights_bytes == pytest.approx(total(QWEN3, stored), rel=1e-12)


def test_a_rule_that_names_nothing_is_told(tmp_path: Path) -> None:
    rules = {"dynamic": {"-:.*visual.*": {}, "-:.*mlp.*": {}, "+:.*layers\\.77\\..*": {"bits": 8}}}
    path = written(tmp_path, {**LLAMA, "quantization_config": _gptq(4, 128) | rules})
    told = [text for text in rl.estimate(read_config(path), gpu="h100").assumptions if "name no module" in text]
    assert len(told) == 1
    assert ".*visual.*" in told[0]
    assert "77" in told[0]
    assert "mlp" not in told[0]


def test_a_later_rule_for_modules_of_an_earlier_one_is_not_called_idle(tmp_path: Path) -> None:
    ignore = ["lm_head", "re:.*self_attn.*", "re:.*q_proj", "model.layers.0.self_attn.k_proj"]
    quantization = _tensors(4, "int", "group", 32) | {"ignore": ignore}
    data = import_config(written(tmp_path, {**LLAMA, "quantization_config": quantization}))
    assert not any("quantisation" in text for text in data["assumed"])


@pytest.mark.parametrize(
    ("more", "activations", "cache"),
    [
        ({}, "bf16", "bf16"),
        ({"kv_cache_scheme": {"num_bits": 8, "type": "float", "strategy": "tensor"}}, "bf16", "fp8"),
        ({"input_activations": {"num_bits": 8, "type": "int", "strategy": "token", "dynamic": True}}, "int8", "bf16"),
    ],
)
def test_activations_and_cache_are_what_the_checkpoint_says(
    tmp_path: Path, more: dict[str, Any], activations: str, cache: str
) -> None:
    quantization = _tensors(8, "int", "channel")
    acts = more.pop("input_activations", None) if "input_activations" in more else None
    quantization["config_groups"]["group_0"]["input_activations"] = acts
    path = written(tmp_path, {**LLAMA, "quantization_config": quantization | more})
    inputs = rl.estimate(read_config(path), gpu="h100").to_dict()["inputs"]
    assert (inputs["activations"], inputs["kv_cache"]) == (activations, cache)


@pytest.mark.parametrize(
    ("quantization", "words"),
    [
        ({"quant_method": "aqlm", "nbits": 2}, "'aqlm' is not a known quantisation"),
        (_gptq(4, 0), "0 is no size of a group"),
        (_gptq(-4, 128), "-4 bit is not modelled"),
        (_gptq(4, -7), "is not a whole number"),
        (_gptq(4, 128) | {"group_sise": 3}, "unknown key"),
        (_gptq(4, 128) | {"dynamic": ["a"]}, "must be a mapping"),
        (_gptq(4, 128) | {"dynamic": {"+:.*": 4}}, "must be a mapping"),
        (_gptq(4, 128) | {"dynamic": {"+:.*": {"bits": True}}}, "bit is not modelled"),
        ({"quant_method": "awq", "bits": 4, "group_size": 128, "modules_to_not_convert": [1]}, "names of modules"),
        (_tensors(5, "float", "group", 32), "is not modelled"),
        (_tensors(8, "float", "block", block_structure=[0, 128]), "no block of two sizes"),
        ({"quant_method": "exl2", "bits": "4.0"}, "not a number of bits"),
        ({"quant_method": "hqq", "quant_config": {"weight_quant_params": {"nbits": 9}}}, "not a whole number"),
        ({"quant_method": "torchao", "quant_type": "int5_magic"}, "not a known configuration"),
        ({"quant_method": "quark", "global_quant_config": {"weight": {"dtype": "fp5"}}}, "not modelled"),
        ({"bits": 4, "group_size": 64, "mode": "strange"}, "not modelled"),
        ({"quant_method": "modelopt", "quant_algo": "NVFP3"}, "not a known algorithm"),
        ({"quant_method": "fp8", "weight_block_size": [128]}, "no block"),
        ({"quant_method": 8}, "not a known quantisation"),
        ("fp8", "must be a mapping"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(tmp_path: Path, quantization: Any, words: str) -> None:
    path = written(tmp_path, {**LLAMA, "quantization_config": quantization})
    with pytest.raises(rl.errors.SpecError, match=re.escape(words)) as caught:
        read_config(path)
    assert re.search(r"config\.json:\d+:\d+", str(caught.value))
