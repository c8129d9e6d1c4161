"""The kernel models: never faster than the roofline, monotone, one formula for scalars and grids."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roofline.architectures.text.transformer import forward_ops
from roofline.machine.chips import stand_ins
from roofline.machine.chips.coefficients import Ceilings, measured_ceilings
from roofline.machine.chips.efficiency import ChipEfficiency
from roofline.machine.chips.stand_ins import stand_in
from roofline.machine.engine import Engine
from roofline.machine.expected import expected_op_time
from roofline.machine.kernels.attention import DecodeCoefficients, DecodeWork, decode_time
from roofline.machine.kernels.common import ChipFacts
from roofline.machine.kernels.experts import ExpertsCoefficients, ExpertsWork, experts_time
from roofline.machine.machine import Machine
from roofline.machine.time import op_cost
from roofline.runs.load import load_model, locate_gpu
from roofline.workload import constructors as make
from roofline.workload.precision import Precision
from roofline.workload.shapes import AttentionShape, Span

CHIPS = ["a100", "h100", "b200", "gb200", "l40s", "h200", "mi300x", "rtx-4090", "t4", "m2-max"]
FORMATS = ["bf16", "fp8", "nvfp4", "int4-g128"]
chips, formats = st.sampled_from(CHIPS), st.sampled_from(FORMATS)
size = st.integers(1, 70_000).map(float)
few = st.integers(1, 512).map(float)


def machine(*names: str) -> tuple[Machine, ChipEfficiency]:
    """One chip, or several along the first of two axes."""
    specs = [locate_gpu(name)[0] for name in names]
    if len(specs) == 1:
        return Machine.of(specs[0]), ChipEfficiency.of(specs[0])
    return Machine.stacked(list(map(Machine.of, specs)), 1), ChipEfficiency.stacked(
        list(map(ChipEfficiency.of, specs)), 1
    )


def ops(tokens: float, wide: float, batch: float, past: float):  # type: ignore[no-untyped-def]
    span, step = Span(batch, min(tokens, 8192.0), 0.0), Span(batch, 1.0, past, 9.0)
    return [
        make.linear("linear", "b", tokens, wide, 4096.0),
        make.linear("linear", "b", tokens, 4096.0, wide),
        make.norm("norm", "b", tokens, 4096.0),
        make.attention("attention", "b", AttentionShape(span, 32.0, 8.0, 128.0, 128.0)),
        make.attention("attention", "b", AttentionShape(step, 32.0, 8.0, 128.0, 128.0, 1024.0)),
        make.experts("experts", "b", tokens, width=2048.0, hidden=768.0, number=128.0, top_k=8.0, gated=True),
    ]


@settings(max_examples=60, deadline=None)
@given(chips, formats, size, size, few, size)
def test_expected_is_never_below_the_bound(
    chip: str, weights: str, tokens: float, wide: float, batch: float, past: float
) -> None:
    gpu, eff = machine(chip)
    precision = Precision.of(weights)
    for op in ops(tokens, wide, batch, past):
        expected, bound = expected_op_time(op, precision, gpu, eff), op_cost(op, precision, gpu).bound_s
        assert math.isfinite(expected)
        assert expected >= bound
        assert expected <= 100.0 * bound + 0.05, (op.name, expected, bound)


@settings(max_examples=40, deadline=None)
@given(chips, formats, size, size, few, size)
def test_more_tokens_or_a_longer_cache_take_no_less_time(
    chip: str, weights: str, tokens: float, wide: float, batch: float, past: float
) -> None:
    """Twice as much work, which hides the steps of tiles and splits, is never quicker by more than they allow."""
    gpu, eff = machine(chip)
    precision = Precision.of(weights)
    once, twice = ops(tokens, wide, batch, past), ops(2 * tokens, wide, 2 * batch, 2 * past)
    for a, b in zip(once, twice, strict=True):
        assert expected_op_time(b, precision, gpu, eff) >= 0.8 * expected_op_time(a, precision, gpu, eff)


@settings(max_examples=15, deadline=None)
@given(formats, st.lists(size, min_size=2, max_size=4), few, size)
def test_a_grid_is_its_scalars(weights: str, tokens: list[float], batch: float, past: float) -> None:
    """Tokens along one axis and chips along another, as sweep stacks them."""
    names = ["a100", "h100", "rtx-4090"]
    gpus, effs = machine(*names)
    precision = Precision.of(weights)
    grid = [expected_op_time(op, precision, gpus, effs) for op in ops_of_grid(np.asarray(tokens), batch, past)]
    for i, name in enumerate(names):
        gpu, eff = machine(name)
        for j, count in enumerate(tokens):
            scalars = [expected_op_time(op, precision, gpu, eff) for op in ops_of_grid(count, batch, past)]
            for cell, scalar in zip(grid, scalars, strict=True):
                assert np.broadcast_to(cell, (3, len(tokens)))[i, j] == pytest.approx(scalar, rel=1e-9)


def ops_of_grid(tokens, batch: float, past: float):  # type: ignore[no-untyped-def]
    span, step = Span(batch, tokens, 0.0), Span(tokens, 1.0, past, 9.0)
    return [
        make.linear("linear", "b", tokens, 4096.0, 14336.0),
        make.norm("norm", "b", tokens, 4096.0),
        make.attention("attention", "b", AttentionShape(span, 32.0, 8.0, 128.0, 128.0)),
        make.attention("attention", "b", AttentionShape(step, 32.0, 8.0, 128.0, 128.0, 1024.0)),
        make.experts("experts", "b", tokens, width=2048.0, hidden=768.0, number=128.0, top_k=8.0, gated=True),
    ]


def test_a_chip_without_measurements_takes_its_class_and_says_so() -> None:
    quality = {name: stand_in(locate_gpu(name)[0]) for name in CHIPS}
    assert quality["h100"] == ("h100-sxm", "measured")
    assert quality["h200"] == ("h100-sxm", "class")
    assert quality["rtx-4090"] == ("l40s", "other")
    assert quality["mi300x"].quality == "other"
    assert stand_in(locate_gpu("apple-m4-max")[0]) == ("l40s", "other")
    assert stand_in(locate_gpu("h100")[0], without="h100-sxm") == ("a100-sxm-80gb", "other")


@pytest.mark.parametrize(
    ("chip", "like"),
    [
        *((chip, "l40s") for chip in ("rtx-5090", "rtx-3090", "t4", "rtx-pro-6000")),
        *(("a30", "a100-sxm-80gb"), ("h20", "h100-sxm"), ("b300", "b200-sxm")),
    ],
)
def test_memory_and_formats_tell_the_family(chip: str, like: str) -> None:
    assert stand_in(locate_gpu(chip)[0]).chip == like


def test_a_slower_clock_lengthens_launches_and_leaves_fractions() -> None:
    ada, ampere = (machine(name)[1].coefficients("matmul", "bf16") for name in ("rtx-4090", "rtx-3090"))
    assert ampere.ceiling == pytest.approx(ada.ceiling, rel=0.02)
    assert ampere.fixed_s == pytest.approx(2520.0 / 1695.0 * ada.fixed_s, rel=0.05)


def test_the_power_limit_costs_a_chip_of_few_watts_more() -> None:
    """By watts and by clock: an L4 has few of the one, an L40S much of the other, an RTX 4090 half its rate in fp32."""
    droops = {name: machine(name)[1].coefficients("matmul", "bf16").droop for name in ("rtx-4090", "l40s", "l4", "l40")}
    assert droops["rtx-4090"] < 0.5 * min(droops["l40s"], droops["l4"])
    assert droops["l40s"] > droops["l40"]


def test_time_of_the_host_is_no_time_of_a_kernel() -> None:
    """Attention to latents was launched from Python in one engine: an engine's own host time would count it twice."""
    row = next(r for r in measured_ceilings().rows["mla decode"]["h100-sxm"] if r.kernel == "vllm_flash_attn_mla")
    assert row.values[1] > 1e-4
    eff = ChipEfficiency.of(locate_gpu("h100")[0], engine=Engine("bare vllm", library="vllm"))
    assert eff.coefficients("mla decode", "bf16").fixed_s == pytest.approx(2e-5)


@pytest.mark.parametrize("kind", ["matmul", "prefill", "decode", "experts", "collective"])
def test_nothing_of_a_chip_that_is_left_out_enters(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Borrowed coefficients are the same when the chip's rows are not even there, and lie among those lent."""
    spec = locate_gpu("h100")[0]
    dtype = "bf16/bf16" if kind == "prefill" else "bf16"
    found = ChipEfficiency.of(spec, without="h100-sxm").coefficients(kind, dtype)
    every = measured_ceilings()
    rows = {name: {chip: r for chip, r in by.items() if chip != "h100-sxm"} for name, by in every.rows.items()}
    known = {chip: like for chip, like in every.known.items() if chip != "h100-sxm"}
    monkeypatch.setattr(stand_ins, "measured_ceilings", lambda: Ceilings("", "", known, rows))
    stand_ins.rows_without.cache_clear()
    try:
        assert ChipEfficiency.of(spec).coefficients(kind, dtype) == found
    finally:
        stand_ins.rows_without.cache_clear()


def test_experts_take_the_kernels_of_their_weights() -> None:
    """Narrow weights those that widen them, blocks of scales their own, and no kernel far slower than its rivals."""
    rows = measured_ceilings().rows["experts"]["h100-sxm"]
    by_values = {row.values: row for row in rows}
    eff = ChipEfficiency.of(locate_gpu("h100")[0], engine=Engine("bare vllm", library="vllm"))
    asked = ("bf16", "fp8", "fp8_block", "int4-weights")
    formats = {name: by_values[tuple(eff.coefficients("experts", name))].format for name in asked}
    assert formats == {"bf16": "bf16", "fp8": "fp8_block", "fp8_block": "fp8_block", "int4-weights": "int4-weights"}
    kept = stand_ins.without_laggards("experts", rows)
    assert {row.kernel for row in rows} - {row.kernel for row in kept}
    assert len(kept) > 0.7 * len(rows)


def test_weights_in_mxfp4_are_widened_where_no_unit_multiplies_them() -> None:
    """A fraction of the 16-bit peak, though the format would be multiplied at the peak of fp8."""
    op = make.experts("experts", "b", 4096.0, width=2880.0, hidden=2880.0, number=32.0, top_k=4.0, gated=True)
    gpu, eff = machine("h100")
    precision = Precision.of("mxfp4")
    half = eff.sheet.peaks["bf16"]
    assert expected_op_time(op, precision, gpu, eff) > op.flops / half


def test_a_cache_that_is_not_split_takes_longer_for_one_sequence() -> None:
    facts = ChipFacts(1e15, 3e12, 132.0)
    whole = DecodeCoefficients(0.9, 5e-6, 2.0, 0.1, 1e-6, 1e-6, 0.5, 2e-6, 1.0, 0.1, 1e9)
    work = DecodeWork(1.0, 8.0, 1.0, 65536.0, 1e15, 256.0, 512.0, 0.0)
    assert decode_time(work, facts, whole._replace(splits=1.0)) > 4.0 * decode_time(work, facts, whole)
    many = work._replace(batch=512.0)
    assert decode_time(many, facts, whole._replace(splits=1.0)) == decode_time(many, facts, whole)


def test_a_few_rows_need_no_sorting() -> None:
    c = ExpertsCoefficients(0.8, 0.1, 0.8, 2e-5, 1e-8, 100.0, 2.5, 10.0, 0.5, 1e-5)
    facts = ChipFacts(1e15, 3e12, 132.0)
    one, many = (ExpertsWork(rows, 8.0, 64.0, 64.0, 2.0, 0.0, 0.0) for rows in (1.0, 4096.0))
    without = c._replace(sort_s=0.0)
    assert experts_time(one, facts, c) - experts_time(one, facts, without) < 1e-6
    assert experts_time(many, facts, c) - experts_time(many, facts, without) == pytest.approx(1e-5, rel=0.01)


def test_the_coefficients_load_fast_and_are_cached() -> None:
    best = math.inf
    for _ in range(5):
        measured_ceilings.cache_clear()
        start = time.perf_counter()
        measured_ceilings()
        best = min(best, time.perf_counter() - start)
    assert best < 0.02
    assert measured_ceilings() is measured_ceilings()


def test_one_matrix_product_is_quick_to_expect() -> None:
    gpu, eff = machine("h100")
    precision, op = Precision.of("bf16"), make.linear("linear", "b", 8.0, 4096.0, 4096.0)
    expected_op_time(op, precision, gpu, eff)
    best = min(_timed(lambda: expected_op_time(op, precision, gpu, eff)) for _ in range(20))
    assert best < 40e-6


def _timed(run) -> float:  # type: ignore[no-untyped-def]
    start = time.perf_counter()
    for _ in range(50):
        run()
    return (time.perf_counter() - start) / 50


@pytest.mark.parametrize("model", ["mistral-7b", "mixtral-8x7b", "gpt2"])
def test_every_op_of_a_model_has_an_expected_time(model: str) -> None:
    gpu, eff = machine("a100")
    precision = Precision.of("bf16")
    for span in (Span(4.0, 300.0, 0.0), Span(4.0, 1.0, 300.0, 17.0)):
        for op in forward_ops(load_model(model), span):
            assert expected_op_time(op, precision, gpu, eff) >= op_cost(op, precision, gpu).bound_s > 0.0
