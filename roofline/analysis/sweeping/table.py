"""The columns of a grid in memory, filled part by part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


class Table:
    """Columns of one shape, filled part by part; parts that a column does not have are not a number.

    Columns that are the same in every part, as what is expected without an engine and its bound, are one array.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self.columns: dict[str, np.ndarray] = {}
        self.twins: dict[str, str] = {}
        self.parts = 0

    def put(self, where: tuple[int | slice, ...], values: Mapping[str, Any]) -> None:
        """Fill a part of every column."""
        for name, value in values.items():
            if not self._is_there(name, values):
                self.columns[name][where] = float("nan") if value is None else value
        for name in self.columns.keys() - values.keys():
            self._set_apart(name)
            self.columns[name][where] = float("nan")
        self.parts += 1

    def blank(self, where: tuple[int | slice, ...]) -> None:
        """A part that cannot be: not a number, and it does not fit."""
        for column in self.columns.values():
            column[where] = False if column.dtype.kind == "b" else float("nan")
        self.parts += 1

    def _is_there(self, name: str, values: Mapping[str, Any]) -> bool:
        """Whether another column holds these values for this one; makes a column that there was not."""
        if name not in self.columns:
            self._start(name, values)
        if name in self.twins and values.get(self.twins[name]) is not values[name]:
            self._set_apart(name)
        return name in self.twins

    def _start(self, name: str, values: Mapping[str, Any]) -> None:
        """A new column; what parts before this one would have had is not a number."""
        import numpy as np

        value = values[name]
        if not self.parts and isinstance(value, np.ndarray):
            for other, column in self.columns.items():
                if values[other] is value and other not in self.twins:
                    self.columns[name], self.twins[name] = column, other
                    return
        kind = np.bool_ if name == "fits" else np.float64
        nothing = False if kind is np.bool_ else np.nan
        self.columns[name] = np.full(self.shape, nothing, kind) if self.parts else np.empty(self.shape, kind)

    def _set_apart(self, name: str) -> None:
        """Give a column an array of its own."""
        if self.twins.pop(name, None) is not None:
            self.columns[name] = self.columns[name].copy()

    def finished(self) -> dict[str, np.ndarray]:
        """The columns, which are not written to any more."""
        for column in self.columns.values():
            column.flags.writeable = False
        return self.columns
