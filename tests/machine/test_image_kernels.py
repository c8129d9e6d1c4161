"""What limits the products of image models: feeding, sums, power, and fp32 where no matrix unit multiplies it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from roofline.machine.chips.efficiency import ChipEfficiency
from roofline.machine.engine import Engine
from roofline.machine.expected import expected_op_time
from roofline.machine.machine import Machine
from roofline.machine.time import op_cost, phase_cost
from roofline.passes.image.attention import classic_attention
from roofline.runs.load import locate_gpu
from roofline.workload import constructors_image as make
from roofline.workload.constructors_image import Plane
from roofline.workload.op import Op
from roofline.workload.precision import Precision
from roofline.workload.shapes import MatmulShape
from roofline.workload.workload import Phase

FED = Engine("fed", fed=True)
HALF = Engine("half", fed=True, half_sums=True)
FP16, FP32 = Precision.of("fp16"), Precision.of("tf32")
PLANE = Plane(32.0, 64.0, 64.0)
CONVOLUTION = make.convolution("conv", "block", PLANE, PLANE, 640.0, 640.0)
ATTENTION = make.attention("attention", "block", 32.0, 8.0, 4096.0, 4096.0, 40.0)


def seconds(op: Op, gpu: str, engine: Engine = FED, precision: Precision = FP16) -> float:
    spec = locate_gpu(gpu)[0]
    machine = Machine.of(spec, half_sums=engine.half_sums)
    return float(expected_op_time(op, precision, machine, ChipEfficiency.of(spec, engine=engine)))


def rate(gpu: str, engine: Engine = FED, precision: Precision = FP16) -> float:
    """Share of the peak of sums in fp32 that a long convolution reaches."""
    peak = Machine.of(locate_gpu(gpu)[0]).tensor[precision.compute_dtype(CONVOLUTION)]
    return float(CONVOLUTION.flops / seconds(CONVOLUTION, gpu, engine, precision) / peak)


def test_units_that_slow_down_to_sum_are_fed_as_well_as_others() -> None:
    slow = FED._replace(compute=0.5)
    assert rate("rtx-3090", slow) > 1.5 * rate("a6000", slow)
    assert rate("rtx-3090", FED) < 1.0


def test_sums_in_half_go_beyond_the_peak_of_sums_in_fp32() -> None:
    assert rate("rtx-4090", HALF) > 1.2
    assert rate("rtx-4090", FED) < 1.0
    assert seconds(CONVOLUTION, "a100", HALF) == seconds(CONVOLUTION, "a100", FED)
    spec = locate_gpu("rtx-4090")[0]
    assert op_cost(CONVOLUTION, FP16, Machine.of(spec, half_sums=True)).compute_s == pytest.approx(
        op_cost(CONVOLUTION, FP16, Machine.of(spec)).compute_s / 2.0, rel=0.01
    )


def test_a_board_of_low_power_runs_between_its_clocks() -> None:
    spec = locate_gpu("t4")[0]
    assert spec.base_clock is not None
    assert spec.clock is not None
    base = spec.base_clock / spec.clock
    free = spec.model_copy(update={"base_clock": None})
    limited, unlimited = ChipEfficiency.of(spec, engine=FED), ChipEfficiency.of(free, engine=FED)
    assert base * 0.9 < limited.coefficients("matmul", "bf16").ceiling < 0.6
    assert limited.coefficients("vector", "bf16").ceiling == pytest.approx(0.95 * base * 3.0 ** (1.0 / 3.0))
    assert unlimited.coefficients("vector", "bf16").ceiling == pytest.approx(0.95)
    busy = ChipEfficiency.of(spec, engine=FED._replace(compute=0.5)).coefficients("matmul", "bf16").ceiling
    assert busy > 0.5 * limited.coefficients("matmul", "bf16").ceiling


def test_vector_units_come_nearer_to_their_peak_than_matrix_units() -> None:
    engine = FED._replace(compute=0.6)
    assert rate("v100", engine, FP32) > 0.8 > rate("v100", engine, FP16)


@pytest.mark.parametrize("op", [CONVOLUTION, ATTENTION, make.linear("linear", "block", 4096.0, 1280.0, 1280.0)])
@pytest.mark.parametrize("precision", [FP16, FP32])
def test_several_chips_at_once_take_what_each_takes(op: Op, precision: Precision) -> None:
    specs = [locate_gpu(name)[0] for name in ("v100", "a100", "t4", "rtx-4090")]
    for engine in (FED, HALF):
        machine = Machine.stacked([Machine.of(spec, half_sums=engine.half_sums) for spec in specs])
        chip = ChipEfficiency.stacked([ChipEfficiency.of(spec, engine=engine) for spec in specs])
        together: Any = expected_op_time(op, precision, machine, chip)
        apart = [seconds(op, spec.name, engine, precision) for spec in specs]
        np.testing.assert_allclose(np.ravel(together), apart, rtol=1e-9)


def test_attention_in_memory_is_two_products_that_share_its_flops() -> None:
    products = [op for op in classic_attention(ATTENTION) if isinstance(op.shape, MatmulShape)]
    assert [op.name for op in products] == ["attention.scores", "attention.values"]
    for op in products:
        assert isinstance(op.shape, MatmulShape)
        assert 2.0 * op.shape.m * op.shape.k * op.shape.n == op.flops == ATTENTION.flops / 2.0
        assert seconds(op, "a100") < 2.0 * float(op_cost(op, FP16, Machine.of(locate_gpu("a100")[0])).bound_s)


def test_the_floor_of_fp32_convolutions_on_vector_units_is_winograds() -> None:
    phase = Phase("denoise", (CONVOLUTION,))
    cost = phase_cost(phase, FP32, Machine.of(locate_gpu("v100")[0]))
    assert cost.bound_s / cost.floor_s == pytest.approx(2.25)
    cost = phase_cost(phase, FP32, Machine.of(locate_gpu("a100")[0]))
    assert cost.bound_s == pytest.approx(cost.floor_s)
