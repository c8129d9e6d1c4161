"""A model in several files, `NAME-00001-of-00003.gguf` …: their headers as one."""

from __future__ import annotations

from pathlib import Path

from roofline.errors import Place, SpecError
from roofline.importers.gguf.header import Header, read_header
from roofline.importers.stored.parts import all_parts, part_of


def read_whole(path: Path) -> Header:
    """The header of a model, of all its parts where it has several. Raises SpecError where a part is missing."""
    part = part_of(path.name)
    header = read_header(path)
    claimed = header.values.get("split.count", 1)
    if part is None or part.total < 2:
        if isinstance(claimed, int) and claimed > 1:
            message = f"is one of {claimed} parts, but its name does not say which"
            raise SpecError(message, Place(str(path)), "split.count", "Name the parts NAME-00001-of-00003.gguf ….")
        return header
    return _joined(path, header, all_parts(path, part))


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
