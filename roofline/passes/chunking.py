"""A prefill in chunks: no more than so many tokens go through the layers at once, and the rest waits for its turn.

What is in memory meanwhile is that of a chunk; weights are read once per chunk, and later chunks read what the earlier
ones cached. FLOPs, parameters and cache are those of the whole prompt.

Source: Agrawal et al. 2023, SARATHI (arXiv:2308.16369).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from roofline.num import Num, any_holds, ceil, maximum, minimum
from roofline.workload.run import TextRun
from roofline.workload.workload import Workload


class Chunks(NamedTuple):
    """A prefill in `number` passes: the run of the mean one, and that of the one that needs most memory."""

    number: Num
    mean: TextRun
    widest: TextRun


def chunks_of(run: TextRun, chunk: float) -> Chunks | None:
    """The passes of a run's prefill of at most `chunk` tokens each; None where one pass takes all, or `chunk` is 0.

    A pass takes sequences as a whole where they are shorter, else a part of one.
    """
    if not chunk:
        return None
    tokens = run.batch * run.prompt
    if not any_holds(tokens > chunk):
        return None
    number = maximum(ceil(tokens / chunk), 1.0)
    mean, most = tokens / number, minimum(tokens, chunk)
    new, widest = minimum(run.prompt, mean), minimum(run.prompt, most)
    return Chunks(
        number,
        replace(run, batch=mean / new, prompt=new, generate=1.0, passes=run.prompt / new),
        replace(run, batch=most / widest, prompt=widest, generate=1.0, past=run.prompt - widest),
    )


def in_chunks(whole: Workload, number: Num, mean: Workload, widest: Workload) -> Workload:
    """The workload whose first phase is run in so many passes, by the ops of the mean pass and of the widest."""
    first = whole.phases[0]
    times: Any = number  # executions of a grid's points differ
    ops = tuple(op._replace(count=op.count * times) for op in mean.phases[0].ops)
    passed = replace(first, ops=ops, whole=first.ops, widest=widest.phases[0].ops)
    return Workload((passed, *whole.phases[1:]))
