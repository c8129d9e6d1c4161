"""The answer to which models run on a machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeVar

from roofline.analysis.estimate import SCHEMA_VERSION
from roofline.analysis.fit.answer import ANY
from roofline.analysis.fit.machines import machine_of
from roofline.analysis.fit.models_words import verdict_of_models
from roofline.analysis.fit.shelf import GROUPS, Runnable, parts_beside, shelf
from roofline.analysis.fit.trial import Trial, plan_dict
from roofline.analysis.fit.ways import WAYS, Way
from roofline.answer.phase import Warn
from roofline.answer.plain import plain
from roofline.errors import UsageError
from roofline.machine.engine import IDEAL
from roofline.machine.engine_lookup import engine_inputs
from roofline.runs.checks import checked, is_many, one_of
from roofline.runs.load import GPULike
from roofline.runs.names import check_names
from roofline.runs.option import ALL
from roofline.runs.options import OPTIONS
from roofline.runs.telling.notes import alias_notes
from roofline.runs.telling.unverified import unverified_hardware

Form = TypeVar("Form", bound="ModelsOn")
#: Options that say something of one model alone.
_OF_ONE: Final = ("draft", "draft_tokens")
#: Models that a warning names.
_NAMED: Final = 5
_KINDS: Final = {"text": "language models", "encoder": "encoders", "image": "image models"}


@dataclass(frozen=True)
class ModelsOn:
    """Which models of the library run on a machine, and how.

    `models` are all that were looked at, in order: language models, pictures, encoders, parts of pipelines; of each the
    largest first. `asked` are the options that were given, `parts` how many parts of pipelines were not looked at.
    """

    models: tuple[Runnable, ...]
    asked: Mapping[str, Any]
    group: str | None = None
    match: str | None = None
    parts: int = 0

    @property
    def fits(self) -> bool:
        """Whether any runs."""
        return any(model.fits for model in self.models)

    @property
    def first(self) -> Trial:
        """A run on the machine, for what all of them have in common."""
        return next(model.trial for model in self.models if model.trial is not None)

    @cached_property
    def ways(self) -> dict[Way, int]:
        """How many run in which way."""
        return dict(Counter(model.way for model in self.models))

    @cached_property
    def verdict(self) -> str:
        """The answer in sentences."""
        return verdict_of_models(self.models, self.first, "weights" in self.asked)

    @cached_property
    def assumptions(self) -> list[str]:
        """What names were taken for, which options some models were asked without, and what is not among them."""
        return [*alias_notes(self.first.question)[-1:], *self._idle(), *self._beside()]

    def _beside(self) -> Iterator[str]:
        if self.parts:
            are = "parts of pipelines of pictures are" if self.parts > 1 else "part of a pipeline of pictures is"
            yield f"{self.parts} {are} not among them, such as text encoders and denoisers: --kind part"

    def _idle(self) -> Iterator[str]:
        kinds = {model.trial.question.kind.name for model in self.models if model.trial is not None}
        for name in self.asked:
            without = [_KINDS[kind] for kind in ALL if kind in kinds and kind not in OPTIONS[name].kinds]
            if without:
                yield f"{OPTIONS[name].flag} says nothing of {' and '.join(without)}: they are asked without it"

    @cached_property
    def warnings(self) -> list[Warn]:
        """What the user should know before trusting the numbers: values of the machine that were not verified, models
        that were made for fewer tokens than are asked.
        """
        trials = [model.trial for model in self.models if model.trial is not None and model.fits]
        q, formats = self.first.question, {trial.question.precision.matrix_dtype() for trial in trials}
        linked = any(not trial.plan.single or trial.question.spread.away is not None for trial in trials)
        return [*self._short(), *unverified_hardware(q.gpu, q.machine(), formats, linked, q.engine != IDEAL)]

    def _short(self) -> Iterator[Warn]:
        short = [model for model in self.models if model.exceeds]
        if short:
            names = ", ".join(model.model.name for model in short[:_NAMED]) + (" …" if len(short) > _NAMED else "")
            were = "models were" if len(short) > 1 else "model was"
            yield Warn("context-exceeds-maximum", f"{len(short)} {were} made for fewer tokens than are asked: {names}")

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """The machine, and what was asked of every model."""
        q = self.first.question
        placed = {"gpu": q.gpu.name, "gpu_file": q.gpu_origin.path, "gpus": self.first.plan.devices}
        return {**placed, **engine_inputs(q.engine), "kind": self.group, "match": self.match, **self.asked}

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `roofline fit --gpu NAME --json`."""
        first, machine = self.first, machine_of(self.first)
        return {
            "verdict": self.verdict,
            "schema_version": SCHEMA_VERSION,
            "inputs": self.inputs,
            "fits": self.fits,
            "counts": {"models": len(self.models)} | {way.replace(" ", "_"): self.ways.get(way, 0) for way in WAYS},
            "models": [model.to_dict() for model in self.models],
            "machines": [
                {
                    "gpu": machine.gpu.name,
                    "gpus": machine.gpus,
                    "plan": plan_dict(first.plan),
                    "capacity_bytes": plain(machine.gpu.memory.capacity),
                    "usable_bytes": plain(first.memory.usable_bytes),
                    "cost_per_hour": machine.cost_per_hour,
                    "price": machine.price_dict(),
                }
            ],
            "assumptions": self.assumptions,
            "warnings": [warn._asdict() for warn in self.warnings],
            "sources": list(first.question.gpu.sources),
        }

    def records(self) -> Iterator[dict[str, Any]]:
        """One flat row per model, for a data frame."""
        gpu = {"gpu": self.first.question.gpu.name}
        return (gpu | model.record() for model in self.models)


def models_on(
    gpu: GPULike | None,
    options: Mapping[str, Any],
    form: type[Form],
    group: str | None = None,
    match: str | None = None,
) -> Form:
    """Which models run on a machine, as an answer of that form: those of a group, or with a text in their name.

    Raises UsageError, UnknownNameError or SpecError; a model that refuses what is asked is told with its reason.
    """
    for name, value in options.items():
        if is_many(value):
            raise UsageError(f"{name} takes one value here; roofline.sweep takes several")
    check_names(options)
    for name, value in (("kind", group), ("match", match)):
        if value is not None and not isinstance(value, str):
            raise UsageError(f"--{name} must be a word, not {str(value)[:40]!r}")
    if options.get("users") is not None:
        raise UsageError("--users: fit looks at sequences that are held at once, of each replica: --batch N")
    if group is not None:
        one_of("kind", group, GROUPS)
    if gpu is None and options.get("node") is None:
        raise UsageError("no model and no GPU given: --model NAME asks whether it fits, --gpu NAME which models do")
    if isinstance(gpu, str) and gpu.lower() == ANY:
        raise UsageError("--gpu any goes with --model NAME; name one GPU to see which models it runs")
    known = checked(options)
    asked = {name: value for name, value in known.items() if name in OPTIONS and OPTIONS[name].is_given(value)}
    _check_asked(asked, group)
    where = {"spec_dir": known["spec_dir"]} if known.get("spec_dir") else {}
    models = tuple(shelf(gpu, {**asked, **where}, group, match or None))
    return form(models, asked, group, match or None, parts_beside(where, match or None) if group is None else 0)


def _check_asked(asked: Mapping[str, Any], group: str | None) -> None:
    """Raises UsageError for an option that only one model, or another kind of model, has a use for."""
    for name in asked:
        flag, kinds = OPTIONS[name].flag, OPTIONS[name].kinds
        if name in _OF_ONE:
            raise UsageError(f"{flag} goes with one model: name it with --model")
        own = "image" if group == "part" else group
        if own is not None and own not in kinds:
            raise UsageError(f"{flag} goes with {' and '.join(_KINDS[kind] for kind in kinds)}, and --kind is {group}")
