"""Formats of weights: shorthand, overrides, scales, and the order of their sizes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import roofline as rl
from roofline.errors import UnknownNameError, UsageError
from roofline.specs.formats.dtypes import DTYPES
from roofline.workload.precision import Precision

FLOAT_ORDER = ["nvfp4", "mxfp8", "fp16", "fp32"]
MODELS = ["mistral-7b", "mixtral-8x7b", "gpt2", "gpt-j-6b", "opt-125m"]


def _bytes(model: str, weights: str) -> float:
    return float(rl.estimate(model, gpu="h100", weights=weights).memory.weights_bytes)


def test_the_shorthand_names_weights_activations_and_cache() -> None:
    precision = Precision.of("w4a16kv8")
    assert (precision.weights.name, precision.activations.name, precision.cache.name) == ("int4-g128", "bf16", "int8")
    assert Precision.of("w8a8").matrix_dtype() == "int8"
    assert Precision.of("w8a16").matrix_dtype() == "bf16"


@pytest.mark.parametrize(
    ("weights", "options", "says"),
    [
        ("w5a16", {}, "w5 is not one of"),
        ("w4a16", {"activations": "int8"}, "says a16, --activations says int8"),
        ("int4,head", {}, "is not OP=FORMAT"),
        ("int4,heads=bf16", {}, "no op or role named 'heads'"),
        ("int4,head=q4_k_m", {}, "mixes formats"),
        ("bf16", {"kv_cache": "q4_k_m"}, "mixes formats"),
        ("q4_k_x", {}, "no precision named"),
    ],
)
def test_a_wrong_format_is_refused_with_what_is_accepted(weights: str, options: dict[str, str], says: str) -> None:
    with pytest.raises((UsageError, UnknownNameError), match=says):
        rl.estimate("mistral-7b", gpu="h100", weights=weights, **options)


def test_overrides_apply_by_op_and_by_role() -> None:
    plain, kept = _bytes("mistral-7b", "int4-g128"), _bytes("mistral-7b", "int4-g128,head=bf16,embedding=bf16")
    assert kept - plain == 2 * 32000 * 4096 * (16 - 4.25) / 8
    by_role, by_op = (
        _bytes("mistral-7b", "bf16,attention=int8"),
        _bytes("mistral-7b", "bf16,q_proj=int8,k_proj=int8,v_proj=int8,o_proj=int8"),
    )
    assert by_role == by_op


def test_an_override_decides_the_rate_of_its_op() -> None:
    est = rl.estimate("mistral-7b", gpu="h100", weights="bf16,feed_forward=fp8")
    rate = {row.name: row.dtype for row in est.ops("prefill", split=True)}
    assert (rate["q_proj"], rate["up_proj"]) == ("bf16", "fp8")


def test_a_tied_head_takes_the_format_of_its_embedding() -> None:
    rows = {
        row.name: row
        for row in rl.estimate("gpt2", gpu="h100", weights="int8,embedding=fp16").ops("decode", split=True)
    }
    assert rows["head"].weight_bytes == 50257 * 768 * 2


def test_a_scale_per_channel_is_counted() -> None:
    """4096 x 14336 of int8 with an fp16 scale per output channel."""
    row = next(
        row
        for row in rl.estimate("mistral-7b", gpu="h100", weights="int8").ops("decode", split=True)
        if row.name == "up_proj"
    )
    assert row.weight_bytes == 32 * (4096 * 14336 + 2 * 14336)


def test_a_gguf_row_that_is_no_whole_super_block_falls_back() -> None:
    """Of 896 elements 256 make no whole number but 32 do; of 4 neither, and such rows stay in fp16."""
    precision = Precision.of("q4_k_m")
    for model, name in (("qwen2.5-0.5b", "q5_0"), ("tiny-transformer", "fp16")):
        est = rl.estimate(model, gpu="h100", weights="q4_k_m")
        linear = next(op for op in est.workload.phases[0].ops if op.kind == "linear" and op.name == "q_proj")
        assert precision.weight_dtype(linear).name == name


@given(model=st.sampled_from(MODELS), pair=st.lists(st.sampled_from(FLOAT_ORDER), min_size=2, max_size=2))
def test_more_bits_never_take_less_memory(model: str, pair: list[str]) -> None:
    few, many = sorted(pair, key=FLOAT_ORDER.index)
    assert _bytes(model, few) <= _bytes(model, many)


@given(
    model=st.sampled_from(MODELS),
    role=st.sampled_from(["head", "embedding", "attention"]),
    base=st.sampled_from(["int4-g128", "int8", "nvfp4"]),
)
def test_a_wider_part_never_takes_less_memory(model: str, role: str, base: str) -> None:
    if role != "head" or not rl.load_model(model).tied_embeddings:
        assert _bytes(model, base) <= _bytes(model, f"{base},{role}=bf16")


def test_every_listed_format_can_hold_weights() -> None:
    parameters = rl.estimate("mistral-7b", gpu="h100").parameters.total
    for name, dtype in DTYPES.items():
        assert 0.95 * dtype.bits <= 8 * _bytes("mistral-7b", name) / parameters <= dtype.bits + 1.2, name


def test_mlx_and_gguf_widths_are_those_of_their_blocks() -> None:
    assert DTYPES["mlx-4bit"].bits == (64 * 4 + 2 * 16) / 64
    assert DTYPES["q4_k"].bits * 256 / 8 == 144
    assert DTYPES["q6_k"].bits * 256 / 8 == 210
    assert DTYPES["mxfp4"].bits * 32 / 8 == 17
    assert DTYPES["nvfp4"].bits * 16 / 8 == 9
