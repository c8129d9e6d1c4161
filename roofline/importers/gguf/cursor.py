"""A file read forward in pieces: what it claims is checked against what it has before anything is taken."""

from __future__ import annotations

import struct
from typing import BinaryIO, Final

from roofline.errors import Place, SpecError
from roofline.importers.stored.words import AGAIN, shown

_PIECE: Final = 1 << 18
_LENGTH: Final = struct.Struct("<Q")
#: No header is longer: the largest vocabularies with their merges take some 20 MB.
MAX_HEADER: Final = 256 << 20


class Cursor:
    """A position in a file of `size` bytes; `what` says in errors which file it is."""

    def __init__(self, file: BinaryIO, size: int, path: str) -> None:
        self.file, self.size, self.path = file, size, path
        self._start, self._at, self._piece = 0, 0, b""

    @property
    def position(self) -> int:
        """Bytes from the start of the file."""
        return self._start + self._at

    def refuse(self, message: str, field: str = "", hint: str = "") -> SpecError:
        """The error to raise: this file, what is wrong, what to do."""
        return SpecError(message, Place(self.path), shown(field) if field else "", hint)

    def need(self, count: int, what: str) -> None:
        """Check that `count` bytes follow, and that the header stays within its bounds. Raises SpecError."""
        if count > self.size - self.position:
            left = self.size - self.position
            claim = f"{what} takes {count:,} bytes at byte {self.position:,}, {left:,} are left"
            raise self.refuse(f"is truncated or damaged: {claim}", hint=AGAIN)
        if self.position + count > MAX_HEADER:
            raise self.refuse(f"has a header of more than {MAX_HEADER:,} bytes ({what})")

    def take(self, count: int, what: str) -> bytes:
        """The next `count` bytes. Raises SpecError where the file ends before."""
        self.need(count, what)
        if self._at + count > len(self._piece):
            self._refill(count)
        found = self._piece[self._at : self._at + count]
        if len(found) < count:
            raise self.refuse(f"ends in the middle of {what}", hint=AGAIN)
        self._at += count
        return found

    def peek(self, count: int) -> bytes:
        """The next bytes, at most `count`, without moving on."""
        found = self.take(min(count, self.size - self.position), "its beginning")
        self._at -= len(found)
        return found

    def skip(self, count: int, what: str) -> None:
        """Move on by `count` bytes. Raises SpecError where the file ends before."""
        self.need(count, what)
        self._at += count
        if self._at > len(self._piece):
            self._start, self._at, self._piece = self.position, 0, b""

    def number(self, form: str, what: str) -> int:
        """A little-endian number in one of struct's forms."""
        return int(struct.unpack(f"<{form}", self.take(struct.calcsize(form), what))[0])

    def skip_texts(self, count: int, what: str) -> None:
        """Move on by `count` texts, each a length of 8 bytes and as many bytes."""
        while count:
            piece, at = self._piece, self._at
            last = len(piece) - 8
            read = _LENGTH.unpack_from
            while count and at <= last:
                after = at + 8 + read(piece, at)[0]
                if after > last + 8:
                    break
                at, count = after, count - 1
            self._at = at
            if count:
                self.skip(self.number("Q", what), what)
                count -= 1
        self.need(0, what)

    def _refill(self, count: int) -> None:
        self._start, self._at = self.position, 0
        self.file.seek(self._start)
        self._piece = self.file.read(min(max(count, _PIECE), self.size - self._start))
