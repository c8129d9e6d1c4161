"""FLOPs of training steps equal a framework's own count to the last digit: forward, backward, and what is repeated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from roofline.architectures.text.training import training_ops
from roofline.passes.fusion.eager import eager_ops
from roofline.passes.training.adapters import Adapters, adapted
from roofline.passes.training.flow import adapters_only, every_op, flows
from roofline.passes.training.gradients import backward_ops
from roofline.passes.training.kept.rules import Rules
from roofline.passes.training.recompute import recomputed
from roofline.workload.op import Op
from tests.oracle.reading import spec_of

ORACLE: Final[dict[str, Any]] = json.loads((Path(__file__).parent / "training_flops.json").read_text())["models"]
RUNS: Final = [pytest.param(name, run, id=f"{name}-{run}") for name, model in ORACLE.items() for run in model["runs"]]
LORA: Final = [one for one in RUNS if "lora" in str(one.id)]


def _sizes(run: str) -> tuple[float, float]:
    batch, sequence = (float(part[1:]) for part in run.split("_") if part[0] in "bs" and part[1:].isdigit())
    return batch, sequence


def _ops(folder: Path, name: str, run: str) -> tuple[Op, ...]:
    model = ORACLE[name]
    spec = spec_of(folder, model["config"], name)
    ops = training_ops(spec, *_sizes(run), float(model["decoder"] or 0.0))
    targets = model["runs"][run].get("targets")
    if targets:
        joined = spec.reference.joined_feed_forward
        ops = adapted(ops, Adapters(16, tuple(targets), joined=joined))
    return ops


def _flops(ops: tuple[Op, ...]) -> float:
    return float(sum(op.count * op.flops for op in ops))


@pytest.mark.parametrize(("name", "run"), RUNS)
def test_every_phase_computes_what_the_framework_counts(tmp_path: Path, name: str, run: str) -> None:
    phases = ORACLE[name]["runs"][run]["phases"]
    ops = eager_ops(_ops(tmp_path, name, run))
    frozen = "lora" in run
    given = flows(ops, adapters_only if frozen else every_op, rooted=frozen and "checkpoint" in run)
    assert _flops(ops) == phases["forward"]["total"]
    assert _flops(backward_ops(given)) == phases["backward"]["total"]
    if "recompute" in phases:
        spec = spec_of(tmp_path, ORACLE[name]["config"], name)
        policy = "full-early" if "nonreentrant" in run else "full"
        again = recomputed(flows(_ops(tmp_path, name, run)), policy, Rules(code=spec.reference))
        assert _flops(eager_ops(again)) == phases["recompute"]["total"]


@pytest.mark.parametrize(("name", "run"), RUNS)
def test_gradients_are_of_inputs_and_of_weights_as_the_framework_says(tmp_path: Path, name: str, run: str) -> None:
    phase = ORACLE[name]["runs"][run]["phases"]["backward"]
    frozen = "lora" in run
    ops = eager_ops(_ops(tmp_path, name, run))
    backward = backward_ops(flows(ops, adapters_only if frozen else every_op, rooted=frozen and "checkpoint" in run))
    for kind in ("grad_input", "grad_weight"):  # of experts the framework says only the sum
        found = tuple(op for op in backward if op.name.endswith(kind) and op.kind == "linear")
        assert _flops(found) == phase[kind]


@pytest.mark.parametrize(("name", "run"), RUNS)
def test_classes_of_ops_are_those_of_the_framework(tmp_path: Path, name: str, run: str) -> None:
    phases = ORACLE[name]["runs"][run]["phases"]
    frozen = "lora" in run
    ops = eager_ops(_ops(tmp_path, name, run))
    backward = backward_ops(flows(ops, adapters_only if frozen else every_op, rooted=frozen and "checkpoint" in run))
    assert _classes(ops) == phases["forward"]["by_class"]
    assert _classes(backward) == phases["backward"]["by_class"]


def _classes(ops: tuple[Op, ...]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for op in ops:
        if op.flops:
            adapter = ".lora_" in op.name
            kind = "lora" if adapter else "lm_head" if op.name.split(".")[0] == "head" else op.kind
            sums[kind] = sums.get(kind, 0.0) + op.count * float(op.flops)
    return sums


@pytest.mark.parametrize(("name", "run"), [one for one in LORA if "checkpoint" not in str(one.id)])
def test_adapters_hold_what_the_library_makes_trainable(tmp_path: Path, name: str, run: str) -> None:
    held = sum(op.count * op.params for op in _ops(tmp_path, name, run) if ".lora_" in op.name)
    assert held == ORACLE[name]["runs"][run]["trainable"]
