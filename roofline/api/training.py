"""A training run, and its answer, which shows itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

from roofline.analysis.training.answer import TrainAnswer
from roofline.analysis.training.evaluate import evaluate_training
from roofline.answer.rows import Row
from roofline.api.objects.rows import Derivations, Phases, Records
from roofline.api.objects.summary import Fact
from roofline.api.spoken import Spoken
from roofline.keywords import Training, with_keywords
from roofline.runs.checks import check_single, checked
from roofline.runs.load import GPULike, ModelLike
from roofline.runs.training.ask import train_question
from roofline.runs.training.options import TRAINING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False, eq=False)
class Train(Spoken, TrainAnswer):
    """A training run, which shows itself. `to_dict()` is the JSON of the command line; times and bytes are SI.

    `verdict`: the answer in a sentence; `times`: a step in all readings (floor, bound, expected, low, high); `phases`:
    counts and times of forward, recompute, backward, optimizer, exchange; `step`: stages, bubble, exposed exchanges;
    `memory`: bytes by what they hold on the fullest GPU; `remedies`: what would help where it does not fit; `mfu`,
    `hfu`: shares of the peak; `tokens_per_s`, `samples_per_s`: of all GPUs; `whole`: the run, None where nothing was
    said of its length; `inputs`, `assumptions`, `warnings`, `sources`: as in JSON.
    """

    phases: Phases

    def __post_init__(self) -> None:
        object.__setattr__(self, "phases", Phases(self.phases))

    def explain(self, quantity: str | None = None) -> Derivations:
        """Where each headline number comes from: formula, values, lines of the specs, source.

        `quantity`: one of them (`mfu`, `optimizer_bytes`), or all of a phase or a group (`backward`, `memory`).
        """
        from roofline.analysis.named import named
        from roofline.analysis.training.telling.explain import explain

        found = explain(self)
        return Derivations(found if quantity is None else named(found, quantity))

    def records(self) -> Records:
        """One flat row per phase of a step, and one for the step: what was asked, counts, times, what is held."""
        return Records(map(Row, super().records()))

    @property
    def fits(self) -> bool:
        """Whether the fullest GPU holds its part."""
        return bool(self.memory.fits)

    def _facts(self) -> Iterable[Fact]:
        from roofline.api.objects.facts import facts_of_training

        return facts_of_training(self)

    def plot(self, kind: str = "memory", *, theme: str | None = None) -> Figure:
        """A picture: `memory`, what fills the fullest GPU, or `step`, where the time of a step goes.

        `theme`: light or dark.
        """
        from roofline.report.plots.training.pictures import training_figure

        return training_figure(self, kind, theme=theme)

    def _repr_html_(self) -> str:
        from roofline.report.notebook.answers import training_html

        return training_html(self)


@with_keywords(Training, TRAINING)
def train(model: ModelLike, gpu: GPULike | None = None, **options: Unpack[Training]) -> Train:
    """How fast a model trains, in how much memory, for how long and at which cost.

    `model` and `gpu` are names, files or specs. Raises UsageError, UnknownNameError or SpecError.
    """
    check_single({"model": model, "gpu": gpu, **options})
    known = {name: value for name, value in options.items() if name in TRAINING}
    return evaluate_training(train_question(model, gpu, **(options | checked(known, TRAINING))), Train)
