"""Rows that an answer gives, which show themselves as a table and turn into data frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from io import StringIO
from typing import TYPE_CHECKING, Any, Protocol, SupportsIndex, overload

from roofline.answer.derivation import Derivation
from roofline.answer.names import unknown
from roofline.answer.phase import OpRow, PhaseEstimate
from roofline.answer.rows import Row, to_pandas, to_polars

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

    from roofline.analysis.estimate import Answer
    from roofline.analysis.recommend.plan import Plan

#: Cells of a line of text.
_WIDE = 100
#: Derivations that are read at once.
_FEW = 6


class Recorded(Protocol):
    """What has rows."""

    def records(self) -> Iterable[Mapping[str, Any]]:
        """The rows, each by its columns, as JSON has them."""


class Frames:
    """What turns into data frames: `records()` are its rows."""

    __slots__ = ()

    def to_pandas(self: Recorded) -> pd.DataFrame:
        """A pandas data frame (extra `data`), one row for each."""
        return to_pandas(self.records())

    def to_polars(self: Recorded) -> pl.DataFrame:
        """A polars data frame (extra `polars`), one row for each."""
        return to_polars(self.records())


class Records(Frames, list[dict[str, Any]]):
    """Flat rows of an answer."""

    def records(self) -> list[dict[str, Any]]:
        """The rows themselves."""
        return list(self)

    def _repr_html_(self) -> str:
        from roofline.report.notebook.answers import rows_html

        return rows_html("Rows", self)


class Ops(Frames, list[OpRow]):
    """The ledger of one phase or several: a row for each op."""

    def __init__(self, rows: Iterable[OpRow], answer: Answer) -> None:
        super().__init__(rows)
        self.answer = answer

    def records(self) -> list[Row]:
        """A row for each op."""
        return [Row(op.to_dict()) for op in self]

    def _repr_html_(self) -> str:
        from roofline.report.notebook.answers import ops_html

        return ops_html(self.answer, self)


class Phases(Frames, tuple[PhaseEstimate, ...]):
    """The phases of a run in their order; `phases["decode"]` is the one of that name."""

    __slots__ = ()

    @overload
    def __getitem__(self, key: str | SupportsIndex, /) -> PhaseEstimate: ...
    @overload
    def __getitem__(self, key: slice, /) -> tuple[PhaseEstimate, ...]: ...
    def __getitem__(self, key: Any, /) -> Any:
        """A phase by its place or by its name. Raises UsageError for a name that there is not."""
        if not isinstance(key, str):
            return super().__getitem__(key)
        for phase in self:
            if phase.name == key:
                return phase
        raise unknown("phase", key, (phase.name for phase in self))

    def records(self) -> list[Row]:
        """A row for each phase: counts and times of one repeat."""
        return [Row(phase.to_dict()) for phase in self]

    def _repr_html_(self) -> str:
        from roofline.report.notebook.answers import rows_html

        return rows_html("Phases: counts and times of one repeat of each", self.records())


class Plans(Frames, tuple["Plan", ...]):
    """The plans of a recommendation; `told` gives their rows."""

    told: Callable[[], Iterable[Mapping[str, Any]]]

    @classmethod
    def of(cls, plans: Iterable[Plan], told: Callable[[], Iterable[Mapping[str, Any]]]) -> Plans:
        """These plans, whose rows that gives."""
        found = cls(plans)
        found.told = told
        return found

    def records(self) -> list[Row]:
        """A row for each plan."""
        return list(map(Row, self.told()))

    def _repr_html_(self) -> str:
        from roofline.report.notebook.answers import rows_html

        return rows_html("Plans", self.records())


class Derivations(Frames, list[Derivation]):
    """Where numbers come from: each with its formula, values, source. It reads as the text of `roofline explain`."""

    def records(self) -> Iterator[Row]:
        """A row for each number, without its terms and lines."""
        for each in self:
            yield Row({name: value for name, value in each.to_dict().items() if name not in ("terms", "lines")})

    def to_dict(self) -> list[dict[str, Any]]:
        """As JSON."""
        return [each.to_dict() for each in self]

    def __str__(self) -> str:
        from roofline.report.tables.console import Console
        from roofline.report.tables.explanation import print_derivation

        text = StringIO()
        for each in self:
            print_derivation(each, Console(text, _WIDE))
        return text.getvalue().rstrip()

    def __repr__(self) -> str:
        if len(self) <= _FEW:
            return str(self)
        return f"{len(self)} derivations, which print() shows: {', '.join(each.quantity for each in self)}"

    def _repr_html_(self) -> str:
        from roofline.report.notebook.answers import derivations_html

        return derivations_html(self)
