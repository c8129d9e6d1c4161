"""A model in several files, `NAME-00001-of-00003.gguf` …: their headers as one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from roofline.errors import Place, SpecError
from roofline.importers.gguf.header import Header, read_header

_PART: Final = re.compile(r"(.*)-(\d{5})-of-(\d{5})\.gguf", re.IGNORECASE)
_MOST_PARTS: Final = 1_000


def read_whole(path: Path) -> Header:
    """The header of a model, of all its parts where it has several. Raises SpecError where a part is missing."""
    match = _PART.fullmatch(path.name)
    header = read_header(path)
    claimed = header.values.get("split.count", 1)
    if match is None or int(match[3]) < 2:
        if isinstance(claimed, int) and claimed > 1:
            message = f"is one of {claimed} parts, but its name does not say which"
            raise SpecError(message, Place(str(path)), "split.count", "Name the parts NAME-00001-of-00003.gguf ….")
        return header
    return _joined(path, header, _parts(path, match))


def _parts(path: Path, match: re.Match[str]) -> list[Path]:
    count = int(match[3])
    if count > _MOST_PARTS or not 1 <= int(match[2]) <= count:
        raise SpecError(f"is part {int(match[2])} of {count:,}, which cannot be", Place(str(path)))
    parts = [path.with_name(f"{match[1]}-{index:05d}-of-{count:05d}.gguf") for index in range(1, count + 1)]
    missing = [part.name for part in parts if not part.is_file()]
    if missing:
        shown = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
        hint = "All parts of a model are needed to know its bytes; only their headers are read."
        raise SpecError(f"is one of {count} parts; beside it there is no {shown}", Place(str(path)), hint=hint)
    return parts


def _joined(path: Path, header: Header, parts: list[Path]) -> Header:
    headers = [header if part.name == path.name else read_header(part) for part in parts]
    for index, (part, one) in enumerate(zip(parts, headers, strict=True)):
        if one.values.get("split.no", index) != index or one.values.get("split.count", len(parts)) != len(parts):
            raise SpecError("is not the part that its name says", Place(str(part)), "split.no")
    tensors = [tensor for one in headers for tensor in one.tensors]
    names = {tensor.name for tensor in tensors}
    claimed = headers[0].values.get("split.tensors.count", len(tensors))
    if len(names) < len(tensors) or claimed != len(tensors):
        message = f"its {len(parts)} parts hold {len(names):,} tensors of {claimed:,}"
        raise SpecError(message, Place(str(parts[0])), "split.tensors.count", "Are they parts of one model?")
    return Header(str(parts[0]), headers[0].values, tuple(tensors))
