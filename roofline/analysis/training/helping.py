"""What would help a training run that does not fit: the same question with something changed, each asked again.

Every change is one that a user can ask for; what cannot be asked of this model or plan is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final, NamedTuple

from roofline.analysis.training.held import memory_of
from roofline.analysis.training.stages import stages_of
from roofline.analysis.training.step import step_time
from roofline.answer.memory import Memory
from roofline.answer.plain import plain
from roofline.errors import RooflineError
from roofline.runs.training.ask import train_question
from roofline.runs.training.run import TrainQuestion
from roofline.units import format_si

#: A change of options, by name.
Changes = Mapping[str, Any]
_RANK: Final = 16
#: How many times as many GPUs are tried, each holding its share of the states.
_MORE: Final = (2, 4, 8)


class Remedy(NamedTuple):
    """The run with some options changed: in words, what it holds then, and the seconds of a step where it fits."""

    words: str
    changes: Changes
    memory: Memory
    step_s: float | None

    @property
    def fits(self) -> bool:
        """Whether it fits then."""
        return bool(self.memory.fits)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "options": self.words,
            "changes": {name: plain(value) for name, value in self.changes.items()},
            "total_bytes": plain(self.memory.total_bytes),
            "fits": self.fits,
            "step_s": plain(self.step_s),
        }


def remedies_of(question: TrainQuestion) -> tuple[Remedy, ...]:
    """What would help, the mildest first."""
    found = []
    for changes in changes_of(question):
        with suppress(RooflineError):  # what cannot be asked of this model and plan helps nobody
            found.append(_tried(question, changes))
    return tuple(found)


def _tried(question: TrainQuestion, changes: Changes) -> Remedy:
    changed = asked_again(question, changes)
    works = stages_of(changed)
    memory = memory_of(changed, works)
    seconds = float(step_time(changed, works).expected_s) if memory.fits else None
    return Remedy(options_text(changes), changes, memory, seconds)


def asked_again(question: TrainQuestion, changes: Changes) -> TrainQuestion:
    """The same question with some options changed; one that is changed to None is asked no more. Raises UsageError."""
    given = {name: value for name, value in question.asked.items() if name != "memory"}
    options = {name: value for name, value in (given | dict(changes)).items() if value is not None}
    return train_question(question.spec, question.gpu, **options)


def options_text(changes: Changes) -> str:
    """Changes as one would type them: `--recompute full --micro-batch 1`."""
    named = [(f"--{name.replace('_', '-')}", value) for name, value in changes.items() if value is not None]
    return " ".join(name if value is True else f"{name} {value}" for name, value in named)


def changes_of(question: TrainQuestion) -> Iterator[Changes]:
    """The changes that are tried, from the mildest: the same run in another order, states elsewhere, adapters."""
    kept, shared = list(_of_activations(question)), list(_of_states(question))
    yield from (*kept, *shared, *_of_plan(question))
    both: dict[str, Any] = {}
    for change in (*kept[-2:], *shared):
        both = both | dict(change)
        if len(both) > 1:
            yield dict(both)
    less = {name: value for name, value in both.items() if name != "optimizer"}
    for adapters in _of_adapters(question):
        yield adapters
        if less:
            yield adapters | less
    yield from _of_more(question, less)


def _of_activations(question: TrainQuestion) -> Iterator[Changes]:
    """Less is kept for the backward pass."""
    run = question.run
    if run.eager_attention:
        yield {"attention": "flash"}
    if run.micro_batch > 1:
        yield {"micro_batch": 1} if run.micro_batch % 2 else {"micro_batch": int(run.micro_batch / 2)}
        if run.micro_batch > 2 and not run.micro_batch % 2:
            yield {"micro_batch": 1}
    if run.recompute == "none" and run.eager_attention:
        yield {"recompute": "selective"}
    if run.recompute != "full":
        yield {"recompute": "full"}


def _of_states(question: TrainQuestion) -> Iterator[Changes]:
    """Weights, gradients and optimizer take less, or are shared out."""
    if question.layout.sharers > 1:
        for zero in range(question.layout.zero + 1, 4):
            yield {"zero": zero}
    if question.run.optimizer.startswith("adam") and question.run.optimizer != "adamw-8bit":
        yield {"optimizer": "adamw-8bit"}


def _of_plan(question: TrainQuestion) -> Iterator[Changes]:
    """The same devices along other axes: tensors within a node, layers in stages."""
    plan, run = question.plan, question.run
    if plan.dp % 2 or run.height:
        return
    node = question.layout.spread.node
    size = node.count if node is not None else plan.tp
    each = {"gpus": plan.devices, "dp": None}
    if plan.tp * 2 <= size:
        yield {**each, "tp": plan.tp * 2}
    yield {**each, "pp": plan.pp * 2}


def _of_adapters(question: TrainQuestion) -> Iterator[dict[str, Any]]:
    """Adapters in place of the weights, and narrower weights below them."""
    run = question.run
    rank: dict[str, Any] = {} if run.adapters is not None else {"lora": _RANK}
    if rank:
        yield rank
    for base in ("int8", "nf4"):
        if run.base not in (base, "nf4", "nf4-dq"):
            yield rank | {"base": base}


def _of_more(question: TrainQuestion, less: Changes) -> Iterator[Changes]:
    """More devices, each with its share of the states."""
    for times in _MORE:
        more = {"gpus": question.gpus * times, "dp": None, "zero": 3}
        yield more
        if less:
            yield {**more, **{name: value for name, value in less.items() if name != "zero"}}


def first_fitting(remedies: tuple[Remedy, ...]) -> Remedy | None:
    """The mildest that makes it fit."""
    return next((each for each in remedies if each.fits), None)


def saved_words(remedy: Remedy) -> str:
    """What a run needs then: `21.3 GB`."""
    return format_si(float(remedy.memory.total_bytes), "B")
