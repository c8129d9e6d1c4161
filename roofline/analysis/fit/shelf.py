"""Every model of the library, and how it can be run on one machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from roofline.analysis.catalogue.index import stored
from roofline.analysis.catalogue.rows import ModelRow
from roofline.analysis.evaluate import evaluate
from roofline.analysis.fit.trial import Case, Trial, plan_dict
from roofline.analysis.fit.ways import ELSEWHERE, MISSES, REFUSED, WHOLE, Way, mildest
from roofline.answer.plain import plain
from roofline.answer.quantity import Quantity
from roofline.errors import RooflineError, UnknownNameError, UsageError, nearest
from roofline.runs.kind import Outcome
from roofline.runs.load import GPULike, locate_model
from roofline.runs.options import OPTIONS
from roofline.runs.registry import kind_of
from roofline.specs.files.library import files
from roofline.workload.plan import Plan

#: What models are grouped by: kinds of run, and parts of pipelines, which nobody runs alone.
PART: Final = "part"
GROUPS: Final = ("text", "image", "encoder", PART)
#: The limits that are told of each model.
_LIMITS: Final = ("max_context", "max_side_px")
#: What the catalogue calls the models of kinds that run as a whole.
_CALLED: Final = ("language", "image")


@dataclass(frozen=True)
class Runnable:
    """A model on a machine: in which way it runs there, or why it does not.

    `trial` is that run, or the one that comes nearest; None where the model refuses what is asked, as `refusal` says.
    """

    model: ModelRow
    group: str
    way: Way
    trial: Trial | None
    refusal: str = ""

    @property
    def fits(self) -> bool:
        """Whether it runs."""
        return self.trial is not None and self.trial.fits

    @property
    def parameters(self) -> float:
        """How many it has."""
        return self.model.parameters or 0.0

    @property
    def missing(self) -> float:
        """Bytes by which it misses, on the device or with the host; below zero: what is left."""
        return max(self.trial.missing, self.trial.host_missing) if self.trial is not None else 0.0

    @property
    def exceeds(self) -> bool:
        """Whether it runs, but was made for fewer tokens than are asked."""
        most = self.model.max_context
        if most is None or self.trial is None or not self.fits:
            return False
        run = self.trial.question.run
        return float(run.prompt + run.generate) > most

    @property
    def order(self) -> tuple[Any, ...]:
        """By group; in it what is whole on the device, then what is partly elsewhere, the largest first; what does not
        fit by what it misses; what is refused.
        """
        place = 0 if self.way in WHOLE else 1 + (ELSEWHERE, MISSES, REFUSED).index(self.way)
        size = self.missing if self.way == MISSES else -self.parameters
        return GROUPS.index(self.group), place, size, self.model.name

    @cached_property
    def pace(self) -> Quantity | None:
        """How fast it runs, as its kind of run tells it; None where it does not run."""
        if self.trial is None or not self.fits:
            return None
        return self.trial.question.kind.pace(evaluate(self.trial.question, Outcome))

    @cached_property
    def limits(self) -> dict[str, int | None]:
        """How long a context and how large a picture there is room for, by memory alone: found when it is asked for,
        since each takes some trials; None without meaning.
        """
        known = self.trial.memory.limits if self.trial is not None and self.fits else ()
        return dict.fromkeys(_LIMITS) | {limit.name: limit.told for limit in known if limit.name in _LIMITS}

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        trial, pace = self.trial, self.pace
        held = trial.held() if trial is not None else dict.fromkeys(("total_bytes", "usable_bytes"))
        return {
            "model": self.model.name,
            "title": self.model.title,
            "kind": self.group,
            "parameters": plain(self.model.parameters),
            "fits": self.fits,
            "way": self.way,
            "change": trial.words if trial is not None else None,
            "options": dict(trial.options) if trial is not None else {},
            "weights": trial.question.precision.label if trial is not None else None,
            "gpus": trial.plan.devices if trial is not None else None,
            "plan": plan_dict(trial.plan if trial is not None else Plan()),
            **{name: value for name, value in held.items() if name != "fits"},
            "missing_bytes": plain(max(0.0, self.missing)) if trial is not None else None,
            "limits": self.limits,
            "max_context_of_model": self.model.max_context,
            "exceeds_context_of_model": self.exceeds,
            "pace": pace_dict(pace),
            "refusal": self.refusal or None,
        }

    def record(self) -> dict[str, Any]:
        """As a flat row."""
        found = self.to_dict()
        pace = {f"pace_{name}": value for name, value in found.pop("pace").items()}
        options = {"options": " ".join(_flags(found.pop("options")))}
        plan, limits = found.pop("plan"), found.pop("limits")
        return {**found, **options, **plan, **limits, **pace}


def _flags(options: Mapping[str, Any]) -> Iterator[str]:
    """Options as they are given on the command line."""
    for name, value in options.items():
        yield OPTIONS[name].flag if value is True else f"{OPTIONS[name].flag} {value}"


def pace_dict(pace: Quantity | None) -> dict[str, Any]:
    """A pace as JSON: which quantity, and its readings."""
    names = ("floor", "bound", "expected", "low", "high")
    if pace is None or pace.times is None:
        return dict.fromkeys(("quantity", *names))
    return {"quantity": pace.name, **pace.times.to_dict()}


def shelf(gpu: GPULike | None, options: Mapping[str, Any], group: str | None, match: str | None) -> list[Runnable]:
    """Every model of the library on a machine, in order: of a group, or whose name, alias or title holds a text.

    Raises UnknownNameError for a name that there is not, and UsageError where there is no such model, or none of them
    takes what is asked.
    """
    found: list[Runnable] = []
    refusals: list[RooflineError] = []
    entries = [entry for entry in _entries(options.get("spec_dir")) if _is_meant(entry, match)]
    if not entries:
        names = [name for name, _, row in _entries(options.get("spec_dir")) for name in (name, *row.aliases)]
        close = nearest(str(match), names)
        hint = f" Nearest: {', '.join(close)}." if close else ""
        raise UsageError(f"--match {str(match)[:60]}: no model has that in its name.{hint}")
    for _, path, row in entries:
        if _group(row, group) != (group or _group(row, group)) or (group is None and row.kind not in (*_CALLED, "")):
            continue
        try:
            made = _runnable(Case(path, gpu, options, {}), row, group)
        except UnknownNameError:
            raise
        except RooflineError as error:
            refusals.append(error)
            made = Runnable(row, _group(row, group), REFUSED, None, str(error))
        if made is not None:
            found.append(made)
    if not found:
        raise UsageError(f"--kind {group}: no model of that kind" + (f" has {match!r} in its name" if match else ""))
    if len(refusals) == len(found):
        raise refusals[0]
    return sorted(found, key=lambda each: each.order)


def parts_beside(options: Mapping[str, Any], match: str | None) -> int:
    """How many parts of pipelines there are among the models that are meant, which nobody runs alone."""
    entries = [entry for entry in _entries(options.get("spec_dir")) if _is_meant(entry, match)]
    return sum(_group(row, None) == PART for _, _, row in entries)


def _entries(spec_dir: str | None) -> Iterator[tuple[str, Path, ModelRow]]:
    """Name, file and row of each model; of a file that cannot be read its name alone: it is refused where it runs."""
    known = stored("models")
    for name, path in files("models", spec_dir).items():
        values = known(path)
        yield name, path, ModelRow(*values) if values is not None else _row(name, path)


def _row(name: str, path: Path) -> ModelRow:
    from roofline.analysis.catalogue.computed import model_row

    try:
        return model_row(path)
    except RooflineError:
        return ModelRow(name, name, (), "", None, None, None)


def _is_meant(entry: tuple[str, Path, ModelRow], match: str | None) -> bool:
    name, _, row = entry
    return not match or match.lower() in "\n".join((name, *row.aliases, row.title)).lower()


def _group(row: ModelRow, group: str | None) -> str:
    """The group of a model by its row; where the row leaves two, that which is asked for: whether a language model
    generates its file tells, and a file that cannot be read may hold anything.
    """
    if row.kind == "image":
        return "image"
    if not row.kind:
        return group or GROUPS[0]
    if row.kind not in _CALLED:
        return PART
    return group if group in ("text", "encoder") else "text"


def _runnable(case: Case, row: ModelRow, group: str | None) -> Runnable | None:
    """A model in the mildest way that fits; None where it is of another group."""
    spec = locate_model(case.model, case.options.get("spec_dir"))[0]
    kind = kind_of(spec)
    own = kind.name if row.kind in _CALLED else PART
    if group not in (None, own):
        return None
    taken = {name: v for name, v in case.options.items() if name not in OPTIONS or kind.name in OPTIONS[name].kinds}
    run = mildest(case._replace(model=spec, options=taken))
    if not run.trial.plan.single:
        evaluate(run.trial.question, Outcome)  # raises where there are no links for it
    return Runnable(row, own, run.way, run.trial)
