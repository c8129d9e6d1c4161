"""Stored sizes of real checkpoints: GGUF files, GPTQ, AWQ and FP8 checkpoints in memory."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import roofline as rl
from roofline.specs.formats.mixes import more_bits
from roofline.specs.text.transformer import TransformerSpec

GIB = 2.0**30
_HERE = Path(__file__).parent


def _dense(
    name: str, layers: int, width: int, heads: int, kv_heads: int, dim: int, hidden: int, **rest: object
) -> TransformerSpec:
    attention = {"kind": "softmax", "heads": heads, "kv_heads": kv_heads, "head_dim": dim, **rest.pop("attention", {})}
    return TransformerSpec.model_validate(
        {
            "family": "transformer",
            "name": name,
            "title": name,
            "width": width,
            "max_context": 131072,
            "positions": {"kind": "rotary"},
            "norm": {"kind": "rms"},
            "sources": ["its config.json"],
            "blocks": [
                {
                    "layers": layers,
                    "attention": attention,
                    "feed_forward": {"kind": "dense", "width": hidden, "gated": True},
                }
            ],
            **rest,
        }
    )


QWEN25 = {"vocabulary": 152064, "attention": {"qkv_bias": True}}
SMALL = QWEN25 | {"vocabulary": 151936, "tied_embeddings": True}
QWEN3 = {"vocabulary": 151936, "attention": {"qk_norm": "head"}}
MODELS = {
    "Qwen2.5-0.5B-Instruct": lambda: _dense("q", 24, 896, 14, 2, 64, 4864, **SMALL),
    "Qwen2.5-7B-Instruct": lambda: _dense("q", 28, 3584, 28, 4, 128, 18944, **QWEN25),
    "Qwen2.5-14B-Instruct": lambda: _dense("q", 48, 5120, 40, 8, 128, 13824, **QWEN25),
    "Qwen2.5-32B-Instruct": lambda: _dense("q", 64, 5120, 40, 8, 128, 27648, **QWEN25),
    "Qwen2.5-72B-Instruct": lambda: _dense("q", 80, 8192, 64, 8, 128, 29568, **QWEN25),
    "Qwen3-0.6B": lambda: _dense("q", 28, 1024, 16, 8, 128, 3072, **QWEN3, tied_embeddings=True),
    "Qwen3-8B": lambda: _dense("q", 36, 4096, 32, 8, 128, 12288, **QWEN3),
    "Qwen3-14B": lambda: _dense("q", 40, 5120, 40, 8, 128, 17408, **QWEN3),
    "Qwen3-32B": lambda: _dense("q", 64, 5120, 64, 8, 128, 25600, **QWEN3),
}
FORMATS = {
    "bf16": "bf16",
    "gptq-int4": "gptq-int4",
    "gptq-int8": "gptq-int8",
    "awq": "awq",
    "awq-int4": "awq",
    "fp8": "fp8-block",
}


def _rows() -> list[dict[str, str]]:
    with (_HERE / "measured_memory.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def _counted(row: dict[str, str]) -> float:
    """Weights and cache in GiB."""
    est = rl.estimate(
        MODELS[row["model"]](), gpu="h100", weights=FORMATS[row["weights"]], prompt=int(row["prompt"]), generate=2048
    )
    return float(est.memory.weights_bytes + est.memory.kv_cache_bytes) / GIB


def _name(row: dict[str, str]) -> str:
    return f"{row['model']}-{row['weights']}-{row['prompt']}"


@pytest.mark.parametrize("row", _rows(), ids=_name)
def test_no_run_took_less_than_its_weights_and_cache(row: dict[str, str]) -> None:
    assert _counted(row) <= float(row["memory_gib"]) * 1.005


@pytest.mark.parametrize("row", [row for row in _rows() if row["prompt"] == "1"], ids=_name)
def test_with_a_short_prompt_weights_and_cache_are_all_of_it(row: dict[str, str]) -> None:
    """Less than 3 % or 0.3 GiB of buffers: GPTQ's kernels widen a matrix, Qwen3-0.6B's FP8 file has its head twice."""
    measured = float(row["memory_gib"])
    assert _counted(row) >= min(measured * 0.97, measured - 0.3)


def _of_every_length(row: dict[str, str]) -> bool:
    served = row["model"].startswith("Qwen3-") and row["weights"] in ("bf16", "fp8")
    return served and row["prompt"] != "1" and (row["model"], row["weights"]) != ("Qwen3-0.6B", "fp8")


@pytest.mark.parametrize("row", [row for row in _rows() if _of_every_length(row)], ids=_name)
def test_at_every_length_weights_and_cache_are_what_was_measured(row: dict[str, str]) -> None:
    """Within 0.14 GiB from 8 k to 33 k tokens; the FP8 checkpoints with fp32 scales per block of 128 x 128."""
    assert 0.0 <= float(row["memory_gib"]) - _counted(row) <= 0.14


@pytest.mark.parametrize(
    ("model", "weights", "gib"),
    [
        ("llama-3-8b", "q4_k_m", 4.58),
        ("llama-3-8b", "fp16", 14.96),
        ("llama-3-70b", "q4_k_m", 39.59),
        ("llama-3-70b", "fp16", 131.42),
    ],
)
def test_gguf_files_have_the_published_size(model: str, weights: str, gib: float) -> None:
    """Sizes of files in XiongjieDai/GPU-Benchmarks-on-LLM-Inference @aa72e0ec, to their two decimals."""
    est = rl.estimate(model, gpu="h100", weights=weights)
    assert est.memory.weights_bytes / GIB == pytest.approx(gib, abs=0.0051)


def test_half_of_the_layers_of_a_medium_mix_are_wide() -> None:
    assert sum(more_bits(layer, 32) for layer in range(32)) == 16
    assert sum(more_bits(layer, 80) for layer in range(80)) == 40


def test_an_expert_mix_of_mxfp4_has_the_size_of_gpt_oss_20b() -> None:
    """gpt-oss-20b: 24 layers, 32 experts of 2880; the checkpoint has 12.8 GiB (OpenAI, gpt-oss model card, table 1)."""
    spec = _gpt_oss(24, 32)
    est = rl.estimate(spec, gpu="h100", weights="bf16,experts=mxfp4")
    assert est.parameters.total == pytest.approx(20.91e9, rel=0.001)
    assert est.memory.weights_bytes / GIB == pytest.approx(12.8, abs=0.06)


def test_an_expert_mix_of_mxfp4_has_the_size_of_gpt_oss_120b() -> None:
    """36 layers, 128 experts; 116.83 B parameters, 60.8 GiB (OpenAI, gpt-oss model card, table 1)."""
    est = rl.estimate(_gpt_oss(36, 128), gpu="h100", weights="bf16,experts=mxfp4")
    assert est.parameters.total == pytest.approx(116.83e9, rel=0.001)
    assert est.memory.weights_bytes / GIB == pytest.approx(60.8, abs=0.06)


def _gpt_oss(layers: int, experts: int) -> TransformerSpec:
    attention = {"kind": "softmax", "heads": 64, "kv_heads": 8, "head_dim": 64, "qkv_bias": True, "output_bias": True}
    routed = {"kind": "experts", "width": 2880, "experts": experts, "top_k": 4, "bias": True, "router_bias": True}
    document = {
        "family": "transformer",
        "name": "gpt-oss",
        "title": "gpt-oss",
        "width": 2880,
        "max_context": 131072,
        "vocabulary": 201088,
        "positions": {"kind": "rotary"},
        "norm": {"kind": "rms"},
        "blocks": [{"layers": layers, "attention": attention, "feed_forward": routed}],
        "sources": ["its config.json"],
    }
    return TransformerSpec.model_validate(document)
