"""Runs side by side: ratios between them, and the best of them by each quantity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Generic, NamedTuple, TypeVar

from roofline.analysis.comparing.figures import Compared, Ratio, ratio_of, value_of
from roofline.analysis.comparing.runs import Run
from roofline.analysis.estimate import Answer
from roofline.answer.names import unknown
from roofline.answer.rows import Named
from roofline.errors import UsageError

Est = TypeVar("Est", bound=Answer)
#: What is judged first of users of a service.
_SERVED: Final = "served_tpot_s"


class Best(NamedTuple):
    """The run with the best expected value of a quantity of those that fit, and those that it cannot be told from.

    `alike`: these have the same value for certain, as runs that hold the same in memory; there is nothing to call.
    """

    row: int
    too_close: tuple[int, ...]
    alike: bool = False

    @property
    def clear(self) -> bool:
        """Whether it is better than every other run beyond doubt: their ratios' intervals do not hold 1."""
        return not self.too_close


@dataclass(frozen=True)
class SideBySide(Generic[Est]):
    """Runs side by side.

    `rows` are the runs in the order of the values given, the last option the quickest; `varied` the options that tell
    them apart; `quantities` what all of them can be compared by.
    """

    rows: tuple[Run[Est], ...]
    varied: tuple[str, ...]
    quantities: tuple[Compared, ...]

    @property
    def fits(self) -> bool:
        """Whether any of the runs fits."""
        return any(row.fits for row in self.rows)

    @cached_property
    def first(self) -> Run[Est]:
        """The run that ratios are to: the first that was not refused."""
        return next(row for row in self.rows if row.answer is not None)

    def __len__(self) -> int:
        return len(self.rows)

    def quantity(self, name: str) -> Compared:
        """The quantity of that name. Raises UsageError naming those that there are."""
        for each in self.quantities:
            if each.name == name:
                return each
        raise unknown("compared quantity", name, (each.name for each in self.quantities))

    def ratio(self, i: int, j: int, quantity: str) -> Ratio | None:
        """A quantity of row `i` over that of row `j`, with its 80 % interval; None where either has no value.

        Raises UsageError for a quantity or a row that there is not.
        """
        name = self.quantity(quantity).name
        for index in (i, j):
            if not isinstance(index, int) or not -len(self.rows) <= index < len(self.rows):
                raise UsageError(f"no row {index}; there are {len(self.rows)}, from 0 on")
        return ratio_of(self.rows[i].answer, self.rows[j].answer, name)

    @cached_property
    def winners(self) -> Mapping[str, Best | None]:
        """The best run by each quantity; None where no run fits, and where all that do have the same."""
        return Named((each.name, self._best(each)) for each in self.quantities)

    @property
    def pairs(self) -> Iterator[tuple[Answer, Answer]]:
        """The pairs of runs whose ratios are told: each and the first, and each that can be the best and the best."""
        bests = dict.fromkeys(best.row for best in self.winners.values() if best is not None)
        told = [(self.first, row) for row in self.rows if row is not self.first]
        told += [(self.rows[best], row) for best in bests for row in self.candidates if row.index != best]
        for one, other in told:
            if one.answer is not None and other.answer is not None:
                yield one.answer, other.answer

    def _best(self, quantity: Compared) -> Best | None:
        order = self.order(quantity)
        if not order:
            return None
        first, *rest = order
        ratios = {row: self.ratio(row, first, quantity.name) for row in rest}
        if rest and all(ratio is not None and ratio.expected == 1.0 for ratio in ratios.values()):
            return None
        close = {row: ratio for row, ratio in ratios.items() if ratio is not None and ratio.too_close}
        alike = bool(close) and all(ratio.low == ratio.high for ratio in close.values())
        return Best(first, tuple(sorted(close)), alike)

    @cached_property
    def candidates(self) -> tuple[Run[Est], ...]:
        """The runs that can be the best: those that fit, but for bare bounds where others are what is expected."""
        fitting = tuple(row for row in self.rows if row.fits)
        expected = tuple(row for row in fitting if not row.ideal)
        return expected or fitting

    def order(self, quantity: Compared) -> list[int]:
        """The candidates that have a value, the best first."""
        values = {row.index: value_of(row.answer, quantity.name) for row in self.candidates}
        known = {index: float(times.expected) for index, times in values.items() if times is not None}
        return sorted(known, key=lambda index: (known[index] if quantity.better == "low" else -known[index], index))

    @cached_property
    def main(self) -> Compared:
        """The quantity by which runs are judged first: of batches of different sizes the rate, else the time.

        Where some runs have none, as those that write nothing have no time per token, it is one that all have.
        """
        answers = [row.answer for row in self.rows if row.answer is not None]
        several = {float(a.question.run.batch) * a.question.spread.plan.dp for a in answers}
        curve = answers[0].question.kind.curves["throughput" if len(several) > 1 else "latency"]
        named = {each.name: each for each in self.quantities}
        wanted = [named[name] for name in (_SERVED, curve, "total_s") if name in named] + list(self.quantities)
        return next(each for each in wanted if all(value_of(a, each.name) is not None for a in answers))
