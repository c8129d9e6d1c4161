"""What `roofline train` shows: the verdict, what was asked, the step, what is reached, its memory, the whole run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from roofline.analysis.training.telling.warned import run_assumptions
from roofline.answer.plain import counted_whole
from roofline.report.tables.console import Styled
from roofline.report.tables.estimate import print_warnings
from roofline.report.tables.legend import print_legend, print_table
from roofline.report.tables.training.memory import memory_table, remedy_table
from roofline.report.tables.training.reached import rate_table, share_table, unvisited_words
from roofline.report.tables.training.run import run_table
from roofline.report.tables.training.step import stage_words, step_table
from roofline.runs.telling.notes import named_lines
from roofline.units import format_count

if TYPE_CHECKING:
    from roofline.analysis.training.answer import TrainAnswer
    from roofline.report.tables.console import Console

#: The warnings that the verdict has told.
_TOLD: Final = ("does-not-fit",)
_OTHERS: Final = "`roofline flops` tells 20 conventions with their formulas."


def print_training(answer: TrainAnswer, console: Console) -> None:
    """The verdict first, then what it rests on."""
    console.print(answer.verdict, style="bold" if answer.memory.fits else "bold red")
    console.print()
    _print_asked(answer, console)
    print_table(step_table(answer), console)
    if words := stage_words(answer):
        console.print(words)
        console.print()
    print_table(rate_table(answer), console)
    print_table(share_table(answer), console)
    if words := unvisited_words(answer):
        console.print(words)
    if answer.question.run.sequence:
        console.print(_OTHERS, style="dim")
        console.print()
    print_table(memory_table(answer), console)
    if answer.remedies:
        print_table(remedy_table(answer), console)
    if answer.whole is not None:
        print_table(run_table(answer), console)
    _print_assumed(answer, console)
    print_warnings((warn for warn in answer.warnings if warn.code not in _TOLD), console)


def _print_asked(answer: TrainAnswer, console: Console) -> None:
    q = answer.question
    title = [Styled(q.spec.title, "bold"), Styled(" on "), Styled(f"{q.gpus:,} × " if q.gpus > 1 else "")]
    console.print([*title, Styled(q.gpu.title, "bold")])
    lines = list(asked_lines(answer))
    for line in lines:
        console.print(line)
    print_legend("\n".join(lines), console)
    named = {"model": (q.model_origin.alias, q.spec.name), "GPU": (q.gpu_origin.alias, q.gpu.name)}
    for line in named_lines(named, q.asked.get("spec_dir")):
        console.print(line, style="dim")
    console.print()


def asked_lines(answer: TrainAnswer) -> Iterator[str]:
    """What was asked, in lines: batch, plan, what is trained and how."""
    yield batch_line(answer)
    q, layout = answer.question, answer.question.layout
    if q.gpus > 1:
        stages = f", {layout.schedule}" if q.plan.pp > 1 else ""
        chunks = f", {layout.vpp} chunks of layers on each GPU" if layout.vpp > 1 else ""
        tokens = ", sequence parallel" if layout.sequence_parallel else ""
        node = f" on {layout.spread.node.name}" if layout.spread.node is not None else ""
        yield f"{q.gpus:,} GPUs ({q.plan.text()}){node}; ZeRO {layout.zero}{stages}{chunks}{tokens}"
    yield how_line(answer)


def batch_line(answer: TrainAnswer) -> str:
    """What is taken at once, and how often in a step."""
    run, plan, rounds = answer.question.run, answer.question.plan, answer.question.microbatches
    if run.sequence:
        each = f"sequences of {run.sequence:,.0f} tokens"
        each += f" (decoder {run.decoder:,.0f})" if run.decoder else ""
        step = f"{counted_whole(int(run.global_batch), 'sequence')}, {run.tokens_per_step:,.0f} tokens"
    else:
        each, step = (
            f"pictures of {run.width:,.0f} × {run.height:,.0f}",
            counted_whole(int(run.global_batch), "picture"),
        )
    replicas = f" on each of {plan.dp:,} replicas" if plan.dp > 1 else ""
    return f"{each}: {run.micro_batch:,.0f} at once{replicas}, {rounds:,.0f} × a step: {step}"


def how_line(answer: TrainAnswer) -> str:
    """What is trained, in which formats, with which optimizer, by which framework."""
    q, run = answer.question, answer.question.run
    trained = answer.parameters.beside.get("trainable", 0.0)
    share = f"{100 * trained / answer.parameters.total:.3g} % of " if trained < answer.parameters.total else ""
    text = f"{share}{format_count(answer.parameters.total)} parameters trained in {q.mode} with {run.optimizer}"
    if run.adapters is not None:
        targets = ", ".join(run.adapters.targets) or "the usual matrices"
        text += f"; LoRA of rank {run.adapters.rank:.0f} on {targets}, base {run.base or q.mode}"
    text += f"; recompute {run.recompute}" + ("; eager attention" if run.eager_attention else "")
    text += f"; judged: {run.judges}" if run.judges != "none" else ""
    return f"{text}{'; EMA' if run.ema else ''}; engine {q.engine}"


def _print_assumed(answer: TrainAnswer, console: Console) -> None:
    """What was assumed because it was not asked; all assumptions are in `--explain` and in JSON."""
    notes = [*answer.question.notes, *run_assumptions(answer)]
    if notes:
        console.print("Assumed", style="bold")
    for note in notes:
        console.print(f"  - {note}")
    console.print()
