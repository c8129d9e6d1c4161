"""The answer to which of several runs is the best."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any, Final, TypeVar

from roofline.analysis.comparing.figures import compared, cost_per_hour, ratio_of, value_of
from roofline.analysis.comparing.runs import Run, evaluated, varied
from roofline.analysis.comparing.settings import about
from roofline.analysis.comparing.side_by_side import Est, SideBySide
from roofline.analysis.comparing.words import assumptions, verdict
from roofline.analysis.estimate import SCHEMA_VERSION, Answer
from roofline.answer.phase import Warn, unfit_engines
from roofline.answer.plain import plain
from roofline.answer.rows import Row
from roofline.answer.times import READINGS, column
from roofline.errors import UnsupportedError, UsageError
from roofline.runs.load import ModelLike, locate_model
from roofline.runs.registry import kind_of

Form = TypeVar("Form", bound="Comparing[Any]")
#: Said by the verdict and by each row.
_TOLD: Final = ("does-not-fit", "host-memory")


class Comparing(SideBySide[Est]):
    """Runs side by side, and what follows in words; as JSON, and as rows."""

    @cached_property
    def verdict(self) -> str:
        """The answer in sentences."""
        return " ".join([*unfit_engines(self.warnings), verdict(self)])

    @cached_property
    def assumptions(self) -> list[str]:
        """How the ratios are counted."""
        return assumptions(self)

    @cached_property
    def warnings(self) -> list[Warn]:
        """What the user should know, with the runs that it is about where it is not about all."""
        told = [(row, row.answer.warnings) for row in self.rows if row.answer is not None]
        found: dict[Warn, list[Run[Est]]] = {}
        for row, warnings in told:
            for warn in warnings:
                if warn.code not in _TOLD:
                    found.setdefault(warn, []).append(row)
        return [
            warn if len(rows) == len(told) else Warn(warn.code, f"{warn.text} ({about(self, rows)})")
            for warn, rows in found.items()
        ]

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `roofline compare --json`."""
        winners = self.winners.items()
        return {
            "verdict": self.verdict,
            "schema_version": SCHEMA_VERSION,
            "varied": list(self.varied),
            "quantities": [each._asdict() for each in self.quantities],
            "first": self.first.index,
            "rows": [self._row(row) for row in self.rows],
            "winners": {name: best and best.row for name, best in winners},
            "too_close": {name: list(best.too_close) if best else [] for name, best in winners},
            "assumptions": self.assumptions,
            "warnings": [warn._asdict() for warn in self.warnings],
        }

    def _row(self, row: Run[Est]) -> dict[str, Any]:
        """A run: inputs, memory, quantities in their readings, and its ratios to the first."""
        found: dict[str, Any] = {"label": row.label, "varied": _plain(row.varied), "refusal": row.refusal or None}
        if row.answer is None:
            return found | {"fits": False}
        found |= {**row.answer.inputs, **row.answer.memory.held_dict(), "cost_per_hour": cost_per_hour(row.answer)}
        ratios = {}
        for each in self.quantities:
            times = value_of(row.answer, each.name)
            if each.group:
                found[each.name] = None if times is None else times.to_dict()
            ratio = ratio_of(row.answer, self.first.answer, each.name)
            ratios[each.name] = ratio and ratio.to_dict()
        return found | {"ratio": ratios}

    def records(self) -> Iterator[dict[str, Any]]:
        """One flat row per run, for a data frame: `<quantity>` is what is expected, `<quantity>_low` … its other
        readings, `<quantity>_ratio`, `_ratio_low` and `_ratio_high` that to the first run.
        """
        rows = [self._record(row) for row in self.rows]
        names = list(dict.fromkeys(name for row in rows for name in row))
        for row in rows:
            yield Row((name, row.get(name)) for name in names)

    def _record(self, row: Run[Est]) -> dict[str, Any]:
        found: dict[str, Any] = {"label": row.label, **_plain(row.varied)}
        if row.answer is not None:
            found |= {**row.answer.inputs, **row.answer.memory.held_dict(), "cost_per_hour": cost_per_hour(row.answer)}
        found |= {"fits": row.fits, "refusal": row.refusal or None}
        for each in self.quantities:
            times, ratio = value_of(row.answer, each.name), ratio_of(row.answer, self.first.answer, each.name)
            best = self.winners[each.name]
            if each.group:
                readings = dict.fromkeys(READINGS) if times is None else times.to_dict()
                found |= {column(each.name, reading): readings[reading] for reading in READINGS}
            for end in ("", "_low", "_high"):
                found[f"{each.name}_ratio{end}"] = ratio and getattr(ratio, end.strip("_") or "expected")
            found[f"{each.name}_best"] = best is not None and best.row == row.index
        return found


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as JSON has them: of a spec its name."""
    return {
        name: plain(value)
        if value is None or isinstance(value, (bool, int, float))
        else str(getattr(value, "name", value))
        for name, value in values.items()
    }


def compare(model: Any, gpu: Any, options: Mapping[str, Any], form: type[Form], of: type[Answer]) -> Form:
    """Every combination of the values given, as a comparison of that form over answers of the form `of`.

    Raises UsageError, UnknownNameError or SpecError: where nothing varies, for more than 100 runs, where every run is
    refused, and for models that have no sizes in common.
    """
    plan = varied(model, gpu, options)
    _check_kinds(plan.lists.get("model", ()), plan.fixed.get("spec_dir"))
    rows = evaluated(plan, of)
    return form(rows, tuple(plan.lists), compared(rows))


def _check_kinds(models: Sequence[ModelLike], spec_dir: str | None) -> None:
    """Raises UsageError for kinds of run that have no size in common beside the batch: a token is no picture."""
    specs: list[Any] = []
    for model in models:
        with suppress(UnsupportedError):  # the reason stands beside the runs of that model
            specs.append(locate_model(model, spec_dir, tags=True)[0])
    kinds = [kind_of(spec) for spec in specs]
    for spec, kind in zip(specs[1:], kinds[1:], strict=True):
        if kind != kinds[0] and not set(kind.sizes) & set(kinds[0].sizes) - {"batch"}:
            what = f"{specs[0].name} is {kinds[0].noun}, {spec.name} is {kind.noun}"
            raise UsageError(f"{what}: they have nothing in common but memory; compare models of one kind")
