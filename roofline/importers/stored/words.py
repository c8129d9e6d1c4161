"""What is said of files that are damaged or not there, and text of files as it can be printed."""

from __future__ import annotations

from typing import Final

AGAIN: Final = "Download it again."
#: How a Git LFS pointer begins, which stands for a file that was not fetched, and what is said of one.
POINTER: Final = b"version https://git-lfs"
IS_POINTER: Final = "is a Git LFS pointer, not the file itself"
FETCH: Final = "Fetch the file with `git lfs pull`, or download it."


def shown(text: str, most: int = 60) -> str:
    """Text of a file as it can be printed: escapes, control characters and great lengths made plain."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in text[:most])
    return plain + ("..." if len(text) > most else "")
