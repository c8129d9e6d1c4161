"""Rules mean the modules that their tools mean: not those of a tower, and fused ones only where they name no part."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import pytest

import roofline as rl
from roofline.importers.huggingface.read import read_config
from roofline.importers.quantization.named import stands_at

from .configs import LLAMA, written
from .tensors import groups, total

MIXTRAL: Final[dict[str, Any]] = {
    **LLAMA,
    "model_type": "mixtral",
    "num_local_experts": 4,
    "num_experts_per_tok": 2,
    "sliding_window": None,
}
_AWQ: Final = {"quant_method": "awq", "bits": 4, "group_size": 32, "zero_point": True, "version": "gemm"}


def _size(folder: Path, config: dict[str, Any], quantization: dict[str, Any]) -> float:
    path = written(folder, {**config, "quantization_config": quantization})
    return float(rl.estimate(read_config(path), gpu="h100").memory.weights_bytes)


def _ignoring(*rules: str) -> dict[str, Any]:
    weights = {"num_bits": 4, "type": "int", "strategy": "group", "group_size": 32, "symmetric": True}
    group = {"targets": ["Linear"], "weights": weights}
    return {"quant_method": "compressed-tensors", "ignore": ["lm_head", *rules], "config_groups": {"group_0": group}}


TOWERS: Final = (
    "visual.blocks.1.mlp.gate_proj",
    "vision_tower.vision_model.encoder.layers.0.self_attn.q_proj",
    "model.vision_tower.encoder.layer.1.attention.o_proj",
    "audio_tower.layers.0.fc1",
    "mtp.layers.0.self_attn.q_proj",
)


@pytest.mark.parametrize("rule", TOWERS)
def test_a_rule_of_what_stands_beside_the_layers_leaves_them_alone(tmp_path: Path, rule: str) -> None:
    assert _size(tmp_path, LLAMA, _ignoring(rule)) == _size(tmp_path, LLAMA, _ignoring())


@pytest.mark.parametrize("prefix", ["model.layers", "layers", "model.language_model.layers", "llm.model.layers"])
def test_a_rule_of_a_layer_is_one_wherever_its_layers_stand(tmp_path: Path, prefix: str) -> None:
    stored = groups(4, 16, 32)

    def kept(name: str, k: int, n: int) -> float | None:
        return None if ".layers." not in name or name == "model.layers.1.mlp.up_proj" else stored(k, n)

    assert _size(tmp_path, LLAMA, _ignoring(f"{prefix}.1.mlp.up_proj")) == total(LLAMA, kept)


PATTERNS: Final = (
    ("re:.*v_proj$", "v_proj"),
    ("re:.*(k|v)_proj", "[kv]_proj"),
    ("re:.*up_proj.*", r"\.up_proj"),
    ("re:.*gate_proj", "gate_proj"),
    ("re:.*qkv_proj", "[qkv]_proj"),
    ("re:.*gate_up_proj.*", r"(gate|\.up)_proj"),
    ("re:.*(qkv|o)_proj", "[qkvo]_proj"),
)


@pytest.mark.parametrize(("rule", "left"), PATTERNS)
def test_a_pattern_means_a_fused_module_only_where_it_names_no_part(tmp_path: Path, rule: str, left: str) -> None:
    stored = groups(4, 16, 32)

    def kept(name: str, k: int, n: int) -> float | None:
        return None if ".layers." not in name or re.search(left, name) else stored(k, n)

    assert _size(tmp_path, LLAMA, _ignoring(rule)) == total(LLAMA, kept)


@pytest.mark.parametrize("rules", [{"modules_to_not_convert": ["gate"]}, {}])
def test_the_gate_of_a_mixtral_is_its_router(tmp_path: Path, rules: dict[str, Any]) -> None:
    """Its experts have matrices w1, w2 and w3, none of them a gate by name."""
    left = {"modules_to_not_convert": ["block_sparse_moe.gate"]}
    assert _size(tmp_path, MIXTRAL, _AWQ | rules) == _size(tmp_path, MIXTRAL, _AWQ | left)
    assert _size(tmp_path, MIXTRAL, _AWQ | {"modules_to_not_convert": ["w1"]}) > _size(tmp_path, MIXTRAL, _AWQ | left)


@pytest.mark.parametrize(
    ("prefix", "prefixes", "meant"),
    [
        ("model.layers", ("model.layers",), True),
        ("transformer.h", ("model.layers",), True),
        ("visual.blocks", ("model.layers",), False),
        ("mtp.layers", ("model.layers", "layers"), False),
        ("mtp.layers", ("mtp.layers", "model.mtp.layers"), True),
        ("layers", ("mtp.layers", "model.mtp.layers"), True),
        ("model.layers", ("mtp.layers", "model.mtp.layers"), False),
    ],
)
def test_layers_of_a_rule_are_those_that_stand_there(prefix: str, prefixes: tuple[str, ...], meant: bool) -> None:
    assert stands_at(prefix, prefixes) is meant
