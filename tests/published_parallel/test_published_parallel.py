"""kipp.ly's model-parallel and capacity sections, its post on the H100, and the scaling book's serving tables.

Each through `rl.estimate` with tensor parallelism on a node of the article's rounded machines. The articles leave out
the factor (N - 1) / N of a collective's traffic, and compute with the layers alone; both are said where they matter.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import roofline as rl
from roofline.analysis.result import OpRow
from roofline.machine.collectives import Link, algorithm_s, algorithms
from roofline.workload import constructors as make
from roofline.workload.precision import Precision

HERE = Path(__file__).parent
PUBLISHED = HERE.parent / "published"
ROWS = {
    row["id"]: row
    for group in yaml.safe_load((PUBLISHED / "published_numbers.yaml").read_text(encoding="utf-8"))
    for row in group["rows"]
}


def _step(model: str, node: str, tp: int, batch: int = 1, context: int = 1, **options: Any) -> rl.Estimate:
    """One decode step of a batch whose sequences hold `context` tokens, on `tp` devices of a node."""
    return rl.estimate(
        model, node=str(HERE / "nodes" / f"{node}.yaml"), tp=tp, batch=batch, prompt=context, generate=2,
        spec_dir=str(PUBLISHED / "specs"), **options,
    )  # fmt: skip


def _exchanges(est: rl.Estimate) -> list[OpRow]:
    """All-reduces of the layers in one decode step."""
    return [row for row in est.ops("decode") if row.kind == "collective" and row.block.startswith("layers")]


def _traffic_ms(est: rl.Estimate, tp: int, link: float) -> float:
    """Milliseconds for the layers' traffic alone, without the factor (N - 1) / N, as the article counts it."""
    crossing = sum(float(row.communication_bytes) for row in _exchanges(est))
    return crossing * tp / (tp - 1) / link * 1e3


def _latency_s(est: rl.Estimate, tp: int, alpha: float) -> float:
    """Seconds of latency of the layers' all-reduces as a reduce-scatter and an all-gather, a step each."""
    each = dict(algorithms("all_reduce", 0.0, tp, Link("link", 300e9, alpha)))["two-shot"]
    return float(each) * sum(row.count for row in _exchanges(est))


def _matrices_ms(est: rl.Estimate) -> float:
    """Milliseconds that the layers' matrices take at their peak, without attention."""
    peak = float(est.machine["peak_flops"])
    return (
        sum(float(row.flops) for row in est.ops("decode") if row.kind == "linear" and row.block.startswith("layers"))
        / peak
        * 1e3
    )


def _floor_ms(est: rl.Estimate) -> float:
    return float(est.phase("decode").times.floor) * 1e3


def _260b(batch: int = 1) -> rl.Estimate:
    return _step("gopher-like-260b", "kipply-a100-node", 16, batch)


def _530b(node: str, tp: int, **options: Any) -> rl.Estimate:
    return _step("megatron-turing-530b", node, tp, 512, **options)


def _h100(tp: int) -> list[float]:
    est = _530b("kipply-h100-node", tp, weights="fp8", activations="fp8")
    return [_matrices_ms(est), _traffic_ms(est, tp, 450e9)]


KIPPLY = {
    "kipply_52b_forward_4gpu": lambda: _floor_ms(_step("kipply-52b", "kipply-a100-node", 4)),
    "kipply_260b_small_batch": lambda: _floor_ms(_step("nominal-260b", "kipply-a100-node", 16)),
    "kipply_260b_comms_latency": lambda: _latency_s(_260b(), 16, 8e-6) * 1e6,
    "kipply_260b_b512_compute": lambda: _matrices_ms(_260b(512)),
    "kipply_260b_b512_comms": lambda: _traffic_ms(_260b(512), 16, 300e9),
    "kipply_ex7_compute": lambda: _matrices_ms(_step("kipply-52b", "kipply-a100-node", 4, 256)),
    "kipply_ex7_comms": lambda: _traffic_ms(_step("kipply-52b", "kipply-a100-node", 4, 256), 4, 300e9),
    "kipply_13b_2gpu_comms": lambda: _latency_s(_step("kipply-13b", "kipply-a100-node", 2), 2, 8e-6) * 1e3,
    "kipplyh_16a100_comms": lambda: _traffic_ms(_530b("kipply-a100-node", 16), 16, 300e9),
    "kipplyh_16h100": lambda: _h100(16),
    "kipplyh_16h100_compute": lambda: _h100(16)[0],
}

V5E, WIDE, THIN = "scaling-book-v5e-node", "llama-2-13b", "scaling-book-13b-gqa"


def _slice(model: str, batch: int, **options: Any) -> float:
    """Milliseconds of a step over a cache of 8192 tokens on a slice of eight."""
    return _floor_ms(_step(model, V5E, 8, batch, 8192, **options))


def _rate(model: str, batch: int) -> float:
    return batch / _slice(model, batch) * 1e3


def _total_gb(model: str, batch: int, **options: Any) -> float:
    """Weights and cache of all eight, in GB; the largest share stands for each."""
    memory = _step(model, V5E, 8, batch, 8191, **options).memory
    return 8 * float(memory.weights_bytes + memory.kv_cache_bytes) / 1e9


def _quiz(batch: int) -> rl.Estimate:
    options = {"weights": "int8", "kv_cache": "int8"}
    return _step("scaling-book-30b", "scaling-book-v5e-810-node", 10, batch, 8192, **options)


SCALING_BOOK = (
    {
        "sb_l70_mem_bs32": lambda: _total_gb("llama-3-70b", 32, weights="int8", kv_cache="int8"),
        "sb_l70_step": lambda: _slice("llama-3-70b", 32, weights="int8", kv_cache="int8"),
    }
    | {f"sb_mha_{batch}_mem": lambda b=batch: _total_gb(WIDE, b) for batch in (8, 16, 32, 64)}
    | {f"sb_mha_{batch}_ms": lambda b=batch: _slice(WIDE, b) for batch in (1, 64)}
    | {f"sb_mha_{batch}_tps": lambda b=batch: _rate(WIDE, b) for batch in (1, 8, 32, 64, 240)}
    | {f"sb_gqa_{batch}_ms": lambda b=batch: _slice(THIN, b) for batch in (8, 16, 32, 64, 240)}
    | {f"sb_gqa_{batch}_tps": lambda b=batch: _rate(THIN, b) for batch in (1, 16, 32)}
)


@pytest.mark.parametrize("name", [*KIPPLY, *SCALING_BOOK])
def test_a_published_number_is_reproduced(name: str) -> None:
    row = ROWS[name]
    ours = (KIPPLY | SCALING_BOOK)[name]()
    expected = row.get("right", row["value"])
    tolerance = row["tolerance"]
    assert ours == pytest.approx(expected, rel=tolerance.get("rel", 0.0) + 1e-12, abs=tolerance.get("abs", 0.0))


def test_the_quiz_of_a_30b_model_on_sixteen_chips() -> None:
    """sb_quiz30_bs4 and sb_quiz30_bs256: 50 heads do not divide over 16 chips, so ten of them, and the time of ten."""
    small, large = _quiz(4), _quiz(256)
    cache = sum(float(row.bound_s) for row in large.ops("decode") if row.kind == "attention") * 1e3
    assert _floor_ms(small) * 10 / 16 == pytest.approx(ROWS["sb_quiz30_bs4"]["value"], rel=0.03)
    assert (cache + _matrices_ms(large)) * 10 / 16 == pytest.approx(ROWS["sb_quiz30_bs256"]["value"], rel=0.01)


def test_the_width_at_which_two_chips_are_bound_by_compute() -> None:
    """sb_two_chip: each chip has half of the inner dimension D, and they sum over a link of 4.5e10 B/s."""
    width = ROWS["sb_two_chip"]["value"]
    link = Link("ICI", 4.5e10, 0.0, "ring")
    for inner, compute_bound in ((width * 0.99, False), (width * 1.01, True)):
        half = make.linear("half", "b", 1024.0, inner / 2, 4096.0)
        compute = float(half.flops) / 1.97e14
        exchange = algorithm_s("all_reduce", 1024.0 * 4096.0 * Precision.of("bf16").activations.bytes, 2, link)
        assert (compute > exchange) is compute_bound


def test_the_cache_that_fits_beside_the_52b_model_on_four_cards() -> None:
    """kipply_52b_tokens_4x40 and kipply_52b_spare_4x40; three cards take padding, which costs room."""
    four = _step("kipply-52b", "kipply-a100-node", 4)
    assert _tokens(four, 4) == pytest.approx(ROWS["kipply_52b_tokens_4x40"]["right"], rel=0.02)
    assert _tokens(four, 4) * 2097152 / 1e9 == pytest.approx(ROWS["kipply_52b_spare_4x40"]["value"], rel=0.005)
    assert (
        _tokens(_step("kipply-52b", "kipply-a100-node", 3, pad_heads=True), 3) < ROWS["kipply_52b_tokens_3x40"]["value"]
    )


def test_sixty_four_h100_compute_in_a_quarter_of_the_time_and_talk_as_long() -> None:
    """kipplyh_64h100, printed in whole milliseconds."""
    assert [round(value) for value in _h100(64)] == ROWS["kipplyh_64h100"]["value"]


def _tokens(est: rl.Estimate, gpus: int) -> float:
    spare = gpus * float(est.memory.capacity_bytes - est.memory.weights_bytes)
    return spare / (gpus * float(est.memory.kv_cache_bytes_per_token))


def test_overlapped_communication_is_the_longer_of_the_two_and_serial_their_sum() -> None:
    """kipp.ly: latency is max(compute, comms) where they overlap, else their sum."""
    phase = _260b(512).phase("decode")
    hidden = _step("gopher-like-260b", "kipply-a100-node", 16, 512, overlap="full").phase("decode")
    own = float(phase.serial_s or 0.0) - float(phase.communication_s)
    assert phase.times.bound == phase.serial_s
    assert hidden.times.bound == phase.overlapped_s == max(own, float(phase.communication_s))
