"""A GGUF header gives the same model as its config.json: shapes, parameters and cache of the bundled models."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

import roofline as rl
from roofline.architectures.build import build_workload
from roofline.runs.formats import facts_of
from roofline.specs.formats.ggml import fallback
from roofline.specs.formats.gguf_files import FILE_TYPES, ModelFacts, file_shares
from roofline.workload.run import TextRun
from tests.importers.stored.blueprint import Blueprint, GemmaBlueprint, Tensor
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


def in_turn(*counts: int) -> Callable[[int], int]:
    """Group 0 in the first layers, then group 1 …"""
    groups = [group for group, count in enumerate(counts) for _ in range(count)]
    return lambda index: groups[index]


def after(first: int) -> Callable[[int], int]:
    """Group 0 in the first layers, then group 1."""
    return lambda index: int(index >= first)


QWEN3_NEXT = {"full_attention_interval": 4}
NUMBERS = {name: number for number, name in FILE_TYPES.items()}
NO_PARAMETERS = re.compile("exp_probs_b|layer_output_scale|rope_freqs")
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
    Case("gemma-3n-e4b", "gemma3n", lambda index: 2 * (index >= 20) + (not (index + 1) % 5)),
    Case("gemma-4-31b", "gemma4", every(6)),
    Case("gemma-4-26b-a4b", "gemma4", every(6)),
    Case("granite-4.0-h-tiny", "granitehybrid", in_turn(36, 4), keys={"rope.scaling.finetuned": False}),
    Case("nemotron-3-nano-30b-a3b", "nemotron_h_moe", in_turn(23, 23, 6)),
    Case("nemotron-3-super-120b-a12b", "nemotron_h_moe", in_turn(40, 40, 8)),
    Case("llama-4-scout", "llama4", every(4), keys={"interleave_moe_layer_step": 1}),
    Case("minimax-m2.5", "minimax-m2"),
    Case("bert-base", "bert"),
    Case("gpt2", "gpt2", fused=("qkv",)),
    Case("pythia-1b", "gptneox", fused=("qkv",)),
    Case("bloom-560m", "bloom", fused=("qkv",)),
]


def _written(case: Case, folder: Path) -> tuple[str, Blueprint]:
    spec = rl.load_model(case.model)
    gemma = case.arch in ("gemma3n", "gemma4")
    blueprint = (
        GemmaBlueprint(spec, case.arch, case.order)
        if gemma
        else Blueprint(spec, case.arch, case.order, fused=case.fused)
    )
    keys = {f"{case.arch}.{key}": value for key, value in case.keys.items()}
    per_layer = f"{case.arch}.attention.sliding_window_pattern"
    if per_layer in keys:
        layers = len(blueprint.layers)
        keys[per_layer] = (keys[per_layer] * layers)[:layers]
    if case.arch in ("lfm2", "granitehybrid", "nemotron_h_moe"):
        heads = [getattr(block.attention, "kv_heads", 0) for block in blueprint.layers]
        keys[f"{case.arch}.attention.head_count_kv"] = heads
    return str(write(folder / "model.gguf", blueprint.keys | keys, blueprint.tensors)), blueprint


def _counts(model: Any) -> tuple[float, ...]:
    workload = build_workload(rl.load_model(model), TextRun(2.0, 700.0, 300.0))
    phases = [float(phase.flops) for phase in workload.phases]
    return (workload.parameters, workload.active_parameters, float(workload.cache_elements()), *phases)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.arch}-{case.model}")
def test_a_header_gives_the_shapes_of_the_bundled_model(case: Case, tmp_path: Path) -> None:
    path, _ = _written(case, tmp_path)
    spec = rl.load_model(case.model)
    if case.arch == "bert":  # of which GGUF keeps no pooler
        spec = spec.model_copy(update={"pooler": False})
    assert _counts(path) == _counts(spec)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.arch}-{case.model}")
def test_the_weights_take_the_bytes_of_the_tensors(case: Case, tmp_path: Path) -> None:
    path, blueprint = _written(case, tmp_path)
    counted = [tensor for tensor in blueprint.tensors if not NO_PARAMETERS.search(tensor[0])]
    est = rl.estimate(path, gpu="h100", prompt=8, generate=2)
    assert est.memory.weights_bytes == pytest.approx(stored_bytes(counted), rel=1e-12)


MATRICES = {
    "attn_q": "q_proj",
    "attn_k": "k_proj",
    "attn_v": "v_proj",
    "attn_output": "o_proj",
    "ffn_down": "down_proj",
}


def _quantised(spec: Any, name: str) -> list[Tensor]:
    """The tensors of a model as llama.cpp's rules quantise them."""
    facts = facts_of(spec)
    out: list[Tensor] = []
    for tensor, shape, kind in Blueprint(spec, "x", lambda index: 0).tensors:
        match = re.fullmatch(r"blk\.(\d+)\.(\w+)\.weight", tensor)
        chosen = kind
        if match and len(shape) > 1:
            rules = MATRICES.get(match[2], "up_proj")
            chosen = (*_by_layer(name, rules, facts),)[int(match[1])]
        elif tensor in ("token_embd.weight", "output.weight"):
            role = "head" if tensor == "output.weight" else "embedding"
            chosen = file_shares(name, role, role, facts)[0][0]
        out.append((tensor, shape, fallback(chosen, shape[0]) if len(shape) > 1 else kind))
    return out


def _by_layer(name: str, op: str, facts: ModelFacts) -> Iterator[str]:
    """Types in some order of the layers: how many of each is what counts."""
    for dtype, count in file_shares(name, op, "attention", facts):
        yield from [dtype] * count


@pytest.mark.parametrize("name", ["q4_k_m", "q4_0", "q8_0", "iq3_xxs", "iq2_m", "q3_k_l", "q5_k_l", "tq2_0"])
@pytest.mark.parametrize("model", ["llama-3-8b", "qwen2.5-7b", "qwen2.5-0.5b"])
def test_a_file_of_a_known_mix_is_that_mix(tmp_path: Path, model: str, name: str) -> None:
    """By its rules alone a file has the bytes of its tensors; the header then only confirms them."""
    spec = rl.load_model(model)
    arch = "llama" if model.startswith("llama") else "qwen2"
    tensors = _quantised(spec, name)
    keys = Blueprint(spec, arch, lambda index: 0).keys | {"general.file_type": NUMBERS.get(name, 0)}
    path = str(write(tmp_path / "model.gguf", keys, tensors))
    by_header = rl.estimate(path, gpu="h100", prompt=8, generate=2).memory.weights_bytes
    by_rule = rl.estimate(model, gpu="h100", weights=name, prompt=8, generate=2).memory.weights_bytes
    assert by_header == pytest.approx(stored_bytes(tensors), rel=1e-12)
    assert by_rule == pytest.approx(stored_bytes(tensors), rel=1e-12)
    if name in NUMBERS:
        read = rl.load_model(path)
        assert (read.dtype, read.dtypes) == (name, {})


def test_latent_attention_is_read_as_it_was_stored_before_it_was_absorbed(tmp_path: Path) -> None:
    """Until April 2025 DeepSeek's keys and values were one tensor and heads were not folded into one."""
    spec: Any = rl.load_model("deepseek-v2-lite")
    blueprint = Blueprint(spec, "deepseek2", after(1))
    keys = {key: value for key, value in blueprint.keys.items() if not key.endswith("_mla")}
    own = {"attention.key_length": 192, "attention.value_length": 128, "attention.head_count_kv": 16}
    keys |= {f"deepseek2.{key}": value for key, value in (own | {"leading_dense_block_count": 1}).items()}
    tensors = [tensor for tensor in blueprint.tensors if "attn_k_b" not in tensor[0] and "attn_v_b" not in tensor[0]]
    tensors += [(f"blk.{layer}.attn_kv_b.weight", (512, 16 * 256), "bf16") for layer in range(27)]
    assert _counts(str(write(tmp_path / "model.gguf", keys, tensors))) == _counts(spec)


def test_experts_of_old_files_have_a_tensor_each(tmp_path: Path) -> None:
    """`blk.0.ffn_up.3.weight`: expert 3 of files from before April 2024."""
    spec: Any = rl.load_model("mixtral-8x7b")
    blueprint = Blueprint(spec, "llama", lambda index: 0)
    keys = {key: value for key, value in blueprint.keys.items() if not key.endswith("expert_feed_forward_length")}
    tensors: list[Tensor] = []
    for name, shape, kind in blueprint.tensors:
        if "_exps" in name:
            tensors += [(name.replace("_exps", f".{expert}"), shape[:2], kind) for expert in range(8)]
        else:
            tensors.append((name, shape, kind))
    assert _counts(str(write(tmp_path / "model.gguf", keys, tensors))) == _counts(spec)


def test_layers_that_predict_further_tokens_are_told_and_not_counted(tmp_path: Path) -> None:
    """GLM-4.5 counts its head of further predictions among its blocks, as the last one."""
    spec: Any = rl.load_model("glm-4.5-air")
    blueprint = Blueprint(spec, "glm4moe", after(1))
    last = [tensor for tensor in blueprint.tensors if tensor[0].startswith("blk.45.")]
    further = [(name.replace("blk.45.", "blk.46."), shape, kind) for name, shape, kind in last]
    further.append(("blk.46.nextn.eh_proj.weight", (8192, 4096), "bf16"))
    keys = blueprint.keys | {"glm4moe.block_count": 47, "glm4moe.nextn_predict_layers": 1}
    keys |= {"glm4moe.leading_dense_block_count": 1}
    path = str(write(tmp_path / "model.gguf", keys, [*blueprint.tensors, *further]))
    assert _counts(path) == _counts(spec)
    read: Any = rl.load_model(path)
    assert any("heads that predict further tokens" in told for told in read.assumed)
