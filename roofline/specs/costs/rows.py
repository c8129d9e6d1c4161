"""Tables of prices and of watts as files: CSV with a header, or YAML as a list of mappings with the same keys."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from roofline.errors import Place, SpecError, did_you_mean
from roofline.specs.costs.dates import last_day
from roofline.specs.files.document import place_at, read_document, read_text

#: Rows of the longest table that is read.
MOST_ROWS: Final = 20_000
_LONGEST: Final = 400


class Row(NamedTuple):
    """One row: its cells as text, by column, and where it stands."""

    cells: Mapping[str, str]
    place: Place

    def text(self, column: str, default: str = "") -> str:
        """A cell; the default where it is empty or there is no such column."""
        return self.cells.get(column) or default

    def fail(self, column: str, message: str, hint: str = "") -> SpecError:
        """What is wrong with a cell of this row."""
        return SpecError(message, self.place, column, hint)

    def number(self, column: str, most: float, least: float = 1e-6) -> float:
        """A number in a range above 0. Raises SpecError for any other."""
        text = self.text(column)
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise self.fail(column, f"{text[:40]!r} must be a number from {least:g} to {most:,.0f}")
        return value

    def word(self, column: str, known: Sequence[str], default: str = "") -> str:
        """One of some words. Raises SpecError with the nearest for any other."""
        text = self.text(column, default)
        if text not in known:
            raise self.fail(column, f"{text[:40]!r} is none of {', '.join(known)}", did_you_mean(text, known))
        return text

    def date(self, column: str) -> str:
        """A date, or nothing. Raises SpecError for what is none."""
        text = self.text(column)
        if text:
            try:
                last_day(text)
            except ValueError as error:
                raise self.fail(column, str(error)) from None
        return text


def read_rows(path: Path, columns: Sequence[str], needed: Sequence[str], what: str) -> list[Row]:
    """The rows of a table. Raises SpecError for an unknown column, one that lacks and for a file that is no table."""
    if path.suffix.lower() in (".yaml", ".yml"):
        return _from_yaml(path, columns, needed, what)
    text = read_text(path, what)
    lines = text.splitlines(keepends=True)
    reader = csv.reader(lines, strict=True)
    rows: list[Row] = []
    header: list[str] | None = None
    try:
        for cells in reader:
            place = Place(str(path), reader.line_num, 1, lines[reader.line_num - 1].rstrip("\r\n"))
            if not any(cell.strip() for cell in cells) or cells[0].startswith("#"):
                continue
            if header is None:
                header = [cell.strip() for cell in cells]
                _check_columns(header, columns, needed, place, what)
            else:
                rows.append(_row(header, cells, place))
                _check_number(len(rows), place, what)
    except csv.Error as error:
        raise SpecError(f"is no CSV: {error}", place_at(str(path), text, reader.line_num, 1)) from None
    if not rows:
        raise SpecError(
            f"has no rows; a {what} has a header with {', '.join(needed)} and a line each", Place(str(path))
        )
    return rows


def _row(header: Sequence[str], cells: Sequence[str], place: Place) -> Row:
    if len(cells) != len(header):
        message = f"{len(cells)} cells under {len(header)} columns"
        raise SpecError(message, place, hint="Quote a cell that holds a comma.")
    return Row({name: _cell(cell, place) for name, cell in zip(header, cells, strict=True)}, place)


def _cell(cell: str, place: Place) -> str:
    if len(cell) > _LONGEST:
        raise SpecError(f"a cell of {len(cell):,} characters; at most {_LONGEST} are read", place)
    return cell.strip()


def _check_columns(header: Sequence[str], known: Sequence[str], needed: Sequence[str], place: Place, what: str) -> None:
    for name in header:
        if name not in known:
            hint = did_you_mean(name, known) or f"There are: {', '.join(known)}."
            raise SpecError(f"no column {name[:40]!r} in a {what}", place, hint=hint)
        if header.count(name) > 1:
            raise SpecError(f"the column {name!r} stands there twice", place)
    missing = [name for name in needed if name not in header]
    if missing:
        raise SpecError(f"a {what} needs the column{'s' * (len(missing) > 1)} {', '.join(missing)}", place)


def _check_number(number: int, place: Place, what: str) -> None:
    if number > MOST_ROWS:
        raise SpecError(f"more than {MOST_ROWS:,} rows; a {what} has at most that many", place)


def _from_yaml(path: Path, columns: Sequence[str], needed: Sequence[str], what: str) -> list[Row]:
    document = read_document(path)
    data: Any = document.data
    if not isinstance(data, list) or not data:
        hint = f"Write each row as a mapping: - {{{needed[0]}: h100-sxm, {needed[-1]}: 2.49}}"
        raise SpecError(f"a {what} is a list of rows", document.place(()), hint=hint)
    rows = []
    for index, entry in enumerate(data):
        place = document.place((index,))
        _check_number(index + 1, place, what)
        if not isinstance(entry, dict):
            raise SpecError("a row is a mapping of columns to values", place)
        _check_columns(list(entry), columns, needed, place, what)
        for name, value in entry.items():
            if isinstance(value, (list, dict, bool)):
                raise SpecError("is one number or text", document.place((index, name)), name)
        cells = {name: _cell("" if value is None else str(value), place) for name, value in entry.items()}
        rows.append(Row(cells, place))
    return rows
