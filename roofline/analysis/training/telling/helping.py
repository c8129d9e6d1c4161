"""What would help a training run that does not fit: every change, and changes together, each asked again.

`roofline.analysis.training.remedies` says which there are; what cannot be asked of this model and plan is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final, NamedTuple

from roofline.analysis.training.held import memory_of
from roofline.analysis.training.remedies import Remedy, remedies
from roofline.analysis.training.stages import stages_of
from roofline.analysis.training.step import step_time
from roofline.answer.memory import Memory
from roofline.answer.plain import plain
from roofline.errors import RooflineError
from roofline.runs.training.ask import train_question
from roofline.runs.training.options import TRAINING
from roofline.runs.training.run import TrainQuestion
from roofline.units import format_si

#: Of the changes of one kind, the one that goes furthest is taken together with others.
_TOGETHER: Final = ("attention", "recompute", "micro_batch", "zero", "optimizer")
_PLAN: Final = ("tp", "pp", "cp", "dp")


class Helped(NamedTuple):
    """A run with some options changed: as options, in words, what it holds then, seconds of a step where it fits."""

    options: str
    words: str
    changes: Mapping[str, Any]
    memory: Memory
    step_s: float | None

    @property
    def fits(self) -> bool:
        """Whether it fits then."""
        return bool(self.memory.fits)

    @property
    def needs(self) -> str:
        """What it needs then: `21.3 GB`."""
        return format_si(float(self.memory.total_bytes), "B")

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "change": self.options,
            "words": self.words,
            "changes": {name: plain(value) for name, value in self.changes.items()},
            "total_bytes": plain(self.memory.total_bytes),
            "fits": self.fits,
            "step_s": plain(self.step_s),
        }


def helped(question: TrainQuestion) -> tuple[Helped, ...]:
    """What would help, the mildest first."""
    found = []
    for remedy in tried(question):
        with suppress(RooflineError):  # what cannot be asked of this model and plan helps nobody
            found.append(_asked(question, remedy))
    return tuple(found)


def _asked(question: TrainQuestion, remedy: Remedy) -> Helped:
    given = remedy.asked(question)
    given.pop("memory", None)  # the accelerator has been given its size
    changed = train_question(question.spec, question.gpu, **given)
    works = stages_of(changed)
    memory = memory_of(changed, works)
    seconds = float(step_time(changed, works).expected_s) if memory.fits else None
    return Helped(options_text(remedy.changes, question.asked), remedy.words, remedy.changes, memory, seconds)


def options_text(changes: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    """Changes as one would type them: `--recompute full --micro-batch 1`; those that change nothing are left out."""
    parts, left = list[str](), list[str]()
    for name, value in changes.items():
        option = TRAINING[name]
        before = asked.get(name, option.default)
        if value is None and name in asked and name not in (*_PLAN, "gpus", "fsdp"):
            left.append(f"without {option.flag} {before}")
        elif value is not None and value != before and not (name in _PLAN and value == 1 and before is None):
            parts.append(option.flag if value is True else f"{option.flag} {value}")
    return " ".join([*parts, *left])


def tried(question: TrainQuestion) -> Iterator[Remedy]:
    """What is tried, the mildest first: one change, several, adapters, more devices."""
    single = remedies(question)
    own = [each for each in single if _of(each, ("lora", "base"))]
    more = [each for each in single if _devices(each) > question.gpus]
    plain_ones = [each for each in single if each not in own and each not in more]
    yield from plain_ones
    together = _together(question, plain_ones)
    yield from together
    most = together[-1:] or plain_ones
    adapted = [each for each in most if not _of(each, _PLAN)]
    for adapters in own:
        yield adapters
        for least in adapted:
            less = {name: value for name, value in least.changes.items() if name != "optimizer"}
            yield Remedy({**adapters.changes, **less}, f"{adapters.words}, and all else that keeps less")
    more += [
        Remedy({"gpus": size, "dp": None, "zero": 3}, f"{size} GPUs that share all states") for size in _more(question)
    ]
    for larger in more:
        yield larger
        for least in adapted:
            # a step grows with its replicas, unless its batch was asked for
            less = {name: value for name, value in least.changes.items() if name not in ("global_batch", "zero")}
            yield Remedy({**larger.changes, **less}, f"{larger.words}; {least.words}")


def _more(question: TrainQuestion) -> Iterator[int]:
    """Four and eight times as many devices."""
    yield from (times * question.gpus for times in (4, 8))


def _of(remedy: Remedy, names: tuple[str, ...]) -> bool:
    return any(name in remedy.changes for name in names)


def _devices(remedy: Remedy) -> int:
    product = 1
    if remedy.changes.get("gpus") is not None:
        return int(remedy.changes["gpus"])
    for name in _PLAN:
        product *= int(remedy.changes.get(name) or 1)
    return product


def _together(question: TrainQuestion, single: list[Remedy]) -> list[Remedy]:
    """The furthest change of each kind, together with those before it."""
    furthest: dict[str, Remedy] = {}
    for remedy in single:
        for name in _TOGETHER:
            if name in remedy.changes:
                furthest[name] = remedy
    if "micro_batch" in furthest:
        sizes = {"micro_batch": 1, "global_batch": int(question.run.global_batch)}
        furthest["micro_batch"] = Remedy(sizes, "micro-batches of 1")
    changes: dict[str, Any] = {}
    words: list[str] = []
    found = []
    for remedy in furthest.values():
        changes = changes | dict(remedy.changes)
        words.append(remedy.words)
        if len(words) > 1:
            found.append(Remedy(dict(changes), ", ".join(words)))
    return found


def first_fitting(found: tuple[Helped, ...]) -> Helped | None:
    """The mildest that makes it fit."""
    return next((each for each in found if each.fits), None)
