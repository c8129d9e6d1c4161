"""The answer to which of several runs is the best."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Generic, NamedTuple, TypeVar

from roofline.analysis.comparing.figures import Compared, Ratio, compared, cost_per_hour, ratio_of, value_of
from roofline.analysis.comparing.runs import Run, evaluated, varied
from roofline.analysis.comparing.words import assumptions, verdict
from roofline.analysis.estimate import SCHEMA_VERSION, Answer
from roofline.answer.phase import Warn
from roofline.answer.plain import plain
from roofline.answer.times import READINGS, column
from roofline.errors import UsageError, nearest

Form = TypeVar("Form", bound="Comparing[Any]")
Est = TypeVar("Est", bound=Answer)
#: Said by the verdict and by each row.
_TOLD: Final = ("does-not-fit", "host-memory")


class Best(NamedTuple):
    """The run with the best expected value of a quantity of those that fit, and those that it cannot be told from."""

    row: int
    too_close: tuple[int, ...]

    @property
    def clear(self) -> bool:
        """Whether it is better than every other run beyond doubt: their ratios' intervals do not hold 1."""
        return not self.too_close


@dataclass(frozen=True)
class Comparing(Generic[Est]):
    """Runs side by side.

    `rows` are the runs in the order of the values given, the last option the quickest; `varied` the options that tell
    them apart; `quantities` what all of them can be compared by.
    """

    rows: tuple[Run[Est], ...]
    varied: tuple[str, ...]
    quantities: tuple[Compared, ...]

    @cached_property
    def verdict(self) -> str:
        """The answer in sentences."""
        return verdict(self)

    @property
    def fits(self) -> bool:
        """Whether any of the runs fits."""
        return any(row.fits for row in self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def quantity(self, name: str) -> Compared:
        """The quantity of that name. Raises UsageError naming those that there are."""
        for each in self.quantities:
            if each.name == name:
                return each
        names = [each.name for each in self.quantities]
        meant = nearest(str(name), names, 1)
        hint = f"did you mean {meant[0]}?" if meant else f"there are: {', '.join(names)}"
        raise UsageError(f"no quantity {str(name)[:40]!r} is compared; {hint}")

    def ratio(self, i: int, j: int, quantity: str) -> Ratio | None:
        """A quantity of row `i` over that of row `j`, with its 80 % interval; None where either has no value.

        Raises UsageError for a quantity or a row that there is not.
        """
        name = self.quantity(quantity).name
        for index in (i, j):
            if not -len(self.rows) <= index < len(self.rows):
                raise UsageError(f"no row {index}; there are {len(self.rows)}, from 0 on")
        return ratio_of(self.rows[i].answer, self.rows[j].answer, name)

    @cached_property
    def winners(self) -> Mapping[str, Best | None]:
        """The best run by each quantity; None where no run fits, and where all that do have the same."""
        return {each.name: self._best(each) for each in self.quantities}

    def _best(self, quantity: Compared) -> Best | None:
        order = self.order(quantity)
        if not order:
            return None
        first, *rest = order
        ratios = {row: self.ratio(row, first, quantity.name) for row in rest}
        if rest and all(ratio is not None and ratio.expected == 1.0 for ratio in ratios.values()):
            return None
        close = (row for row, ratio in ratios.items() if ratio is not None and ratio.too_close)
        return Best(first, tuple(sorted(close)))

    def order(self, quantity: Compared) -> list[int]:
        """The runs that fit and have a value, the best first."""
        values = {row.index: value_of(row.answer, quantity.name) for row in self.rows if row.fits}
        known = {index: float(times.expected) for index, times in values.items() if times is not None}
        return sorted(known, key=lambda index: (known[index] if quantity.better == "low" else -known[index], index))

    @cached_property
    def main(self) -> Compared:
        """The quantity by which runs are judged first: of batches of different sizes the rate, else the time."""
        answers = [row.answer for row in self.rows if row.answer is not None]
        several = {float(a.question.run.batch) * a.question.spread.plan.dp for a in answers}
        curve = answers[0].question.kind.curves["throughput" if len(several) > 1 else "latency"]
        named = {each.name: each for each in self.quantities}
        return named.get(curve) or named.get("total_s") or self.quantities[0]

    @cached_property
    def assumptions(self) -> list[str]:
        """How the ratios are counted."""
        return assumptions(self)

    @cached_property
    def warnings(self) -> list[Warn]:
        """What the user should know, with the runs that it is about where it is not about all."""
        told = [(row.label, row.answer.warnings) for row in self.rows if row.answer is not None]
        found: dict[Warn, list[str]] = {}
        for label, warnings in told:
            for warn in warnings:
                if warn.code not in _TOLD:
                    found.setdefault(warn, []).append(label)
        return [
            warn if len(labels) == len(told) else Warn(warn.code, f"{warn.text} ({_some(labels)})")
            for warn, labels in found.items()
        ]

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `roofline compare --json`."""
        winners = self.winners.items()
        return {
            "verdict": self.verdict,
            "schema_version": SCHEMA_VERSION,
            "varied": list(self.varied),
            "quantities": [each._asdict() for each in self.quantities],
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
            ratio = ratio_of(row.answer, self.rows[0].answer, each.name)
            ratios[each.name] = ratio and ratio.to_dict()
        return found | {"ratio": ratios}

    def records(self) -> Iterator[dict[str, Any]]:
        """One flat row per run, for a data frame: `<quantity>` is what is expected, `<quantity>_low` … its other
        readings, `<quantity>_ratio`, `_ratio_low` and `_ratio_high` that to the first run.
        """
        rows = [self._record(row) for row in self.rows]
        names = list(dict.fromkeys(name for row in rows for name in row))
        for row in rows:
            yield {name: row.get(name) for name in names}

    def _record(self, row: Run[Est]) -> dict[str, Any]:
        found: dict[str, Any] = {"label": row.label, **_plain(row.varied)}
        if row.answer is not None:
            found |= {**row.answer.inputs, **row.answer.memory.held_dict(), "cost_per_hour": cost_per_hour(row.answer)}
        found |= {"fits": row.fits, "refusal": row.refusal or None}
        for each in self.quantities:
            times, ratio = value_of(row.answer, each.name), ratio_of(row.answer, self.rows[0].answer, each.name)
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


def _some(labels: Sequence[str]) -> str:
    shown = "; ".join(labels[:3])
    return shown if len(labels) <= 3 else f"{shown}; {len(labels) - 3} more"


def compare(model: Any, gpu: Any, options: Mapping[str, Any], form: type[Form], of: type[Est]) -> Form:
    """Every combination of the values given, as a comparison of that form over answers of the form `of`.

    Raises UsageError, UnknownNameError or SpecError: where nothing varies, for more than 100 runs, where every run is
    refused, and for models that have no sizes in common.
    """
    plan = varied(model, gpu, options)
    rows = evaluated(plan, of)
    _check_kinds([row.answer for row in rows if row.answer is not None])
    return form(rows, tuple(plan.lists), compared(rows))


def _check_kinds(answers: Sequence[Answer]) -> None:
    """Raises UsageError for kinds of run that have no size in common beside the batch: a token is no picture."""
    first = answers[0].question
    for answer in answers[1:]:
        q = answer.question
        if q.kind != first.kind and not set(q.kind.sizes) & set(first.kind.sizes) - {"batch"}:
            what = f"{first.spec.name} is {first.kind.noun}, {q.spec.name} is {q.kind.noun}"
            raise UsageError(f"{what}: what they do has nothing in common but memory; compare models of one kind")
