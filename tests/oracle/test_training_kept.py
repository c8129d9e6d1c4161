"""Bytes that a forward pass keeps for its backward pass equal what autograd keeps, layer by layer and in all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from roofline.architectures.text.training import training_ops
from roofline.passes.training.adapters import Adapters, adapted
from roofline.passes.training.flow import Flow, adapters_only, every_op, flows, is_layer
from roofline.passes.training.habits import habits_of
from roofline.passes.training.kept.rules import Keeping, kept
from roofline.passes.training.kept.tensors import Kept, kept_bytes
from roofline.passes.training.loss import loss_kept
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
#: How the oracle calls a policy and a kind of attention.
KEEPINGS: Final[dict[str, Keeping]] = {
    "eager": Keeping(attention="eager"),
    "selective_core_attention": Keeping(policy="selective"),
    "full_checkpoint": Keeping(policy="full"),
}


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
    ops = training_ops(spec, float(row["batch"]), float(row["sequence"]), row["decoder"])
    if "lora" not in mode:
        return flows(ops, every_op)
    run = f"lora_{'all' if 'all' in mode else 'attn'}_r16_b2_s2048"
    joined = habits_of(spec.name, spec.sources).joined_gate
    return flows(adapted(ops, Adapters(16, tuple(MODELS[name]["runs"][run]["targets"]), joined=joined)), adapters_only)


def _tensors(folder: Path, name: str, size: str, mode: str) -> tuple[tuple[Flow, ...], tuple[Kept, ...]]:
    row = ORACLE["models"][name][size]
    spec = _small(folder, name)
    habits = habits_of(spec.name, spec.sources)
    given = _flows(spec, name, mode, row)
    head = given[-1].op.shape
    assert isinstance(head, MatmulShape)
    loss = loss_kept(head.m, head.n, habits=habits, labels=name != "bert-base", batch=float(row["batch"]))
    return given, (*kept(given, KEEPINGS.get(mode, Keeping())._replace(habits=habits)), loss)


@pytest.mark.parametrize(("name", "size", "mode"), ROWS)
def test_all_that_is_kept_is_what_autograd_keeps(tmp_path: Path, name: str, size: str, mode: str) -> None:
    _, tensors = _tensors(tmp_path, name, size, mode)
    assert kept_bytes(tensors) == ORACLE["models"][name][size]["modes"][mode]["total"]
    assert not any(tensor.estimated for tensor in tensors)


@pytest.mark.parametrize(("name", "size", "mode"), [one for one in ROWS if "checkpoint" not in str(one.id)])
def test_a_layer_keeps_what_autograd_keeps_of_it(tmp_path: Path, name: str, size: str, mode: str) -> None:
    """The second layer that was built; of an encoder and a decoder, of the encoder."""
    given, tensors = _tensors(tmp_path, name, size, mode)
    blocks = dict.fromkeys(flow.op.block.rsplit(".", 1)[0] for flow in given if is_layer(flow.op))
    last = "encoder.0" if "encoder.0" in blocks else list(blocks)[-1]
    own = [tensor for tensor in tensors if tensor.block.rsplit(".", 1)[0] == last]
    most = max(tensor.count for tensor in own)
    found = sum(tensor.bytes for tensor in own if tensor.count == most)
    assert found == ORACLE["models"][name][size]["modes"][mode]["per_layer"][1]


FURTHER: Final = json.loads((HERE / "training_kept_further.json").read_text())["models"]


@pytest.mark.parametrize("name", FURTHER)
def test_code_with_habits_of_its_own_keeps_what_autograd_keeps(tmp_path: Path, name: str) -> None:
    """Layer norms in steps, tables that are spread in every layer, one head of keys, tanh behind the head."""
    spec = spec_of(tmp_path, FURTHER[name]["config"], name)
    habits = habits_of(spec.name, spec.sources)
    given = flows(training_ops(spec, 1.0, 512.0))
    head = given[-1].op.shape
    assert isinstance(head, MatmulShape)
    tensors = kept(given, Keeping(attention="eager", habits=habits))
    assert kept_bytes((*tensors, loss_kept(head.m, head.n, habits=habits, batch=1.0))) == FURTHER[name]["total"]


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


@pytest.mark.parametrize("row", ORACLE["reference_gpt_layer"])
def test_fused_kernels_keep_the_formula_of_korthikanti(row: dict[str, Any]) -> None:
    """34 sbh + 5 a s^2 b and 16 s b for the statistics of two norms: the layer, built and counted."""
    attention = "eager" if row["attention"] == "unfused" else "flash"
    policy = "selective" if row["selective"] else "none"
    keeping = Keeping("fused", policy, attention, dropout=bool(row["dropout"]))
    assert kept_bytes(kept(flows(_paper_layer(row)), keeping)) == row["layer_bytes"]


@pytest.mark.parametrize("tp", [2.0, 4.0, 8.0])
def test_sequence_parallelism_divides_all_of_a_layer(tp: float) -> None:
    """Korthikanti et al., equation 4: sbh / t (34 + 5 a s / h), and so the statistics of the norms."""
    row = ORACLE["reference_gpt_layer"][0]
    ops = _paper_layer(row)
    whole = kept_bytes(kept(flows(ops), Keeping("fused", attention="eager", dropout=True)))
    split = _paper_share(row, ops, tp)
    found = kept_bytes(kept(flows(split), Keeping("fused", attention="eager", dropout=True, sequence_parallel=tp)))
    assert found == whole / tp
    h, a, b, s = (float(row[key]) for key in ("hidden", "heads", "batch", "sequence"))
    alone = kept_bytes(kept(flows(split), Keeping("fused", attention="eager", dropout=True)))
    assert alone == s * b * (10.0 * h + 24.0 * h / tp + 5.0 * a * s / tp) + 16.0 * s * b


def _paper_share(row: dict[str, Any], ops: tuple[Op, ...], tp: float) -> tuple[Op, ...]:
    """One device's part of the layer: heads and columns divided by `tp`."""
    h, a = float(row["hidden"]), float(row["heads"])
    narrow = _paper_layer({**row, "hidden": h / tp, "heads": a / tp})
    out = []
    for op, part in zip(ops, narrow, strict=True):
        split = op.name in ("attention", "activation", "o_proj", "down_proj")
        out.append(part if split else op)
    return tuple(out)
