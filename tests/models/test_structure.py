"""What sets single models apart: where norms stand, what a block shares, what positions hold."""

from __future__ import annotations

from typing import Final

import numpy as np
import pytest

from roofline.architectures.text.transformer import transformer_workload
from roofline.errors import SpecError
from roofline.specs.files.document import parse_document
from roofline.specs.files.library import bundled
from roofline.specs.files.reader import read_model, validate
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.op import Op
from roofline.workload.run import TextRun

MODELS: Final = bundled("models")


def _spec(name: str) -> TransformerSpec:
    spec = read_model(MODELS / f"{name}.yaml")
    assert isinstance(spec, TransformerSpec)
    return spec


def _prefill(name: str) -> tuple[Op, ...]:
    return transformer_workload(_spec(name), TextRun(1.0, 512.0, 1.0)).phases[0].ops


@pytest.mark.parametrize("name", ["opt-350m", "tiny-transformer", "bert-large-block"])
def test_post_norms_follow_the_residual_sum(name: str) -> None:
    order = [op.name for op in _prefill(name)]
    assert "final_norm" not in order
    for part in ("attention", "feed_forward"):
        assert order.index(f"{part}_norm") == order.index(f"{part}_residual") + 1


def test_gpt_j_has_one_norm_a_layer_and_a_biased_head() -> None:
    ops = {op.name: op for op in _prefill("gpt-j-6b")}
    assert [op.name for op in ops.values() if op.kind == "norm"] == ["attention_norm", "final_norm"]
    assert ops["head"].params == 50400 * 4096 + 50400
    assert ops["q_proj"].params == 4096 * 4096
    assert ops["up_proj"].params == 4096 * 16384 + 16384
    assert ops["rotary"].read == 512 * 2 * 16 * 64


def test_the_norm_that_a_parallel_block_shares_stays_in_memory() -> None:
    ops = {op.name: op for op in _prefill("gpt-j-6b")}
    stream = 512 * 4096
    assert ops["q_proj"].live == 2 * stream
    assert ops["up_proj"].live == 2 * stream


def test_relative_positions_hold_a_projection_and_two_biases_per_layer() -> None:
    held = [op.count * op.params for op in _prefill("chinchilla-73m") if op.name.startswith("relative_")]
    assert sum(held) == 10 * (640**2 + 2 * 640)


def test_one_relative_step_is_the_last_row_of_a_prefill() -> None:
    spec = _spec("chinchilla-73m")
    step = transformer_workload(spec, TextRun(1.0, 511.0, 2.0))["decode"]
    scores = next(op for op in step.ops if op.name == "relative_scores")
    whole = next(op for op in _prefill("chinchilla-73m") if op.name == "relative_scores")
    assert scores.flops * 512 == whole.flops


def _text_models() -> list[str]:
    files = MODELS.glob("*.yaml")
    return sorted(p.stem for p in files if p.read_text(encoding="utf-8").startswith("family: transformer"))


@pytest.mark.parametrize("name", _text_models())
def test_a_grid_gives_what_scalars_give(name: str) -> None:
    spec = _spec(name)
    batch, prompt = np.array([[1.0], [8.0]]), np.array([16.0, 512.0, 4097.0])
    grid = transformer_workload(spec, TextRun(batch, prompt, 3.0))
    for i, j in np.ndindex(2, 3):
        one = transformer_workload(spec, TextRun(float(batch[i, 0]), float(prompt[j]), 3.0))
        for many, single in zip(grid.phases, one.phases, strict=True):
            assert np.broadcast_to(many.flops, (2, 3))[i, j] == single.flops
            assert np.broadcast_to(many.total(lambda op: op.read + op.write), (2, 3))[i, j] == single.total(
                lambda op: op.read + op.write
            )


@pytest.mark.parametrize("line", ["    parallel: true", "    norms: 3"])
def test_post_norms_go_with_plain_blocks_alone(line: str) -> None:
    text = (
        (MODELS / "opt-350m.yaml").read_text().replace("    norm_placement: post", f"    norm_placement: post\n{line}")
    )
    with pytest.raises(SpecError, match="norm_placement: post"):
        validate(parse_document(text, "model.yaml"), TransformerSpec)
