"""Formats of caches: rows of tokens in bytes, keys and values apart, packed latents, and what a token more adds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import roofline as rl
from roofline.errors import UnknownNameError, UsageError
from roofline.specs.formats.caches import PACKED, Row, read_cache
from roofline.workload.precision import Precision

LATENT = Row(576.0, kind="latent", rope=64.0)
ENTRY = Row(512.0, kind="compressed", rope=64.0)
INDEX = Row(128.0, kind="index")


@pytest.mark.parametrize(
    ("name", "latent", "entry"),
    [
        # vLLM: 656 B (V3.2), 584 B (V4, pull requests 47716 and 56893)
        ("fp8_ds_mla", 656.0, 584.0),
        # local-inference-lab/vllm#82: 432 B; sgl-project/sglang#38646: 384 B
        ("nvfp4_ds_mla", 432.0, 384.0),
    ],
)
def test_packed_rows_have_the_bytes_of_their_layouts(name: str, latent: float, entry: float) -> None:
    cache = read_cache(name)
    assert (cache.row_bytes(LATENT), cache.row_bytes(ENTRY), cache.row_bytes(INDEX)) == (latent, entry, 132.0)


def test_packed_caches_of_whole_models() -> None:
    """DeepSeek V3.2: 61 layers of 656 B and an indexer of 132 B each."""
    est = rl.estimate("deepseek-v3.2", gpu="h200", gpus=8, kv_cache="fp8_ds_mla")
    assert est.memory.kv_cache_bytes_per_token == 61 * (656 + 132)
    assert est.inputs["kv_cache"] == "fp8_ds_mla"
    long = rl.estimate("deepseek-v4-flash", gpu="h200", gpus=8, prompt=100_000, generate=1, kv_cache="fp8_ds_mla")
    assert long.memory.kv_cache_bytes_per_token == 21 * (584 + 132) / 4 + 20 * 584 / 128


def test_keys_and_values_may_differ() -> None:
    est = rl.estimate("llama-3.1-8b", gpu="a100", kv_cache="q8_0/q4_0")
    assert est.memory.kv_cache_bytes_per_token == 32 * 8 * 128 * (8.5 + 4.5) / 8
    assert rl.estimate("llama-3.1-8b", gpu="a100", kv_cache="q8_0/q8_0").inputs["kv_cache"] == "q8_0"


@pytest.mark.parametrize("fusion", ["flash", "eager"])
def test_times_and_ledger_follow_the_bytes_of_keys_and_values(fusion: str) -> None:
    def moved(kv_cache: str) -> float:
        est = rl.estimate("llama-2-7b", gpu="a100", prompt=4096, kv_cache=kv_cache, fusion=fusion)
        return sum(row.cache_bytes for row in est.ops("decode"))

    assert moved("q8_0/q4_0") == pytest.approx((moved("q8_0") + moved("q4_0")) / 2)
    assert moved("q4_0/q8_0") == pytest.approx(moved("q8_0/q4_0"))


@pytest.mark.parametrize(
    ("model", "kv_cache", "message"),
    [
        ("llama-3.1-8b", "fp8_ds_mla", "has none"),
        ("deepseek-v3", "q8_0/q4_0", "one latent for keys and values"),
        ("llama-3.1-8b", "q8_0/", "KEYS/VALUES"),
        ("llama-3.1-8b", "/q8_0", "KEYS/VALUES"),
        ("llama-3.1-8b", "q8_0/q4_0/q4_0", "KEYS/VALUES"),
        ("deepseek-v3", "fp8_ds_mla/q8_0", "take it alone"),
        ("llama-3.1-8b", "q8_0/q4_k", "weights alone"),
    ],
)
def test_caches_that_a_model_cannot_have_are_refused(model: str, kv_cache: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        rl.estimate(model, gpu="h200", kv_cache=kv_cache)


def test_an_unknown_cache_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="fp8_ds_mla"):
        rl.estimate("deepseek-v3", gpu="h200", kv_cache="fp8_ds_mlx")
    assert set(PACKED) <= set(rl.list_precisions())


@pytest.mark.parametrize("options", [{"weights": "w8a8"}, {"activations": "int8"}, {"activations": "fp8"}])
def test_narrow_activations_do_not_narrow_the_cache(options: dict[str, Any]) -> None:
    """vllm-project/vllm#12569: a cache of 16 bits beside w8a8."""
    assert rl.estimate("llama-3.1-8b", gpu="h100", **options).memory.kv_cache_bytes_per_token == 131072


def test_wide_activations_widen_the_cache() -> None:
    assert Precision.of("bf16", "fp32").cache.name == "fp32"
    assert Precision.of("int8", "fp16").cache.name == "fp16"


def test_no_format_of_a_cache_narrows_a_recurrent_state() -> None:
    narrow, wide = (rl.estimate("qwen3.5-27b", gpu="h200", kv_cache=name).memory for name in ("fp8", "bf16"))
    assert narrow.state_bytes == wide.state_bytes > 0
    assert narrow.kv_cache_bytes == wide.kv_cache_bytes / 2


@pytest.mark.parametrize(
    "model", ["gemma-3-27b", "gpt-oss-120b", "deepseek-v3", "llama-4-scout", "glm-5", "minimax-m3"]
)
@pytest.mark.parametrize("tokens", [100.0, 5000.0, 100_000.0])
def test_the_growth_is_the_difference_of_two_caches(model: str, tokens: float) -> None:
    short, longer = (rl.estimate(model, gpu="h200", prompt=n, generate=1).memory for n in (tokens, tokens + 1))
    assert longer.kv_cache_bytes - short.kv_cache_bytes == short.kv_cache_bytes_per_token
    assert short.kv_cache_bytes_per_token <= short.kv_cache_bytes_per_token_below_windows


def test_compressed_entries_grow_by_their_rate() -> None:
    """Over a whole number of entries the growth is the difference, whatever waits in between."""
    at = {n: rl.estimate("deepseek-v4-flash", gpu="h200", prompt=n, generate=1).memory for n in (128_000, 256_000)}
    each = (at[256_000].kv_cache_bytes - at[128_000].kv_cache_bytes) / 128_000
    assert at[128_000].kv_cache_bytes_per_token == pytest.approx(each)
    assert at[128_000].kv_cache_bytes_per_token_below_windows == 50_912


def test_a_layout_with_full_windows_grows_beyond_them() -> None:
    options: dict[str, Any] = {"prompt": 8000, "generate": 1}
    full = rl.estimate("gemma-2-9b", gpu="a100", kv_layout="full-windows", **options).memory
    assert full.kv_cache_bytes_per_token == full.kv_cache_bytes_per_token_below_windows
    paged = rl.estimate("gemma-2-9b", gpu="a100", kv_layout="paged", **options).memory
    assert paged.kv_cache_bytes_per_token == full.kv_cache_bytes_per_token / 2


def test_the_growth_of_a_grid_is_that_of_its_points() -> None:
    prompts = np.array([100.0, 4095.0, 4096.0, 8000.0])
    grid = rl.sweep("gemma-2-9b", gpu="a100", prompt=prompts, generate=1)
    single = [rl.estimate("gemma-2-9b", gpu="a100", prompt=int(n), generate=1).memory for n in prompts]
    assert [row["kv_cache_bytes"] for row in grid.records()] == [memory.kv_cache_bytes for memory in single]
    assert [memory.kv_cache_bytes_per_token for memory in single] == [344064, 344064, 172032, 172032]


def test_explain_tells_growth_and_the_rate_below_windows_apart() -> None:
    def found(prompt: int) -> list[str]:
        return [d.quantity for d in rl.estimate("gemma-2-9b", gpu="a100", prompt=prompt, generate=1).explain()]

    name = "memory.kv_cache_bytes_per_token_below_windows"
    assert name in found(8000)
    assert name not in found(100)


def test_a_context_that_is_just_reached_is_no_reason_to_warn() -> None:
    """The last token is never fed back: 131,072 tokens and one more need 131,072 positions."""
    codes = [
        [w.code for w in rl.estimate("llama-3.1-8b", "h200", prompt=n, generate=1).warnings] for n in (131072, 131073)
    ]
    assert "context-exceeds-maximum" not in codes[0]
    assert "context-exceeds-maximum" in codes[1]
