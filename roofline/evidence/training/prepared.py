"""Training rows laid out: the passes of a step, to which one framework after another gives its times."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from roofline.analysis.training.evaluate import TrainOutcome, evaluate_training
from roofline.analysis.training.flops import step_flops
from roofline.analysis.training.passes import Setting
from roofline.analysis.training.stages import stages_of, whole_of
from roofline.analysis.training.step import StagePasses, StepTime, timed
from roofline.errors import RooflineError
from roofline.evidence.training.asking import Asked, ask
from roofline.evidence.training.measured import peak_bytes, step_seconds
from roofline.evidence.training.rows import TrainingRow
from roofline.machine.chips.efficiency import ChipEfficiency
from roofline.machine.engine import BARE, Engine
from roofline.machine.expected import KindTime
from roofline.runs.training.ask import train_question
from roofline.runs.training.run import TrainQuestion
from roofline.specs.engine_training import TrainingHabits
from roofline.specs.gpu import GPUSpec


class Framework(NamedTuple):
    """What a fit changes: coefficients of an engine, and those of its habits."""

    engine: Engine
    habits: TrainingHabits


@dataclass(frozen=True)
class TrainingRun:
    """A row whose question was asked: seconds of a step, or bytes on one GPU, that it measured."""

    asked: Asked
    question: TrainQuestion
    passes: tuple[StagePasses, ...]
    seconds: float
    bytes: float

    @property
    def row(self) -> TrainingRow:
        """What the file says."""
        return self.asked.row

    @cached_property
    def outcome(self) -> TrainOutcome:
        """What is said of its question."""
        return evaluate_training(self.question, TrainOutcome)

    @property
    def gpu(self) -> str:
        """The accelerator by its name."""
        return self.question.gpu.name

    @property
    def model(self) -> str:
        """The model by its title: candidates of one size count as one."""
        return self.row.model or self.row.model_as_published

    @property
    def constant_s(self) -> float:
        """Seconds of a step at an MFU of 0.4, attention counted as its mask lets through."""
        q = self.question
        peak = float(q.machine().tensor[q.precision.matrix_dtype()])
        flops = step_flops(whole_of(q), q.microbatches * q.plan.dp)
        return flops.causal / (_MFU * peak * q.gpus)

    def chip(self, blind: str | None = None) -> ChipEfficiency:
        """What is known of its accelerator's kernels."""
        return _chip(_Hashed(self.question.gpu), blind)

    def step(self, framework: Framework, blind: str | None = None) -> StepTime:
        """The time of a step; `blind`: as if nothing was measured of a chip of that name."""
        return timed(self._under(framework).driven_by(self.chip(blind), framework.engine), self.passes)

    def step_again(self, framework: Framework, chip: ChipEfficiency, time_of: KindTime) -> StepTime:
        """The same on a chip that the framework drives, with times of kernels that are kept."""
        setting = self._under(framework)._replace(chip=chip, engine=framework.engine, time_of=time_of)
        return timed(setting, self.passes)

    def _under(self, framework: Framework) -> Setting:
        question = replace(self.question, habits=framework.habits)
        return Setting(question, question.machine(), None, question.layout.spread.fabric)


#: What all runs are taken to reach where nothing is known: Epoch's rule for what is no language model; see docs.
_MFU = 0.4


class _Hashed:
    """A chip by identity, for a cache."""

    def __init__(self, spec: GPUSpec) -> None:
        self.spec = spec

    def __hash__(self) -> int:
        return id(self.spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Hashed) and other.spec is self.spec


@lru_cache(maxsize=256)
def _chip(gpu: _Hashed, blind: str | None) -> ChipEfficiency:
    return ChipEfficiency.of(gpu.spec, engine=BARE, without=blind)


class Refused(NamedTuple):
    """A row that is no question, and why."""

    row: TrainingRow
    reason: str


def prepare(rows: Iterable[TrainingRow]) -> tuple[list[TrainingRun], list[Refused]]:
    """The rows that can be asked, and the others with the reason."""
    found, refused = list[TrainingRun](), list[Refused]()
    kept: dict[Any, tuple[TrainQuestion, tuple[StagePasses, ...]]] = {}
    for row in rows:
        try:
            asked = ask(row)
            key = repr((asked.model, row.gpu, row.notes if "HBM2e" in row.notes else "", asked.options))
            if key not in kept:
                kept[key] = _evaluated(asked)
            question, passes = kept[key]
            seconds = 0.0 if row.of_memory else step_seconds(asked, question)
        except (LookupError, RooflineError) as error:
            refused.append(Refused(row, str(error)))
            continue
        peak = peak_bytes(asked) if row.of_memory else 0.0
        found.append(TrainingRun(asked, question, passes, seconds, peak))
    return found, refused


def _evaluated(asked: Asked) -> tuple[TrainQuestion, tuple[StagePasses, ...]]:
    question = train_question(asked.model, asked.gpu, **asked.options)
    return question, tuple(StagePasses.of(question, work) for work in stages_of(question))
