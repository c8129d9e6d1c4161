"""What the devices of a language model's run do: pipeline stages, shards, and what is fetched from elsewhere.

A pipeline takes the batch in as many microbatches as asked, else as it has stages, or sequences if these are fewer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, cast

from roofline.errors import UsageError
from roofline.num import Num, maximum, minimum
from roofline.passes.chunking import Chunks, chunks_of, in_chunks
from roofline.passes.fusion.levels import apply_fusion
from roofline.runs.budget import Held
from roofline.runs.devices.spread import Spread
from roofline.runs.execution import Stage, Stages
from roofline.runs.kind import Question, kept_workload
from roofline.runs.text.draft import drafted, on_device
from roofline.runs.text.elsewhere import of_device
from roofline.runs.text.inputs.encoders import with_towers
from roofline.runs.text.pages import Pages, unified
from roofline.runs.text.towers import tower_bytes
from roofline.workload.media import attended_alone
from roofline.workload.run import TextRun
from roofline.workload.workload import Fusion, Workload

_LAST: list[tuple[Question, Stages]] = []
_MOST_KEPT: Final = 2


def kept_stages(question: Question, run: TextRun) -> Stages:
    """The stages of a run; those of the last questions are kept, by the questions themselves."""
    if run is not question.run:
        return text_stages(question, run)
    for known, stages in _LAST:
        if known is question:
            return stages
    found = text_stages(question, run)
    _LAST[:] = [(question, found), *_LAST[: _MOST_KEPT - 1]]
    return found


def text_stages(question: Question, run: TextRun) -> Stages:
    """The kinds of stages of a run, and the number of microbatches."""
    spread, stages = question.spread, question.spread.plan.pp
    micro: Num = minimum(run.batch, float(spread.microbatches or stages)) if stages > 1 else 1.0
    part = replace(run, batch=run.batch / micro) if stages > 1 else run
    everything = question.workload(part)
    whole, execution = Workload(everything.own), question.execution
    chunks = chunks_of(
        replace(part, media=attended_alone(part.media)), execution.chunk, reserved=execution.budget.whole_chunk
    )
    try:
        kinds = {0: 1} if spread.alone else _kinds_of_stages(whole, stages)
    except UsageError as error:
        raise spread.as_asked(error) from None
    found = [_stage(question, number, stage, whole, chunks) for stage, number in kinds.items()]
    if everything.towers:
        found = with_towers(question, part, everything.towers, found)
    # stages are in order, and the last of a pipeline is alone of its kind
    found[-1] = found[-1]._replace(aside=on_device(run, spread.plan))
    return Stages(tuple(found), micro)


def _stage(question: Question, number: int, stage: int, whole: Workload, chunks: Chunks | None) -> Stage:
    """One kind of stage: as a whole at one kernel per operation, and with its prefill in chunks at the level."""
    level, spread = cast("Fusion", question.execution.level), question.spread
    ideal = _device(whole, spread, stage)
    own = apply_fusion(ideal, level)
    towers = 0.0 if stage else tower_bytes(question)
    if chunks is None:
        return Stage(number, own, ideal, beside=towers)
    mean, widest = _passes(question, whole, chunks)
    fused = apply_fusion(_device(widest, spread, stage), level)
    split = None if mean is None else apply_fusion(_device(mean, spread, stage), level)
    drawn = question.run.logits == "last"

    def cut() -> Workload:
        return in_chunks(own, chunks.number, split, fused, drawn=drawn)

    key = "cut", question.execution.chunk, question.execution.budget.whole_chunk, drawn
    passed = own.phases[0].kept(key, cut) if isinstance(chunks.number, float) else cut()
    return Stage(number, passed, ideal, beside=towers)


def _passes(question: Question, whole: Workload, chunks: Chunks) -> tuple[Workload | None, Workload]:
    """The mean pass, kept with the whole prefill, and the widest, kept by its run; but for grids, held twice else."""
    kind, spec, mean = question.kind, question.spec, chunks.mean
    if not isinstance(chunks.number, float):
        return kind.workload(spec, mean) if mean is not None else None, kind.workload(spec, chunks.widest)
    widest = kept_workload(kind, spec, chunks.widest)
    if mean is None:
        return None, widest
    return whole.phases[0].kept(("chunk", question.execution.chunk), lambda: kind.workload(spec, mean)), widest


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
    if spread.alone:
        return whole
    from roofline.passes.offload import Offload, offload
    from roofline.passes.parallel.shard import shard

    try:
        ideal = shard(whole, spread.plan, stage=stage)
    except UsageError as error:
        raise spread.as_asked(error) from None
    return offload(ideal, cast("Offload", spread.away)) if spread.away is not None else ideal


def held_by(question: Question, stage: Stage, micro: Num) -> Held:
    """Bytes on one device of a stage; activations of a microbatch, or of drawing tokens if these are more."""
    workload, precision, budget = stage.workload, question.precision, question.execution.budget
    cache, state = workload.cache_bytes(precision), workload.state_bytes(precision)
    pages = pages_of(question, stage, micro) if budget.padded else None
    if pages is not None:
        cache, state = cache * pages.cache, state * pages.state
    drawing = budget.logits * float(question.spec.logits)
    peak = maximum(workload.activation_peak_bytes(precision), drawing)
    draft = drafted(question.run.draft, stage, precision, micro, peak)
    weights = workload.weight_bytes(precision) + stage.beside
    return Held(weights, cache * micro, state * micro, peak, budget.runtime, *draft)


def pages_of(question: Question, stage: Stage, micro: Num) -> Pages | None:
    """The pages in which a stage holds keys and states alike; None where it has but one of the two."""
    last, run = stage.workload.phases[-1], question.run
    return unified(last.holders, question.precision, run.batch / micro, run.cached, run.layout)


def most_needed(question: Question, stages: Stages) -> Num:
    """Bytes that programs must have on the device that needs most.

    Where something stays with a host, what it holds of its memory counts as that share of the device's: the limits are
    then those of the fuller of the two.
    """
    most: Num = 0.0
    for stage in stages.each:
        most = maximum(most, question.execution.budget.needed(held_by(question, stage, stages.microbatches)))
    return most if question.spread.host is None else maximum(most, of_device(question, stages))
