"""Whether a run fits, which models a machine runs, which machines run a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Unpack, overload

from roofline.analysis.fit.answer import Fitting
from roofline.analysis.fit.answer import fit as find_fit
from roofline.analysis.fit.gpus import GPUsFor
from roofline.analysis.fit.gpus import gpus_for as find_gpus
from roofline.analysis.fit.models import ModelsOn, models_on
from roofline.api.spoken import Spoken
from roofline.errors import UsageError
from roofline.keywords import Options, with_keywords
from roofline.runs.checks import check_single
from roofline.runs.load import GPULike, ModelLike


@dataclass(frozen=True, repr=False)
class Fit(Spoken, Fitting):
    """Whether a run fits, which shows itself. `to_dict()` is the JSON of the command line; bytes are SI.

    `fits`, `verdict`: the answer, in a word and in sentences; `answer`: the run as asked, as `roofline.estimate` has
    it; `limits`: largest batch, context, requests at once and side of a picture, None without meaning; `fewest`: the
    run on the fewest GPUs that hold it; `remedies`: what would help; `machines`: the accelerators looked at.
    """

    def _repr_html_(self) -> str:
        from roofline.report.notebook.answers import fit_html

        return fit_html(self)


@dataclass(frozen=True, repr=False)
class FittingModels(Spoken, ModelsOn):
    """Which models a machine runs, which shows itself. `to_dict()` is the JSON of the command line; bytes are SI.

    `fits`, `verdict`: the answer, in a word and in sentences; `models`: every model that was looked at, with the way in
    which it runs, its `trial`, its `pace` and its `limits`; `ways`: how many run in which way.
    """

    def _repr_html_(self) -> str:
        from roofline.report.notebook.answers import models_html

        return models_html(self)


@overload
def fit(model: ModelLike, gpu: GPULike | None = None, **options: Unpack[Options]) -> Fit: ...
@overload
def fit(
    model: None = None,
    gpu: GPULike | None = None,
    *,
    kind: str | None = None,
    match: str | None = None,
    **options: Unpack[Options],
) -> FittingModels: ...
@with_keywords(Options)
def fit(
    model: ModelLike | None = None,
    gpu: GPULike | None = None,
    *,
    kind: str | None = None,
    match: str | None = None,
    **options: Unpack[Options],
) -> Fit | FittingModels:
    """Whether a run fits in memory, with how much room, on how few GPUs, and what would help.

    `model` and `gpu` are names, files or specs; with `gpu="any"` every accelerator of the library is looked at. Without
    a model: which models of the library run on that GPU; `kind` (text, image, encoder or part) and `match`, a text in
    their names, choose among them. Raises UsageError, UnknownNameError or SpecError.
    """
    check_single({"model": model, "gpu": gpu, **options})
    if model is None:
        return models_on(gpu, options, FittingModels, kind, match)
    if kind is not None or match is not None:
        raise UsageError("--kind and --match choose among all models, and --model names one")
    return find_fit(model, gpu, options, Fit)


@dataclass(frozen=True, repr=False)
class FittingGPUs(Spoken, GPUsFor):
    """Which accelerators run a model, which shows itself. `to_dict()` is the JSON of the command line; bytes are SI.

    `fits`, `verdict`: the answer, in a word and in sentences; `offers`: every accelerator of the library with its
    `machine` (on how many, what it needs, at which price), its `pace` and what a dollar of rent makes, `per_dollar`.
    """

    def _repr_html_(self) -> str:
        from roofline.report.notebook.answers import gpus_html

        return gpus_html(self)


@with_keywords(Options)
def gpus_for(model: ModelLike, *, sort: str = "value", **options: Unpack[Options]) -> FittingGPUs:
    """Which accelerators of the library run a model, on how many of each, how fast, and how much for the money.

    `sort`: value, speed, price, memory or name. The fewest of each that hold it are taken, within a node, unless a plan
    is asked for. Raises UsageError, UnknownNameError or SpecError.
    """
    check_single({"model": model, **options})
    return find_gpus(model, options, FittingGPUs, sort)
