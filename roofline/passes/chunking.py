"""A prefill in chunks: no more than so many tokens go through the layers at once, and the rest waits for its turn.

What is in memory meanwhile is that of a chunk; weights are read once per chunk, and later chunks read what the earlier
ones cached. FLOPs, parameters and cache are those of the whole prompt.

Source: Agrawal et al. 2023, SARATHI (arXiv:2308.16369).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from roofline.num import Num, any_holds, ceil, maximum, minimum
from roofline.workload.op import Op
from roofline.workload.run import TextRun
from roofline.workload.workload import Workload


class Chunks(NamedTuple):
    """A prefill in `number` passes: the run of the mean one, None where one pass takes all of the prompts, and that of
    the one that needs most memory.
    """

    number: Num
    mean: TextRun | None
    widest: TextRun


def chunks_of(run: TextRun, chunk: float, *, reserved: bool = False) -> Chunks | None:
    """The passes of a run's prefill of at most `chunk` tokens each; None where one pass takes all, or `chunk` is 0.

    A pass takes sequences as a whole where they are shorter, else a part of one. `reserved`: the memory of a whole
    chunk is taken whatever the prompts are.
    """
    if not chunk:
        return None
    tokens = run.batch * run.prompt
    cut = any_holds(tokens > chunk)
    if not cut and not reserved:
        return None
    number = maximum(ceil(tokens / chunk), 1.0)
    most = chunk if reserved else minimum(tokens, chunk)
    longest = minimum(run.prompt, most)
    widest = replace(
        run, batch=most / longest, prompt=longest, generate=1.0, past=run.prompt - longest, first_apart=False
    )
    return Chunks(number, _mean(run, tokens / number, chunk) if cut else None, widest)


def _mean(run: TextRun, tokens: Num, chunk: float) -> TextRun:
    """The run of a pass of so many tokens, each sequence in as many passes as it takes."""
    new = minimum(run.prompt, tokens)
    passes = run.prompt / new
    alone = replace(run, generate=1.0, first_apart=False)
    return replace(alone, batch=tokens / new, prompt=new, passes=passes, piece=chunk)


def in_chunks(whole: Workload, number: Num, mean: Workload | None, widest: Workload, *, drawn: bool = True) -> Workload:
    """The workload whose first phase is run in so many passes, by the ops of the mean pass and of the widest.

    `drawn`: logits are those of last positions, and there is room for those of all sequences, whichever of them end in
    one pass: a decode step needs it anyway.
    """
    first = whole.phases[0]
    heads = {op.name: op for op in first.ops if op.block == "head" and op.name.startswith("head")} if drawn else {}
    most = tuple(_drawn(op, heads.get(op.name)) for op in widest.phases[0].ops)
    if mean is None:
        return Workload((replace(first, widest=most), *whole.phases[1:]))
    times: Any = number  # executions of a grid's points differ
    ops = tuple(op._replace(count=op.count * times) for op in mean.phases[0].ops)
    passed = replace(first, ops=ops, whole=first.ops, widest=most)
    return Workload((passed, *whole.phases[1:]))


def _drawn(op: Op, head: Op | None) -> Op:
    """An op of the widest pass; the head, and what gathers its logits, as they are for all sequences."""
    if head is None or op.block != head.block:
        return op
    return op._replace(read=head.read, write=head.write, read_fp32=head.read_fp32, write_fp32=head.write_fp32)
