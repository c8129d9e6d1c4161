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
