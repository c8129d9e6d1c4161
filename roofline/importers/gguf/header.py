"""The header of a GGUF file: what it says about the model, and its tensors without their data.

Nothing that the file claims is believed: counts, lengths, shapes and offsets are checked against the size of the file
before memory is taken, texts of the tokenizer are stepped over, and the weights are never read. Source: the
specification of GGUF, versions 2 and 3 (ggml-org/ggml, docs/gguf.md). The library `gguf` is not used to read files,
since it maps the file and believes it; a test holds the table of types to it.
"""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any, Final, NamedTuple

from roofline.errors import Place, SpecError
from roofline.importers.gguf.cursor import Cursor
from roofline.importers.stored.words import AGAIN, FETCH, IS_POINTER, POINTER, shown
from roofline.specs.files.paths import is_file, is_folder
from roofline.specs.formats.ggml import TENSOR_TYPES, TensorType

MAGIC: Final = b"GGUF"
_OLD: Final = (b"lmgg", b"fmgg", b"tjgg", b"algg", b"ggml", b"ggjt", b"ggmf", b"GGML", b"GGJT")
_MOST_KEYS: Final = 65_536
_MOST_TENSORS: Final = 200_000
_MOST_TEXTS: Final = 2_000_000
_MOST_KEPT: Final = 4_096
_LONGEST_TEXT: Final = 65_536
_LONGEST_KEY: Final = 1_024
_MOST_ELEMENTS: Final = 10**15
#: Kinds of values by number: struct's form and bytes; 8 is text, 9 a list.
_SCALARS: Final = {
    0: ("B", 1),
    1: ("b", 1),
    2: ("H", 2),
    3: ("h", 2),
    4: ("I", 4),
    5: ("i", 4),
    6: ("f", 4),
    7: ("?", 1),
    10: ("Q", 8),
    11: ("q", 8),
    12: ("d", 8),
}
_TEXT, _LIST = 8, 9


class Tensor(NamedTuple):
    """A tensor of the file: its name, shape (fastest axis first), type, and bytes."""

    name: str
    shape: tuple[int, ...]
    type: TensorType
    offset: int

    @property
    def elements(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """Bytes of data, without padding."""
        return self.elements // self.type.elements * self.type.size


class Listed(NamedTuple):
    """A list whose items are not kept: how many there are."""

    length: int


class Header(NamedTuple):
    """A file's keys and values and its tensors; `path` as it is shown in errors."""

    path: str
    values: dict[str, Any]
    tensors: tuple[Tensor, ...]


def read_header(path: Path) -> Header:
    """Read the header of a GGUF file. Raises SpecError for anything that is not one, and for claims it cannot hold."""
    try:
        if is_folder(path):
            raise SpecError("is a folder; give one .gguf file of it", Place(str(path)))
        if not is_file(path):
            raise SpecError("no such file", Place(str(path)))
        with path.open("rb", buffering=0) as file:
            return _header(Cursor(file, path.stat().st_size, str(path)))
    except OSError as error:
        raise SpecError(f"cannot be read: {error.strerror or error}", Place(str(path))) from None


def _header(cursor: Cursor) -> Header:
    _check_magic(cursor)
    tensor_count, key_count = cursor.number("Q", "the number of tensors"), cursor.number("Q", "the number of keys")
    if tensor_count > _MOST_TENSORS or key_count > _MOST_KEYS:
        message = (
            f"claims {tensor_count:,} tensors and {key_count:,} keys; at most {_MOST_TENSORS:,} and {_MOST_KEYS:,}"
        )
        raise cursor.refuse(f"{message} are read", hint=AGAIN)
    cursor.need(tensor_count * 25 + key_count * 13, "what it claims to hold")
    values: dict[str, Any] = {}
    for _ in range(key_count):
        key = _name(cursor, "a key", _LONGEST_KEY)
        if key in values:
            raise cursor.refuse("stands twice", key)
        values[key] = _value(cursor, key, cursor.number("I", shown(key)))
    alignment = _alignment(cursor, values)
    tensors = tuple(_tensor(cursor, alignment) for _ in range(tensor_count))
    _check_data(cursor, tensors, -(-cursor.position // alignment) * alignment)
    return Header(cursor.path, values, tensors)


def _check_magic(cursor: Cursor) -> None:
    start = cursor.peek(24)
    if start.startswith(POINTER):
        raise cursor.refuse(IS_POINTER, hint=FETCH)
    if start[:4] in _OLD:
        raise cursor.refuse("is a GGML file from before GGUF", hint="Convert it with llama.cpp.")
    if start[:4] != MAGIC:
        raise cursor.refuse("is not a GGUF file: it does not begin with GGUF")
    if len(start) < 24:
        raise cursor.refuse(f"is truncated: {cursor.size} bytes hold no header", hint=AGAIN)
    little, big = struct.unpack("<I", start[4:8])[0], struct.unpack(">I", start[4:8])[0]
    if little not in (2, 3):
        which = f"is big-endian (version {big})" if big in (2, 3) else f"has version {little} of the format"
        raise cursor.refuse(f"{which}; versions 2 and 3, little-endian, are understood")
    cursor.skip(8, "its version")


def _name(cursor: Cursor, what: str, longest: int) -> str:
    length = cursor.number("Q", f"the length of {what}")
    if not 0 < length <= longest:
        raise cursor.refuse(f"has {what} of {length:,} bytes; 1 to {longest:,} are understood", hint=AGAIN)
    raw = cursor.take(length, what)
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise cursor.refuse(f"has {what} that is not UTF-8 text: {shown(repr(raw))}", hint=AGAIN) from None
    if not name.isprintable():
        raise cursor.refuse(f"has {what} with control characters: {shown(name)}", hint=AGAIN)
    return name


def _value(cursor: Cursor, key: str, kind: int) -> Any:
    if kind in _SCALARS:
        form, size = _SCALARS[kind]
        return struct.unpack(f"<{form}", cursor.take(size, shown(key)))[0]
    if kind == _TEXT:
        return _text(cursor, key)
    if kind == _LIST:
        return _list(cursor, key)
    raise cursor.refuse(f"has a value of kind {kind}, which GGUF does not know", key, AGAIN)


def _text(cursor: Cursor, key: str) -> str:
    length = cursor.number("Q", shown(key))
    cursor.need(length, shown(key))
    if length > _LONGEST_TEXT:
        cursor.skip(length, shown(key))
        return ""
    return cursor.take(length, shown(key)).decode("utf-8", "replace")


def _list(cursor: Cursor, key: str) -> list[Any] | Listed:
    """A list of numbers as it is, unless it is long; of texts, which are the tokenizer's, only the length."""
    kind, count = cursor.number("I", shown(key)), cursor.number("Q", shown(key))
    if kind == _TEXT:
        if count > _MOST_TEXTS:
            raise cursor.refuse(f"claims {count:,} texts; at most {_MOST_TEXTS:,} are read", key, AGAIN)
        cursor.need(count * 8, shown(key))
        cursor.skip_texts(count, shown(key))
        return Listed(count)
    if kind not in _SCALARS:
        raise cursor.refuse(f"is a list of kind {kind}, which is not understood", key, AGAIN)
    form, size = _SCALARS[kind]
    cursor.need(count * size, shown(key))
    if count > _MOST_KEPT:
        cursor.skip(count * size, shown(key))
        return Listed(count)
    return list(struct.unpack(f"<{count}{form}", cursor.take(count * size, shown(key))))


def _alignment(cursor: Cursor, values: dict[str, Any]) -> int:
    value = values.get("general.alignment", 32)
    if isinstance(value, bool) or not isinstance(value, int) or value not in (1 << power for power in range(3, 21)):
        raise cursor.refuse(f"{shown(str(value))} is no power of two from 8 to 2^20", "general.alignment", AGAIN)
    return value


def _tensor(cursor: Cursor, alignment: int) -> Tensor:
    name = _name(cursor, "a tensor's name", 256)
    axes = cursor.number("I", shown(name))
    if not 1 <= axes <= 4:
        raise cursor.refuse(f"has {axes:,} axes; 1 to 4 are understood", name, AGAIN)
    shape = struct.unpack(f"<{axes}Q", cursor.take(8 * axes, shown(name)))
    number, offset = cursor.number("I", shown(name)), cursor.number("Q", shown(name))
    kind = TENSOR_TYPES.get(number)
    if kind is None:
        raise cursor.refuse(f"has type {number}, which is not known", name, "It may be newer than this program.")
    if not all(shape) or math.prod(shape) > _MOST_ELEMENTS:
        raise cursor.refuse(f"has the shape {' x '.join(map(str, shape))}, which cannot be", name, AGAIN)
    if shape[0] % kind.elements:
        message = f"has rows of {shape[0]:,} elements, no whole blocks of {kind.elements} ({kind.name})"
        raise cursor.refuse(message, name, AGAIN)
    if offset % alignment:
        raise cursor.refuse(f"begins at byte {offset:,}, no multiple of {alignment}", name, AGAIN)
    return Tensor(name, shape, kind, offset)


def _check_data(cursor: Cursor, tensors: tuple[Tensor, ...], start: int) -> None:
    """Refuse names that stand twice, tensors that overlap, and tensors that reach beyond the file."""
    names: set[str] = set()
    end = 0
    for tensor in sorted(tensors, key=lambda tensor: tensor.offset):
        if tensor.name in names:
            raise cursor.refuse("stands twice", tensor.name, AGAIN)
        names.add(tensor.name)
        if tensor.offset < end:
            raise cursor.refuse("overlaps the tensor before it", tensor.name, AGAIN)
        end = tensor.offset + tensor.bytes
    if tensors and start + end > cursor.size:
        message = f"is truncated: its tensors take {start + end:,} bytes with the header, the file has {cursor.size:,}"
        raise cursor.refuse(message, hint=AGAIN)
