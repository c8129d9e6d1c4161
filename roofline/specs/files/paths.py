"""Paths as people write them. Whether something is there is answered with no for what no file can be called.

`pathlib` raises where a name is too long for the system, holds a zero byte or begins with the home of a user that there
is not; the functions of `os.path` say that no such file exists, which is the answer.
"""

from __future__ import annotations

import os
from pathlib import Path
from stat import S_ISFIFO, S_ISREG


def expanded(name: str | os.PathLike[str]) -> Path:
    """A path with the home that `~` stands for, where there is such a user; else as it is written."""
    return Path(os.path.expanduser(name))  # noqa: PTH111


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Whether there is a folder of that name."""
    return os.path.isdir(path)  # noqa: PTH112


def is_file(path: str | os.PathLike[str]) -> bool:
    """Whether there is a regular file of that name: no folder, pipe or device."""
    return os.path.isfile(path)  # noqa: PTH113


def exists(path: str | os.PathLike[str]) -> bool:
    """Whether there is anything of that name."""
    return os.path.exists(path)  # noqa: PTH110


def is_waiting_pipe(path: str | os.PathLike[str]) -> bool:
    """Whether it is a pipe with a name, of which nobody knows whether the other end is there: to open it may wait for
    ever. Those of a shell's own, below /dev, have their other end.
    """
    try:
        return S_ISFIFO(os.stat(path).st_mode) and not os.fspath(path).startswith("/dev/")
    except (OSError, ValueError):
        return False


def working_folder() -> str:
    """Where the program was started; nothing where that is no longer there."""
    try:
        return os.getcwd()
    except OSError:
        return ""


def stamp(path: str | os.PathLike[str]) -> int:
    """When it was changed last [ns]; 0 where it is not there."""
    try:
        return os.stat(path).st_mtime_ns
    except (OSError, ValueError):
        return 0


def beginning(path: str | os.PathLike[str], most: int = 4096) -> str:
    """The first bytes of a regular file as text; empty where it is none or cannot be read. A pipe is not waited for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        try:
            return os.read(descriptor, most).decode("utf-8", "replace") if _is_regular(descriptor) else ""
        finally:
            os.close(descriptor)
    except (OSError, ValueError):
        return ""


def _is_regular(descriptor: int) -> bool:
    return S_ISREG(os.fstat(descriptor).st_mode)
