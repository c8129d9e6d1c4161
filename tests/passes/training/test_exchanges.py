"""Exchanges between replicas: volumes of ZeRO, and mirrored exchanges of a backward pass."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roofline.passes.training.exchanges import Shared, gathered, scattered, step_exchanges
from roofline.passes.training.flow import Flow
from roofline.passes.training.gradients import backward_ops
from roofline.workload.constructors_collective import collective
from roofline.workload.op import Op

_PARAMETERS = 1e9


def _sent(ops: list[Op]) -> float:
    return float(sum(op.count * op.communication for op in ops))


@pytest.mark.parametrize("zero", [0, 1, 2])
def test_up_to_stage_two_each_device_sends_twice_what_it_holds(zero: int) -> None:
    """ZeRO, section 7.2: 2 Ψ per step, less 1/d of it in a ring."""
    shared = Shared("weights", _PARAMETERS, 64)
    assert _sent(step_exchanges(shared, zero)) == pytest.approx(2.0 * _PARAMETERS * 63 / 64)


def test_stage_three_sends_half_as_much_again_in_every_micro_batch() -> None:
    """ZeRO, section 7.2.2: 3 Ψ: weights gathered forward and backward, gradients scattered."""
    shared = Shared("weights", _PARAMETERS, 64)
    sent = 2.0 * _sent(gathered(shared, "weights")) + _sent(scattered(shared))
    assert sent == pytest.approx(3.0 * _PARAMETERS * 63 / 64)
    assert step_exchanges(shared, 3) == []


def test_one_holder_exchanges_nothing() -> None:
    """With one replica there is nobody to exchange with."""
    shared = Shared("weights", _PARAMETERS, 1)
    assert [*step_exchanges(shared, 0), *gathered(shared, "weights"), *scattered(shared)] == []


def test_gradients_in_fp32_are_twice_as_long_as_weights_in_bf16() -> None:
    """Megatron's fp32 gradients: 4 bytes scattered, 2 gathered."""
    scatter, gather = step_exchanges(Shared("weights", _PARAMETERS, 8, gradient=2.0), 1)
    assert scatter.communication == 2.0 * gather.communication


@given(st.floats(0.0, 1.0), st.integers(2, 4096), st.sampled_from([0, 1, 2, 3]))
def test_frozen_weights_are_gathered_and_never_summed(trained: float, devices: int, zero: int) -> None:
    """What is trained alone has gradients to exchange."""
    shared = Shared("weights", _PARAMETERS, devices, trained=trained)
    whole = Shared("weights", _PARAMETERS, devices)
    assert _sent(step_exchanges(shared, zero)) <= _sent(step_exchanges(whole, zero))
    assert _sent(gathered(shared, "weights")) == _sent(gathered(whole, "weights"))
    if not trained:
        assert scattered(shared) == []


@pytest.mark.parametrize(
    ("forward", "backward"),
    [
        ("all_reduce", "all_reduce"),
        ("all_gather", "reduce_scatter"),
        ("reduce_scatter", "all_gather"),
        ("all_to_all", "all_to_all"),
        ("send", "send"),
    ],
)
def test_an_exchange_comes_back_the_other_way(forward: str, backward: str) -> None:
    """Shoeybi et al. 2019 (arXiv:1909.08053), section 3: f and g are conjugate."""
    op = collective("x", "layers", forward, 1e6, 8.0)  # type: ignore[arg-type]
    (mirrored,) = backward_ops([Flow(op)])
    assert mirrored.shape.operation == backward  # type: ignore[union-attr]
    assert mirrored.communication == op.communication
