"""A CSV of runs as text: which column each cell is of, and what is wrong with the file, by line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Final, NamedTuple

from roofline.errors import UsageError
from roofline.specs.files.paths import exists, is_file, is_folder

#: Columns without which a row says nothing.
NEEDED: Final = ("model", "gpu", "engine", "batch", "metric", "value")
#: Columns that change what is computed.
_READ: Final = (
    *NEEDED,
    *("prompt", "generate", "weights", "activations", "kv_cache", "chunk"),
    *("gpus", "tensor_parallel", "pipeline_parallel", "expert_parallel"),
    *("height", "width", "steps", "fusion"),
    *("source", "unit", "apart"),
)
#: Columns for people.
_NOTES: Final = ("id", "source_url", "locator", "confidence", "engine_as_published", "gpu_as_published")
#: Other names of columns, which do as well.
_SAME: Final = {
    "input_len": "prompt",
    "output_len": "generate",
    "tp": "tensor_parallel",
    "pp": "pipeline_parallel",
    "ep": "expert_parallel",
    "devices": "gpus",
    "ubatch": "chunk",
    "n_ubatch": "chunk",
    "max_num_batched_tokens": "chunk",
}
#: Names that others give to columns: too likely to be meant to be passed over, too unsure to be taken.
_LIKE: Final = {
    "gpus": ("num_gpus", "n_gpus", "gpu_count", "num_devices"),
    "tensor_parallel": ("tp_size",),
    "pipeline_parallel": ("pp_size",),
    "expert_parallel": ("ep_size", "moe_ep_size"),
    "batch": ("batch_size", "bs", "concurrency"),
    "prompt": ("isl", "input", "input_tokens", "context", "prefill"),
    "generate": ("osl", "output", "output_tokens", "max_tokens"),
    "weights": ("dtype", "precision", "quantization", "format"),
    "kv_cache": ("kv_dtype",),
    "engine": ("framework",),
    "gpu": ("device", "hardware"),
    "value": ("result",),
}
_MEANT: Final = {name: column for column, names in _LIKE.items() for name in names}
_DELIMITERS: Final = {";": "semicolons", "\t": "tabs", "|": "bars"}
_MOST_BYTES: Final = 64_000_000
#: Letters that a mistyped name shares with the one that was meant.
_ALIKE: Final = 0.75


class Row(NamedTuple):
    """The cells of a line by column, and what the file calls each column."""

    path: Path
    line: int
    cells: dict[str, str]
    names: dict[str, str]

    def text(self, column: str) -> str:
        """A cell without blanks around it; empty where there is none."""
        return self.cells.get(column, "")

    def wrong(self, column: str, what: str) -> UsageError:
        """The error of a cell, with file, line and the column as the file names it."""
        return UsageError(f"{self.path}, line {self.line}: {self.names.get(column, column)} {what}")


class Table(NamedTuple):
    """The rows of a file, and its columns that nothing was made of."""

    rows: list[Row]
    ignored: tuple[str, ...]


def shown(text: str) -> str:
    """A cell in a message: quoted, and no longer than a line holds."""
    return repr(text if len(text) <= 40 else text[:37] + "...")


def read_table(path: Path) -> Table:
    """The rows of a CSV in UTF-8. Raises UsageError, with the line, for what cannot be read as one."""
    lines = read_lines(path)
    if not lines:
        raise UsageError(f"{path}: is empty; its first line names the columns: {', '.join(NEEDED)} …")
    first, header = lines[0]
    names, ignored = _columns(path, first, header)
    places = [(place, names[name]) for place, name in enumerate(header) if name in names]
    called = {column: name for name, column in names.items()}
    rows = []
    for line, cells in lines[1:]:
        if len(cells) > len(header) or not all(header):
            _refuse_stray(path, line, cells, header)
        rows.append(Row(path, line, {column: cells[place] for place, column in places if place < len(cells)}, called))
    if not rows:
        raise UsageError(f"{path}: no rows below the line that names the columns")
    return Table(rows, ignored)


def read_lines(path: Path) -> list[tuple[int, list[str]]]:
    """The lines of a CSV in UTF-8 that hold something, with their numbers, cells without blanks around them.

    Raises UsageError, with the line, for what cannot be read as one.
    """
    return list(_lines(path, _text(path)))


def _refuse_stray(path: Path, line: int, cells: Sequence[str], header: Sequence[str]) -> None:
    for place, cell in enumerate(cells):
        if cell and (place >= len(header) or not header[place]):
            told = f"cell {place + 1} ({shown(cell)}) is under no column; quote a cell that holds a comma"
            raise UsageError(f"{path}, line {line}: {told}")


def _text(path: Path) -> str:
    try:
        if is_folder(path):
            raise UsageError(f"{path}: is a folder; give a CSV file")
        if exists(path) and not is_file(path):
            raise UsageError(f"{path}: is no regular file; give a CSV file")
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from None
    if len(raw) > _MOST_BYTES:
        raise UsageError(f"{path}: is larger than {_MOST_BYTES:,} bytes; a file of runs is a small CSV")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UsageError(f"{path}: is UTF-16; save it as CSV in UTF-8")
    if b"\0" in raw or raw.startswith(b"PK\x03\x04"):
        raise UsageError(f"{path}: is a binary file; save a workbook as CSV in UTF-8")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        told = f"byte 0x{raw[error.start]:02x} is not UTF-8; save the file as CSV in UTF-8"
        raise UsageError(f"{path}, line {line}: {told}") from None


def _lines(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """Each line that holds something: its number, and its cells without blanks around them."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, skipinitialspace=True)
    line = 1
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                yield line, stripped
            line = reader.line_num + 1
    except csv.Error as error:
        raise UsageError(f"{path}, line {line}: is not CSV ({error})") from None


def _columns(path: Path, line: int, header: Sequence[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """The column that each name of the header stands for, and the names that stand for none."""
    _refuse_delimiter(path, line, header)
    found: dict[str, str] = {}
    others: list[str] = []
    for name in header:
        plain = plain_name(name)
        column = _SAME.get(plain, plain)
        if column not in (*_READ, *_NOTES):
            others += [name] if name else []
            continue
        first = next((each for each, known in found.items() if known == column), None)
        if first is not None:
            twice = f"column {first} twice" if first == name else f"columns {first} and {name}, which are the same"
            raise UsageError(f"{path}, line {line}: {twice}; keep one")
        found[name] = column
    for name in others:
        meant = _meant(plain_name(name))
        if meant is not None and meant not in found.values():
            told = f"no column is called {shown(name)}; {meant!r} may be meant: rename it, or remove the column"
            raise UsageError(f"{path}, line {line}: {told}")
    missing = [column for column in NEEDED if column not in found.values()]
    if missing:
        there = ", ".join(name[:40] for name in header[:24])
        raise UsageError(f"{path}, line {line}: no column {', '.join(missing)}; there are: {there}")
    return found, tuple(dict.fromkeys(others))


def _refuse_delimiter(path: Path, line: int, header: Sequence[str]) -> None:
    whole = ",".join(header)
    for mark, name in _DELIMITERS.items():
        cells = {plain_name(cell) for cell in whole.split(mark)}
        if len(cells & {*_READ, *_SAME}) > 1 and (len(header) == 1 or mark in header[0]):
            told = f"cells are separated by {name}; separate them by commas, and write decimals with a point"
            raise UsageError(f"{path}, line {line}: {told}")


def plain_name(name: str) -> str:
    """A column's name in lower case, with `_` between its words."""
    return name.strip().casefold().replace("-", "_").replace(" ", "_")


def _meant(name: str) -> str | None:
    """The column that a name which is none seems to mean."""
    if name in _MEANT:
        return _MEANT[name]
    known = {column: column for column in _READ} | _SAME
    for column in sorted(known, key=len, reverse=True):
        if len(column) > 3 and name.startswith(f"{column}_"):
            return known[column]
    bare = {column.replace("_", ""): meant for column, meant in known.items() if len(column) > 2}
    close = get_close_matches(name.replace("_", ""), bare, 1, _ALIKE)
    return bare[close[0]] if close else None
