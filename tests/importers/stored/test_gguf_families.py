"""A GGUF header gives the same model as a config.json, of families of which no model is bundled."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

import roofline as rl
from roofline.architectures.build import build_workload
from roofline.workload.run import TextRun
from tests.importers.stored.blueprint import Blueprint
from tests.importers.stored.gguf_writer import write

SHAPES: Final[dict[str, Any]] = {
    "hidden_size": 112,
    "intermediate_size": 304,
    "moe_intermediate_size": 72,
    "num_hidden_layers": 4,
    "num_attention_heads": 6,
    "num_key_value_heads": 3,
    "head_dim": 20,
    "num_experts": 10,
    "num_experts_per_tok": 3,
    "num_shared_experts": 2,
    "vocab_size": 1003,
    "max_position_embeddings": 4096,
}
LATENT: Final[dict[str, Any]] = {
    "num_key_value_heads": 6,
    "q_lora_rank": 36,
    "kv_lora_rank": 28,
    "qk_nope_head_dim": 20,
    "qk_rope_head_dim": 12,
    "v_head_dim": 18,
}
WINDOW: Final = {"sliding_window": 24}


class Case(NamedTuple):
    """`order` gives the group of each layer."""

    arch: str
    order: tuple[int, ...]
    config: dict[str, Any]
    keys: dict[str, Any]
    without: tuple[str, ...] = ()


DENSE_FIRST: Final = {"leading_dense_block_count": 1}
RENAMED: Final = {"n_routed_experts": 10, "n_shared_experts": 2}
CASES: Final = (
    Case("afmoe", (0, 1, 1, 2), {"model_type": "afmoe", "num_dense_layers": 1, **WINDOW}, DENSE_FIRST),
    Case(
        "exaone-moe",
        (0, 1, 1, 2),
        {"model_type": "exaone_moe", "first_k_dense_replace": 1, **WINDOW},
        {**DENSE_FIRST, "attention.sliding_window_pattern": [True, True, True, False]},
    ),
    Case(
        "mistral4",
        (0, 0, 0, 0),
        {"model_type": "mistral4", **LATENT, **RENAMED},
        {},
        ("head_dim", "num_experts", "num_shared_experts"),
    ),
    Case(
        "bailingmoe2",
        (0, 1, 1, 1),
        {"model_type": "bailing_moe", "use_qk_norm": True, "first_k_dense_replace": 1, "partial_rotary_factor": 0.5},
        DENSE_FIRST,
    ),
    Case("bailingmoe", (0, 1, 1, 1), {"model_type": "bailing_moe", "first_k_dense_replace": 1}, DENSE_FIRST),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.arch)
def test_a_header_gives_the_shapes_of_the_config(case: Case, tmp_path: Path) -> None:
    shapes = {key: value for key, value in SHAPES.items() if key not in case.without}
    config = tmp_path / "config.json"
    config.write_text(json.dumps(shapes | case.config))
    spec = rl.load_model(str(config))
    order: Callable[[int], int] = case.order.__getitem__
    fused = ("qkv",) if case.arch == "bailingmoe2" else ()
    blueprint = Blueprint(spec, case.arch, order, fused=fused)
    counted = {"expert_shared_count": 2, "attention.sliding_window": 24}
    more = {f"{case.arch}.{key}": value for key, value in (counted | case.keys).items()}
    path = str(write(tmp_path / "model.gguf", blueprint.keys | more, blueprint.tensors))
    assert _counts(path) == _counts(spec)


def _counts(model: Any) -> tuple[float, ...]:
    workload = build_workload(rl.load_model(model), TextRun(2.0, 70.0, 30.0))
    phases = [float(phase.flops) for phase in workload.phases]
    return (workload.parameters, workload.active_parameters, float(workload.cache_elements()), *phases)
