"""What loads are built to feed, and what widening weights costs engines of pictures."""

from __future__ import annotations

from typing import Any

import pytest

import roofline as rl
from roofline.machine.chips.efficiency import ChipEfficiency
from roofline.machine.engine import load_engine
from roofline.specs.files.library import bundled
from roofline.specs.files.reader import read_gpu
from roofline.specs.formats.dtypes import find_dtype
from roofline.specs.formats.unpacking import unpacking

FLUX = {"height": 1024, "width": 1024, "steps": 2}


def gain(name: str) -> float:
    sheet = ChipEfficiency.of(read_gpu(bundled("hardware") / f"{name}.yaml")).sheet
    assert sheet is not None
    return sheet.unit.feed_gain


def seconds(gpu: str, engine: str = "pytorch-eager", **options: Any) -> float:
    found = rl.estimate("flux.1-dev", gpu=gpu, engine=engine, **FLUX, **options).quantity("total_s").times
    return float(found.expected)


@pytest.mark.parametrize("chip", ["a10g", "l20", "l40", "rtx-3090", "rtx-4090", "rtx-5090"])
def test_boards_held_at_half_the_rate_of_their_units_are_fed_twice_as_well(chip: str) -> None:
    """An SM without stacked memory is built for 1,024 FLOP a clock; these list 512 where sums are in fp32."""
    assert gain(chip) == pytest.approx(2.0, rel=0.02)


@pytest.mark.parametrize("chip", ["a10", "a40", "l40s", "t4", "v100-sxm2-32gb", "a100-sxm-80gb", "h100-sxm"])
def test_boards_of_the_full_rate_are_fed_as_they_are(chip: str) -> None:
    assert gain(chip) == pytest.approx(1.0, rel=0.02)


@pytest.mark.parametrize("chip", ["p100-sxm2", "mi300x", "apple-m2-max", "tpu-v5e", "h20"])
def test_nothing_is_known_of_chips_without_matrix_units_or_clocks(chip: str) -> None:
    assert gain(chip) == 1.0


def test_a_board_at_half_the_rate_reaches_more_of_its_peak() -> None:
    """The A10G has units as the A40's, which multiply at half their rate."""
    engine = load_engine("pytorch-eager")
    half, full = (
        ChipEfficiency.of(read_gpu(bundled("hardware") / f"{name}.yaml"), engine=engine).coefficients("matmul", "bf16")
        for name in ("a10g", "a40")
    )
    assert half.ceiling > 1.4 * full.ceiling
    assert half.ceiling <= 0.95


@pytest.mark.parametrize("name", ["nf4", "int8", "q8_0", "q4_k", "q2_k"])
def test_weights_that_are_widened_at_each_use_cost_an_eager_host_time(name: str) -> None:
    """On an H100 FLUX in bf16 is bound by its products: 12 s of 50 steps, and more in every format of weights alone."""
    weights = f"bf16,denoiser={name}"
    assert seconds("h100-sxm", weights=weights) > seconds("h100-sxm")
    assert seconds("h100-sxm", weights=weights) > seconds("h100-sxm", "pytorch-compile", weights=weights)


def test_eight_bits_that_are_multiplied_as_such_are_quicker_and_eight_bits_that_are_stored_slower() -> None:
    wide = seconds("l20", "pytorch-compile")
    both = seconds("l20", "pytorch-compile", weights="bf16,denoiser=fp8", activations="bf16,denoiser=fp8")
    alone = seconds("l20", "pytorch-compile", weights="bf16,denoiser=fp8", activations="bf16")
    assert both < 0.8 * wide < wide < alone


def test_operators_cost_more_than_one_kernel_and_wide_weights_nothing() -> None:
    for name in ("q2_k", "q4_0", "q5_k", "q6_k", "int4-g128", "int8"):
        stored = find_dtype(name)
        eager, once = unpacking(stored, "eager"), unpacking(stored, "once")
        assert eager.bytes + eager.of_result > once.bytes > 2.0
        assert eager.kernels > once.kernels == 1.0
        assert unpacking(stored, "none").kernels == 0.0
    assert unpacking(find_dtype("bf16"), "eager").bytes == 0.0
    assert unpacking(find_dtype("nf4-b64"), "eager") == unpacking(find_dtype("nf4-b64"), "once")
