"""Sequence parallelism: norms and residuals over the model's width are spread by tokens, and nothing else."""

from __future__ import annotations

from roofline.analysis.training.stages import stages_of
from roofline.runs.training.ask import train_question


def test_norms_and_residuals_are_spread_and_products_stay() -> None:
    asked = {"engine": "megatron", "tp": 4, "sequence": 2048, "node": "hgx-h100"}
    split = stages_of(train_question("llama-2-7b", "h100-sxm", **asked))[0].forward
    whole = stages_of(train_question("llama-2-7b", "h100-sxm", no_sequence_parallel=True, **asked))[0].forward
    for own, other in zip(split, whole, strict=True):
        spread = own.name.endswith(("_norm", "_residual")) and "embedding" not in own.name
        assert own.read == (other.read / 4.0 if spread else other.read), own.name
        assert own.flops == other.flops


def test_torchtitan_repeats_every_second_product_and_no_attention() -> None:
    """`selective_ac_option: op` keeps what attention and every second product give."""
    asked = {"sequence": 2048, "gpus": 8, "recompute": "selective", "node": "hgx-h100"}
    again = stages_of(train_question("llama-2-7b", "h100-sxm", engine="torchtitan", **asked))[0].recompute
    counts = {op.name: op.count for op in again}
    assert "attention" not in counts
    assert (counts["q_proj"], counts["down_proj"], counts["attention_norm"]) == (16.0, 16.0, 32.0)
    core = stages_of(train_question("llama-2-7b", "h100-sxm", engine="megatron", **asked))[0].recompute
    assert {op.kind for op in core} == {"attention"}
