"""Rows as programs read them, and as data frames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final

from roofline.answer.names import unknown
from roofline.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

#: Words in the names of columns whose values are measured: they stay floats where they happen to be whole.
_MEASURED: Final = frozenset(
    (
        *("s", "per", "bytes", "flops", "tflops", "kernels", "params", "parameters", "count", "repeat", "context"),
        *("intensity", "ratio", "floor", "bound", "expected", "low", "high", "mfu", "mbu", "hfu", "share", "headroom"),
        *("cost", "hour", "energy", "joules", "watts", "price"),
    )
)


class Row(dict[str, Any]):
    """A row by its columns; one that it has not is answered with what may be meant."""

    what: ClassVar[str] = "column"

    def __missing__(self, name: str) -> Any:
        raise unknown(self.what, name, self)


class Named(Row):
    """Values by name."""

    what: ClassVar[str] = "name"


def to_pandas(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows as a pandas data frame. Raises UsageError where pandas is not there."""
    try:
        import pandas
    except ModuleNotFoundError:
        raise lacking("pandas", "data") from None
    return pandas.DataFrame(columns_of(rows))


def to_polars(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows as a polars data frame. Raises UsageError where polars is not there."""
    try:
        import polars
    except ModuleNotFoundError:
        raise lacking("polars", "polars") from None
    return polars.DataFrame(columns_of(rows), strict=False)


def lacking(library: str, extra: str) -> UsageError:
    """That a library is not installed, and how it comes."""
    return UsageError(f"{library} is not installed: pip install 'roofline[{extra}]'")


def columns_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Columns in order of appearance, each as long as there are rows.

    Numbers that are measured or counted by the run are floats, whatever their values are, so that frames of several
    answers have the same types; what was asked stays whole.
    """
    table = list(rows)
    names = list(dict.fromkeys(name for row in table for name in row))
    return {name: _column(name, [row.get(name) for row in table]) for name in names}


def _column(name: str, values: list[Any]) -> list[Any]:
    if not _MEASURED.isdisjoint(name.split("_")) or any(type(value) is float for value in values):
        return [float(value) if type(value) is int else value for value in values]
    return values
