"""Machines and fusion: stas00, Databricks, Horace He, and a measured chain of element-wise operations."""

from __future__ import annotations

from functools import cache, partial
from typing import Final

from roofline.machine.machine import Machine
from roofline.machine.time import PhaseCost, phase_cost
from roofline.workload import constructors as make
from roofline.workload.op import Op
from roofline.workload.precision import Precision
from roofline.workload.workload import Phase

from .ask import Check, bandwidths, cost, differs, equal, gpu, lower, step, upper

_MEASURED: Final = (
    "a100-sxm-80gb",
    "a100-pcie-80gb",
    "h100-sxm",
    "gh200-96gb",
    "b200-sxm",
    "b300-sxm",
    "gb200",
    "mi355x",
    "mi325x",
    "mi300x",
    "gaudi2",
    "gaudi3",
)


def _peak(name: str) -> float:
    return float(Machine.of(gpu(name)).tensor["bf16"]) / 1e12


MACHINES: Final[dict[str, Check]] = {
    "stas_peak_h100": equal(partial(_peak, "h100-sxm")),
    "stas_peak_mi300x": equal(partial(_peak, "mi300x")),
    "stas_peak_mi355x": equal(partial(_peak, "mi355x")),
    "db_h100_bw": equal(partial(bandwidths, "h100-sxm", "a100-sxm-40gb")),
    "db_mbu_bw": differs(
        lambda: float(step("llama-2-7b", "a100").memory.weights_bytes) / 14e-3 / 1e12,
        lambda: float(step("nominal-7b", "a100").memory.weights_bytes) / 14e-3 / 1e12,
        "7B is 7e9 parameters here, and 6,738,415,616 in Llama 2 7B; the measured 14 ms",
    ),
} | {f"stas_mamf_{name}": upper(partial(_peak, name), "our dense peak") for name in _MEASURED}

LAPTOP: Final = "rtx-3050ti-laptop"


@cache
def _chain() -> Phase:
    """sin^2 + cos^2 + sqrt(abs(x)) over a million fp32 numbers, as eager code runs it: one kernel per operation."""
    size = 1e6
    names = ("sin", "square", "cos", "square", "abs", "sqrt")
    unary = [Op(name, "pointwise", "chain", vector_flops=size, read=size, write=size) for name in names]
    sums = [make.add(name, "chain", size, 1.0) for name in ("add", "add")]
    return Phase("chain", (*unary, *sums), boundary=2 * size)


def _chain_cost() -> PhaseCost:
    return phase_cost(_chain(), Precision.of("fp32"), Machine.of(gpu(LAPTOP)))


def _memory_operations() -> list[float]:
    """cos of cos over n numbers: reads and writes per number, in two kernels and at the least."""
    ops = tuple(Op("cos", "pointwise", "chain", read=1.0, write=1.0) for _ in range(2))
    phase, precision = Phase("chain", ops, boundary=2.0), Precision.of("fp32")
    return [float(phase.bytes(precision)) / 4, float(phase.unavoidable_bytes(precision)) / 4]


_LEAST: Final = "fused: the first input and the last output, which is the floor"

FUSION: Final[dict[str, Check]] = {
    "fuse_mb_eager": equal(lambda: float(_chain().bytes(Precision.of("fp32"))) / 1e6),
    "fuse_mb_comp": equal(lambda: float(_chain().unavoidable_bytes(Precision.of("fp32"))) / 1e6, _LEAST),
    "fuse_ms_eager": lower(lambda: float(_chain_cost().bound_s) * 1e3, "the bound of 8 kernels"),
    "fuse_ms_comp": lower(lambda: float(_chain_cost().floor_s) * 1e3, _LEAST),
    "hh_loads": equal(
        lambda: 1 / float(cost(Op("load", "pointwise", "loads", read=1.0), "kipply-a100", "fp32").memory_s)
    ),
    "hh_ops": equal(lambda: float(Machine.of(gpu("kipply-a100")).vector)),
    "hh_fuse": equal(_memory_operations, _LEAST),
}

CHECKS: Final = MACHINES | FUSION
