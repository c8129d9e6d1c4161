"""What the devices of a run do of its towers: all of it in the first stage, split over tensor-parallel devices."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from roofline.architectures.towers.phase import tower_phases
from roofline.architectures.towers.seen import seen_by
from roofline.num import is_nothing, maximum, minimum
from roofline.passes.fusion.levels import apply_fusion
from roofline.runs.devices.spread import Spread
from roofline.runs.execution import Stage
from roofline.runs.kind import Question
from roofline.workload.run import TextRun
from roofline.workload.workload import Fusion, Phase, Workload


def with_towers(question: Question, run: TextRun, towers: tuple[Phase, ...], stages: list[Stage]) -> list[Stage]:
    """The stages with the phases of towers before their own: empty in all but the first."""
    level = cast("Fusion", question.execution.level)
    ideal = _device(Workload(towers), question.spread)
    own = apply_fusion(ideal, level).phases
    if question.execution.chunk and run.media is not None:
        parts = _at_once(question, run)
        widest = apply_fusion(_device(Workload(parts), question.spread), level).phases
        own = tuple(replace(phase, widest=part.ops) for phase, part in zip(own, widest, strict=True))
    empty = tuple(replace(phase, ops=(), boundary=0.0) for phase in towers)
    found = []
    for index, stage in enumerate(stages):
        mine, whole = (empty, empty) if index else (own, ideal.phases)
        found.append(
            stage._replace(
                workload=Workload((*mine, *stage.workload.phases)), ideal=Workload((*whole, *stage.ideal.phases))
            )
        )
    return found


def _device(towers: Workload, spread: Spread) -> Workload:
    if spread.alone:
        return towers
    from roofline.passes.parallel.shard import shard

    return shard(towers, spread.plan)


def _at_once(question: Question, run: TextRun) -> tuple[Phase, ...]:
    """The phases for what is encoded at once: as much as has the tokens of a chunk, and one picture at least."""
    media, found = run.media, list[Phase]()
    assert media is not None
    for tower in question.spec.towers:
        seen = seen_by(tower, media)
        if not is_nothing(seen.items):
            share = maximum(question.execution.chunk / maximum(seen.tokens, 1.0), 1.0 / maximum(seen.items, 1.0))
            found += tower_phases((tower,), media, minimum(run.batch, share))
    return tuple(found)
