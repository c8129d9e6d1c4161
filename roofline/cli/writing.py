"""Files that a command writes: whole or not at all, and nothing of the user's is lost."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from stat import S_IMODE

from roofline.errors import UsageError
from roofline.specs.files.paths import exists, is_file, is_folder


def check_output(path: Path, force: bool, inputs: tuple[Path, ...] = ()) -> None:
    """Refuse a file that cannot be written, that exists (unless by `force`), or that is read by the same command."""
    about = f"--output {path}"
    try:
        if is_folder(path):
            raise UsageError(f"{about}: is a folder; name a file")
        if not is_folder(path.absolute().parent):
            raise UsageError(f"{about}: there is no folder {path.parent}; make it first")
        if not exists(path) or _is_stream(path):
            return
        if any(exists(each) and path.samefile(each) for each in inputs):
            raise UsageError(f"{about}: is the file that is read; name another")
    except (OSError, ValueError) as error:
        raise _unwritten(path, error) from None
    if not force:
        raise UsageError(f"{about}: exists; --force overwrites it")


def made(path: Path, text: str, arguments: list[str]) -> int:
    """Write a file that the program makes, or with `--check` say whether it is up to date; the exit code."""
    if "--check" not in arguments:
        path.write_text(text, encoding="utf-8")
        return 0
    same = is_file(path) and path.read_text(encoding="utf-8") == text
    sys.stdout.write(f"{path}: {'up to date' if same else 'differs from the program'}\n")
    return 0 if same else 1


def write_whole(path: Path, text: str) -> None:
    """Write a file beside its place and move it there. Raises UsageError, with nothing written, where that fails."""
    try:
        if _is_stream(path):
            path.write_text(text, encoding="utf-8")
            return
        place = path.resolve()  # a link stays a link
        beside = place.with_name(f".{place.name[:100]}.{os.getpid()}.part")
        try:
            beside.write_text(text, encoding="utf-8")
            if is_file(place):  # who may read it stays as it was
                beside.chmod(S_IMODE(place.stat().st_mode))
            beside.replace(place)
        finally:
            beside.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        raise _unwritten(path, error) from None


def _is_stream(path: Path) -> bool:
    """Whether it is a device or a pipe, such as /dev/stdout."""
    return exists(path) and not is_file(path)


def _unwritten(path: Path, error: Exception) -> UsageError:
    return UsageError(f"--output {path}: cannot be written ({getattr(error, 'strerror', None) or error})")
