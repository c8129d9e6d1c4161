"""The header of a safetensors file: its tensors without their data.

8 bytes of length, JSON of that length, data. Nothing that the file claims is believed: the length is checked against
the file before it is read, offsets must follow each other without gap or overlap and end where the file ends. Source:
huggingface/safetensors, README ("Format").
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

from roofline.errors import Place, SpecError
from roofline.importers.stored.words import AGAIN, FETCH, IS_POINTER, POINTER, shown
from roofline.specs.files.paths import is_file

#: Longer headers are refused; the largest released ones take some 2 MB.
MAX_HEADER: Final = 20_000_000
#: Bits of an element, by the name of its type.
BITS: Final = {
    **dict.fromkeys(("F64", "I64", "U64", "C64"), 64),
    **dict.fromkeys(("F32", "I32", "U32"), 32),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 16),
    **dict.fromkeys(("F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "I8", "U8", "BOOL"), 8),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
    "F4": 4,
}


class Tensor(NamedTuple):
    """A tensor of a file: name, type, shape and bytes."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    bytes: int

    @property
    def elements(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


def is_pointer(path: Path) -> bool:
    """Whether a file is a Git LFS pointer, which stands for one that was not fetched."""
    try:
        with path.open("rb") as file:
            return file.read(len(POINTER)) == POINTER
    except OSError:
        return False


def read_header(path: Path) -> list[Tensor]:
    """The tensors of a safetensors file. Raises SpecError for what is not one, and for claims that it cannot hold."""
    try:
        if not is_file(path):
            raise SpecError("no such file", Place(str(path)))
        with path.open("rb") as file:
            size = path.stat().st_size
            raw = _json_of(file, size, str(path))
            return _tensors(raw, size - 8 - len(raw), str(path))
    except OSError as error:
        raise SpecError(f"cannot be read: {error.strerror or error}", Place(str(path))) from None


def _refuse(path: str, message: str, field: str = "", hint: str = AGAIN) -> SpecError:
    return SpecError(message, Place(path), shown(field) if field else "", hint)


def _json_of(file: BinaryIO, size: int, path: str) -> bytes:
    start = file.read(8)
    if start and POINTER.startswith(start):
        raise _refuse(path, IS_POINTER, hint=FETCH)
    length = int.from_bytes(start, "little")
    if len(start) < 8 or size < 10:
        raise _refuse(path, f"is truncated: {size} bytes hold no header")
    if length > size - 8:
        raise _refuse(path, f"is truncated or no safetensors file: its header claims {length:,} of {size:,} bytes")
    if length > MAX_HEADER:
        raise _refuse(path, f"has a header of {length:,} bytes; at most {MAX_HEADER:,} are read", hint="")
    raw = file.read(length)
    if len(raw) < length:
        raise _refuse(path, "ends in the middle of its header")
    if not raw.startswith(b"{"):
        raise _refuse(path, "is no safetensors file: its header is not JSON")
    return raw


def _tensors(raw: bytes, data: int, path: str) -> list[Tensor]:
    if raw.count(b"[") + raw.count(b"{") > 3 * raw.count(b'"data_offsets"') + 16:
        raise _refuse(path, "has a header that is no list of tensors")
    try:
        header = json.loads(raw.decode("utf-8"), object_pairs_hook=lambda pairs: _mapping(pairs, path))
    except (ValueError, RecursionError) as error:
        raise _refuse(path, f"has a header that is not valid JSON: {shown(str(error), 80)}") from None
    if not isinstance(header, dict):
        raise _refuse(path, "has a header that is no mapping")
    header.pop("__metadata__", None)
    found = [(_span(path, name, info), _tensor(path, name, info)) for name, info in header.items()]
    end = 0
    for (begin, after), tensor in sorted(found, key=lambda one: one[0]):
        if begin != end:
            what = "overlaps the tensor before it" if begin < end else f"leaves {begin - end:,} bytes before it unused"
            raise _refuse(path, what, tensor.name)
        if after - begin != tensor.bytes:
            message = f"takes {tensor.bytes:,} bytes by its shape, its offsets say {after - begin:,}"
            raise _refuse(path, message, tensor.name)
        end = after
    if end != data:
        message = f"is truncated or damaged: its tensors take {end:,} bytes, {data:,} follow the header"
        raise _refuse(path, message)
    return [tensor for _, tensor in found]


def _mapping(pairs: list[tuple[str, Any]], path: str) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _refuse(path, "stands twice", twice)
    return mapping


def _span(path: str, name: str, info: Any) -> tuple[int, int]:
    offsets = info.get("data_offsets") if isinstance(info, dict) else None
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(_is_whole(one) for one in offsets):
        raise _refuse(path, "has no data_offsets of two whole numbers", name)
    return offsets[0], offsets[1]


def _tensor(path: str, name: str, info: Any) -> Tensor:
    dtype, shape = info.get("dtype"), info.get("shape")
    if not name or len(name) > 512 or not name.isprintable():
        raise _refuse(path, "is no name of a tensor", name or "''")
    if not isinstance(dtype, str) or dtype not in BITS:
        hint = f"Known: {', '.join(BITS)}."
        raise _refuse(path, f"has the type {shown(str(dtype), 20)!r}, which is not known", name, hint)
    if not isinstance(shape, list) or len(shape) > 16 or not all(_is_whole(extent) for extent in shape):
        raise _refuse(path, "has no shape of whole numbers", name)
    bits = math.prod(shape) * BITS[dtype]
    if bits > 10**16 or bits % 8:
        raise _refuse(path, f"has the shape {shown(str(shape))}, which cannot be", name)
    return Tensor(name, dtype, tuple(shape), bits // 8)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63
