"""Bytes that a forward pass keeps for its backward pass equal what autograd keeps, layer by layer and in all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from roofline.architectures.text.training import training_ops
from roofline.passes.training.adapters import Adapters, adapted
from roofline.passes.training.flow import Flow, adapters_only, every_op, flows
from roofline.passes.training.kept.outside import loss_kept
from roofline.passes.training.kept.rules import Core, Rules
from roofline.passes.training.kept.whole import Group, checkpointed_of, kept_of
from roofline.specs.text.reference import ReferenceCode
from roofline.specs.text.transformer import BlockGroup, TransformerSpec
from roofline.workload import constructors as make
from roofline.workload.op import Op
from roofline.workload.shapes import AttentionShape, MatmulShape, Span
from tests.oracle.reading import spec_of

HERE: Final = Path(__file__).parent
ORACLE: Final[dict[str, Any]] = json.loads((HERE / "training_kept.json").read_text())
MODELS: Final[dict[str, Any]] = json.loads((HERE / "training_flops.json").read_text())["models"]
ROWS: Final = [
    pytest.param(name, size, mode, id=f"{name}-{size}-{mode}")
    for name, sizes in ORACLE["models"].items()
    for size, found in sizes.items()
    for mode in found["modes"]
]
#: How the oracle calls the kinds of attention.
CORES: Final[dict[str, Core]] = {"eager": "eager", "selective_core_attention": "again"}


def _four(groups: tuple[BlockGroup, ...]) -> tuple[BlockGroup, ...]:
    """Four layers, as the oracle built them: one dense layer before three of experts, or kinds that alternate."""
    counts = [4] if len(groups) == 1 else [1, 3] if groups[0].layers == 1 else [2, 2]
    return tuple(group.model_copy(update={"layers": count}) for group, count in zip(groups, counts, strict=True))


def _small(folder: Path, name: str) -> TransformerSpec:
    spec = spec_of(folder, MODELS[name]["config"], name)
    return spec.model_copy(
        update={"blocks": _four(spec.blocks), "encoder": _four(spec.encoder) if spec.encoder else ()}
    )


def _flows(spec: TransformerSpec, name: str, mode: str, row: dict[str, Any]) -> tuple[Flow, ...]:
    ops = training_ops(spec, float(row["batch"]), float(row["sequence"]), float(row["decoder"] or 0.0))
    if "lora" not in mode:
        return flows(ops, every_op)
    targets = MODELS[name]["runs"][f"lora_{'all' if 'all' in mode else 'attn'}_r16_b2_s2048"]["targets"]
    joined = spec.reference.joined_feed_forward
    return flows(adapted(ops, Adapters(16, tuple(targets), joined=joined)), adapters_only)


def _groups(folder: Path, name: str, size: str, mode: str) -> tuple[float, tuple[Group, ...]]:
    """Bytes that the loss keeps, and what is kept of the model."""
    row = ORACLE["models"][name][size]
    spec = _small(folder, name)
    given = _flows(spec, name, mode, row)
    head = given[-1].op.shape
    assert isinstance(head, MatmulShape)
    own = name == "falcon-7b"  # its class chooses its attention by itself
    core: Core = "eager" if own else CORES.get(mode, "flash")
    rules = Rules(core=core, code=spec.reference, batch=float(row["batch"]))
    loss = loss_kept(head.m, float(head.n), rules, "none" if name == "bert-base" else "shifted")
    if name == "t5-base":
        loss = loss_kept(head.m, float(head.n), rules, "given")
    found = checkpointed_of(given, rules) if mode == "full_checkpoint" else kept_of(given, rules)
    return float(sum(kept.bytes for kept in loss)), found


@pytest.mark.parametrize(("name", "size", "mode"), ROWS)
def test_all_that_is_kept_is_what_autograd_keeps(tmp_path: Path, name: str, size: str, mode: str) -> None:
    loss, groups = _groups(tmp_path, name, size, mode)
    assert loss + sum(group.bytes for group in groups) == ORACLE["models"][name][size]["modes"][mode]["total"]
    assert not any(kept.estimated for group in groups for kept in group.kept)


@pytest.mark.parametrize(("name", "size", "mode"), [one for one in ROWS if "checkpoint" not in str(one.id)])
def test_a_layer_keeps_what_autograd_keeps_of_it(tmp_path: Path, name: str, size: str, mode: str) -> None:
    """The second layer that was built; of an encoder and a decoder, of the encoder."""
    _, groups = _groups(tmp_path, name, size, mode)
    layers = [group for group in groups if group.is_layer]
    own = next((group for group in layers if group.name.startswith("encoder")), layers[-1])
    assert own.each == ORACLE["models"][name][size]["modes"][mode]["per_layer"][1]


FURTHER: Final = json.loads((HERE / "training_kept_further.json").read_text())["models"]


@pytest.mark.parametrize("name", FURTHER)
def test_code_with_habits_of_its_own_keeps_what_autograd_keeps(tmp_path: Path, name: str) -> None:
    """Layer norms in steps, tables that are spread in every layer, one head of keys, tanh behind the head."""
    spec = spec_of(tmp_path, FURTHER[name]["config"], name)
    given = flows(training_ops(spec, 1.0, 512.0))
    head = given[-1].op.shape
    assert isinstance(head, MatmulShape)
    rules = Rules(core="eager", code=spec.reference)
    loss = sum(kept.bytes for kept in loss_kept(head.m, float(head.n), rules))
    assert loss + sum(group.bytes for group in kept_of(given, rules)) == FURTHER[name]["total"]


def _paper_layer(row: dict[str, Any]) -> tuple[Op, ...]:
    """The layer of GPT as Korthikanti et al. draw it."""
    h, a, b, s = (float(row[key]) for key in ("hidden", "heads", "batch", "sequence"))
    first, second, tokens = "layers.attention", "layers.feed_forward", b * s
    return (
        make.norm("attention_norm", first, tokens, h, style="layer", bias=True),
        *(make.linear(name, first, tokens, h, h) for name in ("q_proj", "k_proj", "v_proj")),
        make.attention("attention", first, AttentionShape(Span(b, s, 0.0), a, a, h / a, h / a)),
        make.linear("o_proj", first, tokens, h, h),
        make.add("attention_residual", first, tokens, h),
        make.norm("feed_forward_norm", second, tokens, h, style="layer", bias=True),
        make.linear("up_proj", second, tokens, h, 4.0 * h),
        make.activate("activation", second, tokens, 4.0 * h, function="gelu", gated=False),
        make.linear("down_proj", second, tokens, 4.0 * h, h),
        make.add("feed_forward_residual", second, tokens, h),
    )


def _paper_bytes(row: dict[str, Any], ops: tuple[Op, ...], shares: float = 1.0) -> float:
    core: Core = "again" if row["selective"] else "eager" if row["attention"] == "unfused" else "flash"
    code = ReferenceCode(dropout=("attention", "residual") if row["dropout"] else ())
    found = kept_of(flows(ops), Rules(True, core, code, shares=shares))
    return float(sum(group.bytes for group in found if group.is_layer))


@pytest.mark.parametrize("row", ORACLE["reference_gpt_layer"])
def test_fused_kernels_keep_the_formula_of_korthikanti(row: dict[str, Any]) -> None:
    """34 sbh + 5 a s^2 b and 16 s b for the statistics of two norms: the layer, built and counted."""
    assert _paper_bytes(row, _paper_layer(row)) == row["layer_bytes"]


@pytest.mark.parametrize("tp", [2.0, 4.0, 8.0])
def test_sequence_parallelism_divides_all_of_a_layer(tp: float) -> None:
    """Korthikanti et al., equations 2 and 4: without it norms, sums and their inputs are on every device."""
    row = ORACLE["reference_gpt_layer"][0]
    ops = _paper_layer(row)
    split = _paper_share(row, ops, tp)
    assert _paper_bytes(row, split, tp) == _paper_bytes(row, ops) / tp
    h, a, b, s = (float(row[key]) for key in ("hidden", "heads", "batch", "sequence"))
    assert _paper_bytes(row, split) == s * b * (10.0 * h + 24.0 * h / tp + 5.0 * a * s / tp) + 16.0 * s * b


def _paper_share(row: dict[str, Any], ops: tuple[Op, ...], tp: float) -> tuple[Op, ...]:
    """One device's part of the layer: heads and columns divided by `tp`."""
    h, a, tokens = float(row["hidden"]), float(row["heads"]), float(row["batch"] * row["sequence"])
    narrow = _paper_layer({**row, "hidden": h / tp, "heads": a / tp})
    out = []
    for op, part in zip(ops, narrow, strict=True):
        if op.name in ("q_proj", "k_proj", "v_proj", "up_proj"):
            wide = 4.0 * h if op.name == "up_proj" else h
            out.append(make.linear(op.name, op.block, tokens, h, wide / tp))
        elif op.name in ("o_proj", "down_proj"):
            wide = 4.0 * h if op.name == "down_proj" else h
            out.append(make.linear(op.name, op.block, tokens, wide / tp, h))
        else:
            out.append(part if op.name in ("attention", "activation") else op)
    return tuple(out)
