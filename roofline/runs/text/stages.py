"""What the devices of a language model's run do: pipeline stages, shards, and what is fetched from elsewhere.

A pipeline takes the batch in as many microbatches as asked, else as it has stages, or sequences if these are fewer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from roofline.errors import UsageError
from roofline.num import Num, maximum, minimum
from roofline.passes.fusion.levels import apply_fusion
from roofline.runs.devices.spread import Spread
from roofline.runs.kind import Question, Stage, Stages
from roofline.runs.text.towers import tower_bytes
from roofline.workload.precision import Precision
from roofline.workload.run import TextRun
from roofline.workload.workload import Fusion, Workload


def text_stages(question: Question, run: TextRun) -> Stages:
    """The kinds of stages of a run, and the number of microbatches."""
    spread, level = question.spread, cast("Fusion", question.execution.level)
    if spread.alone:
        whole = question.workload(run)
        return Stages((Stage(1, apply_fusion(whole, level), whole, tower_bytes(question)),))
    stages = spread.plan.pp
    micro: Num = minimum(run.batch, float(spread.microbatches or stages)) if stages > 1 else 1.0
    whole = question.workload(replace(run, batch=run.batch / micro) if stages > 1 else run)
    found = []
    for stage, number in _kinds_of_stages(whole, stages).items():
        ideal = _device(whole, spread, stage)
        found.append(Stage(number, apply_fusion(ideal, level), ideal, 0.0 if stage else tower_bytes(question)))
    return Stages(tuple(found), micro)


def _kinds_of_stages(whole: Workload, stages: int) -> dict[int, int]:
    """The first stage of each kind (first, last, number of layers), and how many there are of it."""
    if stages == 1:
        return {0: 1}
    from roofline.passes.parallel.pipeline import layers_of, stage_layers

    seen: dict[tuple[bool, bool, int], int] = {}
    kinds: dict[int, int] = {}
    for stage, layers in enumerate(stage_layers(layers_of(whole.phases[0].ops), stages)):
        first = seen.setdefault((stage == 0, stage == stages - 1, layers), stage)
        kinds[first] = kinds.get(first, 0) + 1
    return kinds


def _device(whole: Workload, spread: Spread, stage: int) -> Workload:
    """What one device of a stage runs, with what it fetches. Raises UsageError where the plan does not fit."""
    from roofline.passes.offload import Offload, offload
    from roofline.passes.parallel.shard import shard

    try:
        ideal = shard(whole, spread.plan, stage=stage)
    except UsageError as error:
        raise spread.as_asked(error) from None
    return offload(ideal, cast("Offload", spread.away)) if spread.away is not None else ideal


def stage_parts(stage: Stage, precision: Precision, micro: Num, reserve: float) -> tuple[Num, ...]:
    """Bytes on one device of a stage: weights and towers, cache, state, activations of one microbatch, runtime."""
    workload = stage.workload
    return (
        workload.weight_bytes(precision) + stage.beside,
        workload.cache_elements() * precision.cache.bytes * micro,
        workload.state_bytes(precision) * micro,
        workload.activation_peak_bytes(precision),
        reserve,
    )


def stage_bytes(question: Question, stage: Stage, micro: Num) -> Num:
    """Bytes on one device of a stage."""
    total: Num = 0.0
    for part in stage_parts(stage, question.precision, micro, question.spread.reserve.bytes):
        total = total + part
    return total


def most_bytes(question: Question, stages: Stages) -> Num:
    """Bytes on the device that needs most."""
    most: Num = 0.0
    for stage in stages.each:
        most = maximum(most, stage_bytes(question, stage, stages.microbatches))
    return most
