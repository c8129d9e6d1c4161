"""Quantised checkpoints: the format of their weights, from the config or from the file beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

import roofline as rl
from roofline.errors import UnsupportedError
from roofline.importers.huggingface.read import import_config, read_config

from .configs import LLAMA, MOE, written


def test_the_quantisation_beside_the_config_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, LLAMA)
    quantization = {"quant_algo": "FP8", "kv_cache_quant_algo": "FP8", "exclude_modules": ["lm_head"]}
    written(tmp_path, {"producer": {"name": "modelopt"}, "quantization": quantization}, "hf_quant_config.json")
    data = import_config(path)
    assert (data["dtype"], data["cache_dtype"]) == ("fp8", "fp8")
    assert data["dtypes"] == {"embedding": "bf16", "head": "bf16"}


def test_layers_left_unquantised_give_operations_a_format_of_their_own(tmp_path: Path) -> None:
    ignore = ["lm_head", *(f"model.layers.{index}.self_attn*" for index in range(4)), "model.layers.0.mlp*"]
    quantization = {"quant_method": "modelopt", "quant_algo": "NVFP4", "ignore": ignore}
    data = import_config(written(tmp_path, {**LLAMA, "quantization_config": quantization}))
    assert data["dtype"] == "nvfp4"
    assert data["dtypes"] == {"attention": "bf16", "embedding": "bf16", "head": "bf16"}
    assert [(block["layers"], block.get("dtypes")) for block in data["blocks"]] == [
        (1, {"feed_forward": "bf16"}),
        (3, None),
    ]


@pytest.mark.parametrize(
    "expression",
    ["(([a-z._0-9]+)+)+$!", "(a|a)*x", "[", "x" * 5000, r"(?:\w*\.)*q", "a*b*c*d*e*f*g*h*"],
    ids=str.__len__,
)
def test_an_expression_that_could_take_forever_is_refused(tmp_path: Path, expression: str) -> None:
    group = {"weights": {"num_bits": 4, "type": "int", "group_size": 32, "symmetric": True}}
    ignore = [f"re:{expression}"]
    quantization = {"quant_method": "compressed-tensors", "config_groups": {"group_0": group}, "ignore": ignore}
    with pytest.raises(UnsupportedError, match=r"config\.json:\d+:\d+"):
        import_config(written(tmp_path, {**LLAMA, "quantization_config": quantization}))


_GROUP: Final = {"targets": ["Linear"], "weights": {"num_bits": 4, "type": "int", "group_size": 128, "symmetric": True}}
_EXPERTS: Final = {"targets": ["re:.*mlp.experts.*"], "weights": {"num_bits": 4, "type": "float", "group_size": 16}}


@pytest.mark.parametrize(
    ("quantization", "dtype"),
    [
        ({"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": True, "version": "gemm"}, "int4-awq"),
        ({"quant_method": "gptq", "bits": 8, "group_size": 128, "desc_act": False, "sym": True}, "int8-gptq"),
        ({"quant_method": "fp8", "activation_scheme": "dynamic", "weight_block_size": [128, 128]}, "fp8-b128"),
        ({"quant_method": "fp8", "activation_scheme": "static"}, "fp8"),
        ({"quant_method": "fbgemm_fp8", "modules_to_not_convert": ["model.layers.0.self_attn.q_proj"]}, "fp8-channel"),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}, "nf4-b64"),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, "int8"),
        ({"quant_method": "compressed-tensors", "config_groups": {"group_0": _GROUP}}, "int4-s128"),
        ({"quant_method": "bitnet", "linear_class": "autobitlinear"}, "ternary"),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, "nvfp4"),
    ],
)
def test_quantised_checkpoints_have_a_format(tmp_path: Path, quantization: dict[str, Any], dtype: str) -> None:
    data = import_config(written(tmp_path, {**LLAMA, "quantization_config": quantization}))
    assert data["dtype"] == dtype
    assert data["dtypes"]["embedding"] == data["dtypes"]["head"] == "bf16"
    read_config(tmp_path / "config.json")


@pytest.mark.parametrize("method", ["awq", "gptq"])
@pytest.mark.parametrize(("said", "activations"), [("float16", "fp16"), ("bfloat16", None), (None, None)])
def test_what_multiplies_in_16_bit_does_so_in_the_kind_that_the_file_says(
    tmp_path: Path, method: str, said: str | None, activations: str | None
) -> None:
    quantization = {"quant_method": method, "bits": 4, "group_size": 128}
    path = written(tmp_path, {**LLAMA, "torch_dtype": said, "quantization_config": quantization})
    assert import_config(path).get("activation_dtype") == activations
    inputs = rl.estimate(path, gpu="h100").inputs
    assert f"int4-{method}" in str(inputs["weights"])
    assert inputs["activations"] == (activations or "bf16")


def test_groups_of_modules_may_differ_in_format(tmp_path: Path) -> None:
    groups = {"group_0": _GROUP, "group_1": _EXPERTS}
    quantization = {"quant_method": "compressed-tensors", "config_groups": groups}
    data = import_config(written(tmp_path, {**MOE, "quantization_config": quantization}))
    assert data["dtype"] == "int4-s128"
    assert data["dtypes"]["experts"] == "nvfp4"
