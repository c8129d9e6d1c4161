"""A GGUF header gives the same model as its config.json: shapes, parameters and cache of the bundled models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

import roofline as rl
from roofline.architectures.build import build_workload
from roofline.workload.run import TextRun
from tests.importers.stored.blueprint import Blueprint
from tests.importers.stored.gguf_writer import stored_bytes, write


class Case(NamedTuple):
    model: str
    arch: str
    order: Callable[[int], int] = lambda index: 0
    fused: tuple[str, ...] = ()
    keys: Mapping[str, Any] = MappingProxyType({})


def every(period: int, full: int = 1) -> Callable[[int], int]:
    """Group `full` in each `period`-th layer, else the other of two."""
    return lambda index: full if not (index + 1) % period else 1 - full


def after(first: int) -> Callable[[int], int]:
    """Group 0 in the first layers, then group 1."""
    return lambda index: int(index >= first)


QWEN3_NEXT = {"full_attention_interval": 4}
LFM2 = (2, 5, 8, 10, 12, 14)
CASES = [
    Case("llama-3-8b", "llama"),
    Case("tinyllama-1.1b", "llama"),
    Case("mixtral-8x7b", "llama"),
    Case("qwen2.5-7b", "qwen2"),
    Case("qwen3-0.6b", "qwen3"),
    Case("qwen3-30b-a3b", "qwen3moe"),
    Case("qwen1.5-moe-a2.7b", "qwen2moe"),
    Case("gemma-2b", "gemma"),
    Case("gemma-2-9b", "gemma2", every(2)),
    Case("gemma-3-12b", "gemma3", every(6)),
    Case("gemma-3-12b", "gemma3", every(6), keys={"attention.sliding_window_pattern": [True] * 5 + [False]}),
    Case("phi-2", "phi2"),
    Case("phi-4-14b", "phi3", fused=("qkv", "up")),
    Case("phi-3.5-moe", "phimoe"),
    Case("gpt-oss-20b", "gpt-oss", every(2)),
    Case("deepseek-v2-lite", "deepseek2", after(1), keys={"leading_dense_block_count": 1}),
    Case("deepseek-v3", "deepseek2", after(3), keys={"leading_dense_block_count": 3}),
    Case("kimi-k2", "deepseek2", after(1), keys={"leading_dense_block_count": 1}),
    Case("qwen3-next-80b-a3b", "qwen3next", every(4), keys=QWEN3_NEXT),
    Case("qwen3.5-27b", "qwen35", every(4), keys=QWEN3_NEXT),
    Case("qwen3.5-35b-a3b", "qwen35moe", every(4), keys=QWEN3_NEXT),
    Case("glm-4.5-air", "glm4moe", after(1), keys={"leading_dense_block_count": 1}),
    Case("falcon-7b", "falcon", fused=("qkv",)),
    Case("starcoder2-7b", "starcoder2"),
    Case("starcoder-15b", "starcoder", fused=("qkv",)),
    Case("command-r-35b", "command-r"),
    Case("command-r7b", "cohere2", every(4)),
    Case("olmo-2-7b", "olmo2"),
    Case("olmoe-1b-7b", "olmoe"),
    Case("granite-3.3-8b", "granite"),
    Case("smollm3-3b", "smollm3", every(4)),
    Case("seed-oss-36b", "seed_oss"),
    Case("stablelm-3b-4e1t", "stablelm"),
    Case("ernie-4.5-0.3b", "ernie4_5"),
    Case("mamba-2.8b", "mamba"),
    Case("mamba2-1.3b", "mamba2"),
    Case("lfm2-1.2b", "lfm2", lambda index: int(index in LFM2)),
    Case("gpt2", "gpt2", fused=("qkv",)),
    Case("pythia-1b", "gptneox", fused=("qkv",)),
    Case("bloom-560m", "bloom", fused=("qkv",)),
]


def _written(case: Case, folder: Path) -> tuple[str, Blueprint]:
    blueprint = Blueprint(rl.load_model(case.model), case.arch, case.order, fused=case.fused)
    keys = {f"{case.arch}.{key}": value for key, value in case.keys.items()}
    per_layer = f"{case.arch}.attention.sliding_window_pattern"
    if per_layer in keys:
        layers = len(blueprint.layers)
        keys[per_layer] = (keys[per_layer] * layers)[:layers]
    if case.arch == "lfm2":
        keys["lfm2.attention.head_count_kv"] = [8 if index in LFM2 else 0 for index in range(16)]
    return str(write(folder / "model.gguf", blueprint.keys | keys, blueprint.tensors)), blueprint


def _counts(model: Any) -> tuple[float, ...]:
    workload = build_workload(rl.load_model(model), TextRun(2.0, 700.0, 300.0))
    phases = [float(phase.flops) for phase in workload.phases]
    return (workload.parameters, workload.active_parameters, float(workload.cache_elements()), *phases)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.arch}-{case.model}")
def test_a_header_gives_the_shapes_of_the_bundled_model(case: Case, tmp_path: Path) -> None:
    path, _ = _written(case, tmp_path)
    assert _counts(path) == _counts(case.model)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.arch}-{case.model}")
def test_the_weights_take_the_bytes_of_the_tensors(case: Case, tmp_path: Path) -> None:
    path, blueprint = _written(case, tmp_path)
    counted = [tensor for tensor in blueprint.tensors if "exp_probs_b" not in tensor[0]]
    est = rl.estimate(path, gpu="h100", prompt=8, generate=2)
    assert est.memory.weights_bytes == pytest.approx(stored_bytes(counted), rel=1e-12)
