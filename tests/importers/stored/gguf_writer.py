"""GGUF files as tests need them: a header, and a hole in place of the data."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Mapping
from math import prod
from pathlib import Path
from typing import Any

from roofline.specs.formats.ggml import BY_NAME

Tensors = Iterable[tuple[str, tuple[int, ...], str]]


def text(value: str | bytes) -> bytes:
    raw = value if isinstance(value, bytes) else value.encode()
    return struct.pack("<Q", len(raw)) + raw


def value(item: Any) -> bytes:
    """A value with its kind: text, bool, whole number, number, or a list of one of these."""
    kind, raw = _scalar(item) if not isinstance(item, list) else (9, b"")
    if kind != 9:
        return struct.pack("<I", kind) + raw
    inner = _scalar(item[0])[0] if item else 4
    return struct.pack("<IIQ", 9, inner, len(item)) + b"".join(_scalar(one)[1] for one in item)


def _scalar(item: Any) -> tuple[int, bytes]:
    if isinstance(item, bool):
        return 7, struct.pack("<?", item)
    if isinstance(item, int):
        return 4, struct.pack("<I", item)
    if isinstance(item, float):
        return 6, struct.pack("<f", item)
    return 8, text(item)


def header(values: Mapping[str, Any], tensors: Tensors, version: int = 3) -> tuple[bytes, int]:
    """The bytes of a header, padded, and how many bytes of data follow."""
    listed = list(tensors)
    out = [b"GGUF", struct.pack("<IQQ", version, len(listed), len(values))]
    out += [text(key) + value(item) for key, item in values.items()]
    offset = 0
    for name, shape, kind in listed:
        of = BY_NAME[kind]
        out += [text(name), struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, of.number, offset)]
        offset += -(-(prod(shape) // of.elements * of.size) // 32) * 32
    raw = b"".join(out)
    return raw + b"\0" * (-len(raw) % 32), offset


def write(path: Path, values: Mapping[str, Any], tensors: Tensors) -> Path:
    """Write a file whose data is a hole: it takes no room on the disk."""
    raw, data = header(values, tensors)
    path.write_bytes(raw)
    os.truncate(path, len(raw) + data)
    return path


def stored_bytes(tensors: Tensors) -> int:
    """Bytes of tensors without padding."""
    return sum(prod(shape) // BY_NAME[kind].elements * BY_NAME[kind].size for _, shape, kind in tensors)
