"""What a checkpoint repeats: its region, up to the last op whose memory the gradients need.

Source: torch 2.14, torch/utils/checkpoint.py, `early_stop`: the repeated pass ends as soon as it has everything back.
An op that remembers what it reads has it before it runs, so that it is not run again; one that remembers its own
result is.
"""

from __future__ import annotations

from itertools import groupby

from roofline.passes.training.image.trace import Step, Tracer
from roofline.workload.op import Op


def recomputed(tracer: Tracer) -> tuple[Op, ...]:
    """The ops that the backward pass runs once more."""
    out: list[Op] = []
    for region, steps in groupby(tracer.steps, key=lambda step: step.region):
        if region:
            out += _repeated(list(steps))
    return tuple(out)


def _repeated(steps: list[Step]) -> list[Op]:
    needed = [index for index, step in enumerate(steps) if step.saved.anything]
    if not needed:
        return []
    last = needed[-1]
    end = last + 1 if steps[last].saved.own else last
    return [_bare(step.flow.op) for step in steps[:end]]


def _bare(op: Op) -> Op:
    return op._replace(name=f"{op.name}.again", params=0.0, active=0.0)
