"""Values that mean nothing are refused where they stand, in the words in which they were given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import roofline as rl


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"runtime_reserve": "10"}, "'10' has no unit"),
        ({"runtime_reserve": "1e9"}, "'1e9' has no unit"),
        ({"runtime_reserve": "150%"}, "between 0% and 100%"),
        ({"runtime_reserve": "-5%"}, "between 0% and 100%"),
        ({"offload": "weights=150%"}, "no share between 0 and 1"),
        ({"offload": "weights=%"}, "no share between 0 and 1"),
        ({"gpus": 3}, "--gpus 3 (taken as --tp 3) does not divide"),
        ({"tp": 3}, "^--tp 3 does not divide"),
        ({"kv_cache": "int4"}, "int4 is a format of weights alone.*q8_0.* as llama.cpp"),
        ({"kv_cache": "q4_k"}, "q4_k is a format of weights alone"),
        ({"activations": "int4"}, "int4 is a format of weights alone"),
        ({"activations": "q8_0"}, "q8_0 is a format of weights alone"),
    ],
)
def test_a_value_without_meaning_is_refused_as_it_was_given(options: dict[str, Any], says: str) -> None:
    with pytest.raises(rl.UsageError, match=says.replace("(", r"\(").replace(")", r"\)")):
        rl.estimate("llama-3-8b", "h100", **options)


@pytest.mark.parametrize(
    ("cache", "bits"),
    [("q8_0", 8.5), ("q4_0", 4.5), ("int4-g128", 4.25), ("fp8", 8), ("int8", 8), ("mlx-4bit", 4.5), ("nvfp4", 4.5)],
)
def test_a_cache_may_have_the_formats_in_which_engines_keep_it(cache: str, bits: float) -> None:
    """Llama 3 8B: 32 layers · 8 heads · (128 + 128) values per token, scales included."""
    est = rl.estimate("llama-3-8b", "h100", kv_cache=cache)
    assert est.memory.kv_cache_bytes_per_token == 32 * 8 * 256 * bits / 8


def test_a_share_may_be_a_percentage_wherever_there_is_one() -> None:
    percent, share = (rl.estimate("llama-3-8b", "h100", offload=f"weights={text}") for text in ("50%", "0.5"))
    assert percent.to_dict() == share.to_dict()


_GPU = """kind: gpu
name: mine
title: Mine
vendor: me
peak:
  tensor:
    bf16: 100 TFLOP/s
memory:
  capacity: 80 GB
  bandwidth: 2000 GB/s
sources: [me]
"""


@pytest.mark.parametrize(
    ("line", "old", "new"),
    [(7, "100 TFLOP/s", "0 TFLOP/s"), (9, "80 GB", "0 GB"), (10, "2000 GB/s", "0 GB/s"), (10, "2000 GB/s", "0.0 B/s")],
)
def test_an_accelerator_without_memory_or_rate_is_refused_at_its_line(
    tmp_path: Path, line: int, old: str, new: str
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(_GPU)
    assert rl.load_gpu(str(path)).memory.capacity == 80e9
    path.write_text(_GPU.replace(old, new))
    with pytest.raises(rl.SpecError, match="must be more than nothing") as caught:
        rl.load_gpu(str(path))
    assert caught.value.place.line == line
