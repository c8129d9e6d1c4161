"""The index: what a listing tells of the bundled files, so that it need not read 300 of them.

`python -m roofline.analysis.catalogue.index` writes it, `--check` says whether it is what the files say. A row counts
only while every file that it rests on is the one that it was computed from.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias
from zlib import crc32

from roofline.analysis.catalogue.rows import MIXED_IN
from roofline.specs.files.engines import TRAINERS
from roofline.specs.files.library import bundled

INDEX: Final = Path(__file__).with_name("index.json")
#: The shelf on which a list of the index has its files, where it is called otherwise.
_SHELVES: Final[dict[str, Any]] = {"mixes": "models"}
Values: TypeAlias = tuple[Any, ...]


def stored(listing: str) -> Callable[[Path], Values | None]:
    """What the index tells of a file; nothing of a file that is not bundled, or that has changed since."""
    folder, entries = str(_folder(listing)), _entries().get(listing, {})

    def values(path: Path) -> Values | None:
        name = path.name
        entry = entries.get(name[: -len(path.suffix)]) if str(path.parent) == folder else None
        if entry is None or any(_checksum(folder, each) != known for each, known in entry["files"].items()):
            return None
        return tuple(tuple(value) if isinstance(value, list) else value for value in entry["row"])

    return values


def _folder(listing: str) -> Path:
    return TRAINERS if listing == "trainers" else bundled(_SHELVES.get(listing, listing))


@cache
def _entries() -> dict[str, Any]:
    try:
        entries: dict[str, Any] = json.loads(INDEX.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return entries


def _checksum(folder: str, name: str) -> int:
    """A checksum of a file's text, whatever its line ends; -1 where there is none."""
    try:
        with open(os.path.join(folder, name), "rb") as file:  # noqa: PTH118, PTH123
            return crc32(file.read().replace(b"\r\n", b"\n"))
    except OSError:
        return -1


def text() -> str:
    """The index as the bundled files have it: a line per file."""
    from roofline.analysis.catalogue.computed import ROWS

    lists = [_list(listing, _lines(listing)) for listing in (*ROWS, "mixes")]
    return "{\n" + ",\n".join(lists) + "\n}\n"


def _list(listing: str, lines: Iterator[str]) -> str:
    return f'"{listing}": {{\n' + ",\n".join(lines) + "\n}"


def _lines(listing: str) -> Iterator[str]:
    from roofline.analysis.catalogue.computed import ROWS, mean_bits, part_files
    from roofline.specs.formats.dtypes import DTYPES

    folder = _folder(listing)
    if listing == "mixes":
        path = folder / f"{MIXED_IN}.yaml"
        yield _line(path, [], [(dtype.name, mean_bits(dtype.name, path)) for dtype in DTYPES.values() if dtype.mix])
        return
    for path in sorted(folder.glob("*.yaml")):
        yield _line(path, part_files(path) if listing == "models" else [], ROWS[listing](path))


def _line(path: Path, parts: list[Path], row: Any) -> str:
    sums = {each.name: _checksum(str(each.parent), each.name) for each in (path, *parts)}
    return f'"{path.stem}": ' + json.dumps({"files": sums, "row": row}, ensure_ascii=False)


def main(arguments: list[str]) -> int:
    """Write the index, and what suits each chip, or say whether they are what the files say."""
    from roofline.machine.chips import library

    differs = 0
    for file, new in ((INDEX, text()), (library.LIBRARY, library.text())):
        if "--check" not in arguments:
            file.write_text(new, encoding="utf-8")
            continue
        same = file.is_file() and file.read_text(encoding="utf-8") == new
        sys.stdout.write(f"{file}: {'up to date' if same else 'differs from the files'}\n")
        differs += not same
    return 1 if differs else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
