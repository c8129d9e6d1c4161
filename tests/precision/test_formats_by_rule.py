"""Formats that no table lists, and overrides of groups of layers and of parts."""

from __future__ import annotations

import math

import pytest

import roofline as rl
from roofline.errors import UnknownNameError, UsageError
from roofline.specs.formats.dtypes import DTYPES, find_dtype
from roofline.workload.precision import Precision
from roofline.workload.storage.matrices import Matrix, matrix_bits


@pytest.mark.parametrize(
    ("name", "bits"),
    [
        ("int3-g64", 3 + 32 / 64),
        ("int5-s16", 5 + 16 / 16),
        ("int2-z128", 2 + 18 / 128),
        ("int8-z32", 8 + 24 / 32),
        ("mlx-3bit-g32", 3 + 32 / 32),
        ("fp8-s64", 8 + 16 / 64),
        ("fp8-b64x32", 8 + 32 / (64 * 32)),
        ("hqq-3bit-g64", 3.2 + 32 / 64),
        ("hqq-2bitq-g16", 2 + 2 * (8 + 32 / 128) / 16),
        ("exl2-4.65", 4.65),
        ("nvfp4-a16", 4.5),
        ("3*int4-g128+bf16", (3 * 4.25 + 16) / 4),
        ("nf4-b64-dq", 4 + 8 / 64 + 32 / 16384),
    ],
)
def test_a_name_says_the_bits(name: str, bits: float) -> None:
    assert find_dtype(name).bits == pytest.approx(bits, rel=1e-15)


@pytest.mark.parametrize(
    "name", ["int9-g64", "int3-g0", "int3-x64", "exl2-99", "2*int4", "int4+", "q4_k_m+bf16", "bf16-a16"]
)
def test_a_name_that_describes_nothing_is_refused(name: str) -> None:
    with pytest.raises(UnknownNameError):
        find_dtype(name)


@pytest.mark.parametrize("name", ["int4-g64+bf16", "fp32+bf16", "int3-g64"])
def test_a_cache_has_one_format(name: str) -> None:
    with pytest.raises(UsageError):
        Precision.of("bf16", cache=name)


def test_tables_and_rules_agree() -> None:
    """int4-gptq of the table is int4-z128 of the rule, mlx-4bit is mlx-4bit-g64."""
    assert find_dtype("int4-z128").bits == DTYPES["int4-gptq"].bits
    assert find_dtype("mlx-4bit-g64").bits == DTYPES["mlx-4bit"].bits
    assert find_dtype("int4-channel").channel_bits == DTYPES["int4"].channel_bits


@pytest.mark.parametrize("inputs", [128, 160, 2880, 17])
def test_a_last_group_is_as_large_as_the_others(inputs: int) -> None:
    """Inputs that a group does not divide pay for a whole last one, so do blocks of 128 x 128 in both directions."""
    found = matrix_bits(find_dtype("int4-s64"), Matrix(float(inputs), 10.0))
    assert found * inputs == pytest.approx(4 * inputs + 16 * math.ceil(inputs / 64))
    blocks = math.ceil(inputs / 128) * math.ceil(576 / 128)
    found = matrix_bits(DTYPES["fp8-b128"], Matrix(float(inputs), 576.0))
    assert found * inputs * 576 == pytest.approx(8 * inputs * 576 + 32 * blocks)


def test_an_override_may_name_the_group_and_a_part_of_the_experts() -> None:
    def weights(text: str) -> float:
        return float(rl.estimate("mixtral-8x7b", gpu="h100", weights=text).memory.weights_bytes)

    down = weights("int4-s128,experts_down=bf16") - weights("int4-s128")
    assert down == pytest.approx(32 * 8 * 4096 * 14336 * (16 - 4 - 16 / 128) / 8)
    assert weights("int4-s128,layers.experts=bf16") == weights("int4-s128,experts=bf16")
    with pytest.raises(UsageError, match=r"layer\.experts"):
        weights("int4-s128,layer.experts=bf16")


def test_projections_of_linear_attention_have_names_of_their_own() -> None:
    """in_proj_z and out_proj are of the gated delta net, o_proj and the gate are those of softmax attention."""

    def weights(text: str) -> float:
        return float(rl.estimate("qwen3-next-80b-a3b", gpu="h100", weights=text).memory.weights_bytes)

    base, wide = weights("int4-s128"), (16 - 4 - 16 / 128) / 8
    assert weights("int4-s128,in_proj_z=bf16") - base == pytest.approx(36 * 2048 * 4096 * wide)
    assert weights("int4-s128,out_proj=bf16") - base == pytest.approx(36 * 2048 * 4096 * wide)
    assert weights("int4-s128,o_proj=bf16") - base == pytest.approx(12 * 2048 * 4096 * wide)
    assert weights("int4-s128,output_gate_proj=bf16") - base == pytest.approx(12 * 2048 * 4096 * wide)


def test_wide_matrices_beside_narrow_activations_are_multiplied_wide() -> None:
    precision = Precision.of("int8,head=bf16", activations="int8")
    assert precision.matrix_dtype() == "int8"
    assert precision.matrix_dtype(find_dtype("bf16")) == "bf16"


def test_gpt_oss_has_its_attention_in_sixteen_bit() -> None:
    """65,248,815,744 bytes. Source: alvarobartt/hf-mem#60, from the headers of the checkpoint."""
    assert rl.estimate("gpt-oss-120b", gpu="h200").memory.weights_bytes == 65_248_815_744
