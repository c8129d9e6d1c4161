"""A model in several files, `NAME-00001-of-00003.gguf` or `.safetensors`: the names of all from the name of one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from roofline.errors import Place, SpecError
from roofline.specs.files.paths import is_file

#: More files are not read as one model.
MOST_PARTS: Final = 2_000
_PART: Final = re.compile(r"(.*)-(\d{5})-of-(\d{5})(\.gguf|\.safetensors)", re.IGNORECASE | re.DOTALL)


class Part(NamedTuple):
    """One of `total` files, the first of which is number 1."""

    stem: str
    number: int
    total: int
    ending: str

    def names(self) -> list[str]:
        """The names of all parts, at most `MOST_PARTS`."""
        last = min(self.total, MOST_PARTS)
        return [f"{self.stem}-{number:05d}-of-{self.total:05d}{self.ending}" for number in range(1, last + 1)]


def part_of(name: str) -> Part | None:
    """What a file's name says about its part; None where it says none."""
    match = _PART.fullmatch(name)
    return Part(match[1], int(match[2]), int(match[3]), match[4]) if match else None


def all_parts(path: Path, part: Part) -> list[Path]:
    """The files of all parts. Raises SpecError for numbers that cannot be, and where a part is missing."""
    if part.total > MOST_PARTS or not 1 <= part.number <= part.total:
        raise SpecError(f"is part {part.number} of {part.total:,}, which cannot be", Place(str(path)))
    return all_there(path, part.names())


def all_there(path: Path, names: Sequence[str]) -> list[Path]:
    """The files of these names beside `path`. Raises SpecError where one is missing."""
    missing = [name for name in names if not is_file(path.with_name(name))]
    if missing:
        listed = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
        hint = "All files of a model are needed to know its bytes; only their headers are read."
        raise SpecError(f"is one of {len(names)} files; beside it there is no {listed}", Place(str(path)), hint=hint)
    return [path.with_name(name) for name in names]
