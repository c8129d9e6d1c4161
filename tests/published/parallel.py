"""Traffic and latency of the links between GPUs: kipp.ly's model-parallel sections and post on the H100, and a quiz.

Tensor parallelism on nodes of the articles' rounded machines, which stand beside the tests of whole serving tables in
`published_parallel`. kipp.ly leaves out the factor (N - 1) / N of an all-reduce's traffic and counts the layers alone.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Final

import roofline as rl
from roofline.answer.phase import OpRow
from roofline.machine.collectives import Link, algorithm_s, algorithms
from roofline.workload import constructors as make

from .ask import SPECS, Check, equal

NODES: Final = Path(__file__).parent.parent / "published_parallel" / "nodes"
A100, H100 = "kipply-a100-node", "kipply-h100-node"
WITHOUT: Final = "layers alone, without the factor (N - 1) / N, as the article has it"


def spread_step(model: str, node: str, tp: int, batch: int = 1, context: int = 1, **options: Any) -> rl.Estimate:
    """One decode step of a batch whose sequences hold `context` tokens, on `tp` devices of a node."""
    where = {"node": str(NODES / f"{node}.yaml"), "tp": tp, "spec_dir": SPECS}
    return rl.estimate(model, batch=batch, prompt=context, generate=2, **where, **options)


def exchanges(est: rl.Estimate) -> list[OpRow]:
    """All-reduces of the layers in one decode step."""
    return [row for row in est.ops("decode") if row.kind == "collective" and row.block.startswith("layers")]


def traffic_ms(est: rl.Estimate, tp: int, link: float) -> float:
    """Milliseconds for the layers' traffic, without the factor (N - 1) / N."""
    return sum(float(row.communication_bytes) for row in exchanges(est)) * tp / (tp - 1) / link * 1e3


def latency_ms(est: rl.Estimate, tp: int) -> float:
    """Milliseconds of latency, 8 us for each of a reduce-scatter and an all-gather per all-reduce."""
    each = dict(algorithms("all_reduce", 0.0, tp, Link("link", 300e9, 8e-6)))["two-shot"]
    return float(each) * sum(row.count for row in exchanges(est)) * 1e3


def matrices_ms(est: rl.Estimate) -> float:
    """Milliseconds that the layers' matrices take at their peak, without attention."""
    rows = [row for row in est.ops("decode") if row.kind == "linear" and row.block.startswith("layers")]
    return sum(float(row.flops) for row in rows) / float(est.machine["peak_flops"]) * 1e3


def on_h100(tp: int) -> list[float]:
    """Compute and traffic of the 530B model at batch 512, all in fp8."""
    est = spread_step("megatron-turing-530b", H100, tp, 512, weights="fp8", activations="fp8")
    return [matrices_ms(est), traffic_ms(est, tp, 450e9)]


def _traffic(model: str, tp: int, batch: int) -> float:
    return traffic_ms(spread_step(model, A100, tp, batch), tp, 300e9)


def _latency(model: str, tp: int) -> float:
    return latency_ms(spread_step(model, A100, tp), tp)


def _two_chip_width() -> float:
    """The inner dimension at which half of a product takes as long as the sum of both chips' results."""
    link, width = Link("ICI", 4.5e10, 0.0, "ring"), 8192.0
    compute = float(make.linear("half", "b", 1024.0, width / 2, 4096.0).flops) / 1.97e14
    return width * float(algorithm_s("all_reduce", 1024.0 * 4096.0 * 2, 2, link)) / compute


CHECKS: Final[dict[str, Check]] = {
    "kipply_260b_comms_latency": equal(
        lambda: round(_latency("gopher-like-260b", 16) * 1e3, 9), "two all-reduces of two steps"
    ),
    "kipply_13b_2gpu_comms": equal(partial(_latency, "kipply-13b", 2), "two all-reduces of two steps"),
    "kipply_260b_b512_comms": equal(partial(_traffic, "gopher-like-260b", 16, 512), WITHOUT),
    "kipply_ex7_comms": equal(partial(_traffic, "kipply-52b", 4, 256), WITHOUT),
    "kipplyh_16a100_comms": equal(partial(_traffic, "megatron-turing-530b", 16, 512), WITHOUT),
    "kipplyh_16h100": equal(partial(on_h100, 16), WITHOUT),
    "kipplyh_64h100": equal(partial(on_h100, 64), WITHOUT),
    "sb_two_chip": equal(_two_chip_width),
}
