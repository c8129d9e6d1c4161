"""kipp.ly's model-parallel and capacity sections, its post on the H100, and the scaling book's serving tables.

Each through `rl.estimate` with tensor parallelism on a node of the article's rounded machines, where
`published` takes the GPUs as one without links. Traffic and latency of the links stand there, in `parallel`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import roofline as rl

HERE = Path(__file__).parent
PUBLISHED = HERE.parent / "published"
ROWS = {
    row["id"]: row
    for group in yaml.safe_load((PUBLISHED / "published_numbers.yaml").read_text(encoding="utf-8"))
    for row in group["rows"]
}


def _step(model: str, node: str, tp: int, batch: int = 1, context: int = 1, **options: Any) -> rl.Estimate:
    """One decode step of a batch whose sequences hold `context` tokens, on `tp` devices of a node."""
    where = {"node": str(HERE / "nodes" / f"{node}.yaml"), "tp": tp, "spec_dir": str(PUBLISHED / "specs")}
    return rl.estimate(model, batch=batch, prompt=context, generate=2, **where, **options)


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


KIPPLY = {
    "kipply_52b_forward_4gpu": lambda: _floor_ms(_step("kipply-52b", "kipply-a100-node", 4)),
    "kipply_260b_small_batch": lambda: _floor_ms(_step("nominal-260b", "kipply-a100-node", 16)),
    "kipply_260b_b512_compute": lambda: _matrices_ms(_260b(512)),
    "kipply_ex7_compute": lambda: _matrices_ms(_step("kipply-52b", "kipply-a100-node", 4, 256)),
    "kipplyh_16h100_compute": lambda: _matrices_ms(
        _step("megatron-turing-530b", "kipply-h100-node", 16, 512, weights="fp8", activations="fp8")
    ),
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


def test_the_cache_that_fits_beside_the_52b_model_on_four_cards() -> None:
    """kipply_52b_tokens_4x40 and kipply_52b_spare_4x40; three cards take padding, which costs room."""
    four = _step("kipply-52b", "kipply-a100-node", 4)
    assert _tokens(four, 4) == pytest.approx(ROWS["kipply_52b_tokens_4x40"]["right"], rel=0.02)
    assert _tokens(four, 4) * 2097152 / 1e9 == pytest.approx(ROWS["kipply_52b_spare_4x40"]["value"], rel=0.005)
    assert (
        _tokens(_step("kipply-52b", "kipply-a100-node", 3, pad_heads=True), 3) < ROWS["kipply_52b_tokens_3x40"]["value"]
    )


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
