"""A file that grows batch by batch beside its place, with a record of how far it is, and moves there when it is whole.

`NAME.part` holds what was written, `NAME.resume` where the sweep stands; both are gone when `NAME` is there. Whatever
stops it, the record tells how many bytes of the part are whole rows; a resumed sweep goes on from there.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from roofline.errors import UsageError
from roofline.specs.files.paths import exists, is_file, is_folder, is_waiting_pipe

#: Seconds between two records.
_EVERY: Final = 1.0
#: Bytes of the longest record.
_LONGEST: Final = 1_000_000


class Progress(NamedTuple):
    """How far a sweep is: its place, rows written, points that cannot be, and the first reason of these."""

    combination: int = 0
    part: int = 0
    rows: int = 0
    points: int = 0
    refused: int = 0
    reason: str = ""


_FIELDS: Final = {"combination": int, "part": int, "rows": int, "points": int, "refused": int, "reason": str}


class Growing:
    """One such file. `fingerprint` tells sweeps apart; `whole` makes the file of its part, which else is moved."""

    def __init__(self, path: Path, fingerprint: str, whole: Callable[[Path, Path], None] | None = None) -> None:
        self.target = path.resolve()  # a link stays a link
        self.shown, self.fingerprint, self.whole = path, fingerprint, whole
        self.part = self.target.with_name(f"{self.target.name}.part")
        self.record = self.target.with_name(f"{self.target.name}.resume")
        self.stands: tuple[Progress, int] = (Progress(), 0)  # one value: a signal may come between any two steps
        self.written, self.recorded = 0, time.monotonic()
        self.file: BinaryIO | None = None

    @property
    def progress(self) -> Progress:
        """How far the sweep is of which all rows are there."""
        return self.stands[0]

    def progress_of(self, resume: bool) -> Progress:
        """How far a sweep to be resumed is. Raises UsageError where the record is of another one."""
        try:
            known = self._read() if resume else None
        except OSError as error:
            raise self._failed(error) from None
        if known is not None:
            self.stands = known
        return self.progress

    def start(self, head: bytes, resume: bool) -> None:
        """Begin with these bytes, or go on. Raises UsageError where the file cannot be written."""
        try:
            if resume and not self.stands[1]:
                self._refuse_foreign(head)
            self._open(head, resume and bool(self.stands[1]))
        except (OSError, ValueError) as error:
            raise self._failed(error) from None

    def _refuse_foreign(self, head: bytes) -> None:
        """Raises UsageError where there is a part of which nothing says of which sweep it is."""
        if exists(self.part) and not exists(self.record) and not head.startswith(self._beginning(len(head) + 1)):
            about = f"--output {self.shown}"
            raise UsageError(f"{about}: nothing says of which sweep {self.part.name} is; --force begins anew")

    def _beginning(self, count: int) -> bytes:
        with self.part.open("rb") as file:
            return file.read(count)

    def check(self, resume: bool, force: bool) -> None:
        """Raises UsageError, with nothing changed, where what is there would be lost, or nothing can be."""
        about = f"--output {self.shown}"
        if is_folder(self.target):
            raise UsageError(f"{about}: is a folder; name a file")
        if is_waiting_pipe(self.target):
            raise UsageError(f"{about}: is a pipe, which may never be read; name a file")
        if not is_folder(self.target.parent):
            raise UsageError(f"{about}: there is no folder {self.shown.parent}; make it first")
        begun = exists(self.part) or exists(self.record)
        if exists(self.target) and not force and not (resume and begun):
            hint = ", and nothing is left to resume" if resume else ""
            raise UsageError(f"{about}: exists{hint}; --force overwrites it")
        if begun and not resume and not force:
            raise UsageError(f"{about}: a sweep to it was stopped; --resume goes on, --force begins anew")

    def _open(self, head: bytes, resume: bool) -> None:
        self.file = self.part.open("r+b" if exists(self.part) else "w+b", buffering=0)
        self._lock()
        if resume:
            self.written = self.stands[1]
            if self.part.stat().st_size < self.written:
                raise UsageError(f"{self.part}: is shorter than its record says; --force begins anew")
            self.file.truncate(self.written)
            self.file.seek(self.written)
            return
        self.record.unlink(missing_ok=True)
        self.file.truncate(0)
        self.append(head)
        self.stands = Progress(), self.written
        self._note()

    def discard(self) -> None:
        """Take away what was begun: there is nothing to go on with."""
        if self.file is not None:
            self.file.close()
        for path in (self.part, self.record):
            path.unlink(missing_ok=True)

    def _read(self) -> tuple[Progress, int] | None:
        """What the record says; None where there is none. Raises UsageError for one of another sweep."""
        if not exists(self.record):
            return None
        if not is_file(self.part):
            raise UsageError(f"{self.record}: there is no {self.part.name} that it belongs to; --force begins anew")
        with self.record.open("rb") as file:
            data = file.read(_LONGEST)
        try:
            told = json.loads(data)
            progress = Progress(*(kind(told[name]) for name, kind in _FIELDS.items()))
            good = int(told["bytes"])
        except (ValueError, KeyError, TypeError):
            raise UsageError(f"{self.record}: is no record of a sweep; --force begins anew") from None
        if told.get("sweep") != self.fingerprint:
            raise UsageError(
                f"--resume: {self.part} is of another sweep (other options, another version, or a changed file of a "
                "model or GPU); --force begins anew"
            )
        return progress, good

    def _lock(self) -> None:
        """Raises UsageError where another process writes to the file."""
        try:
            import fcntl
        except ImportError:
            return
        try:
            fcntl.flock(self._file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"{self.part}: another sweep is writing to it") from None
        except OSError:  # a file system without locks
            return

    @property
    def _file(self) -> BinaryIO:
        if self.file is None:
            raise UsageError(f"{self.part}: is not open")
        return self.file

    def append(self, data: bytes) -> None:
        """Whole rows. Raises UsageError where they cannot be written; what was there before stays."""
        view = memoryview(data)
        try:
            while view:
                view = view[self._file.write(view) or 0 :]
        except OSError as error:
            self._back()
            raise self._failed(error) from None
        self.written += len(data)

    def reach(self, progress: Progress) -> None:
        """The sweep stands there, and all its rows until there are written; noted now and then."""
        self.stands = progress, self.written
        if time.monotonic() - self.recorded >= _EVERY:
            self._note()

    def _note(self) -> None:
        progress, size = self.stands
        told = {"sweep": self.fingerprint, "bytes": size, **progress._asdict()}
        beside = self.record.with_name(f"{self.record.name}.new")
        try:
            os.fsync(self._file.fileno())
            beside.write_text(json.dumps(told), encoding="utf-8")
            beside.replace(self.record)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise self._failed(error) from None
        self.recorded = time.monotonic()

    def _back(self) -> None:
        """Take away what the sweep has not reached in whole rows."""
        with suppress(OSError):
            self._file.truncate(self.stands[1])

    def stop(self) -> None:
        """Leave the part as it is, in whole rows, and note where it ends."""
        if self.file is None or self.file.closed:
            return
        self._back()
        with suppress(UsageError):  # where there is no room for it, the last record still holds
            self._note()
        self.file.close()

    def finish(self) -> None:
        """All rows are there: the file takes its place."""
        self._note()
        try:
            if self.whole is not None:
                beside = self.target.with_name(f"{self.target.name}.whole")
                try:
                    self.whole(self.part, beside)
                    beside.replace(self.target)
                finally:
                    beside.unlink(missing_ok=True)
                self.part.unlink()
            else:
                self.part.replace(self.target)
            self.record.unlink(missing_ok=True)
        except OSError as error:
            raise self._failed(error) from None
        finally:
            self._file.close()

    def _failed(self, error: Exception) -> UsageError:
        why = getattr(error, "strerror", None) or error
        left = (
            f"; {self.progress.rows:,} rows are in {self.part.name}, and --resume goes on" if self.progress.rows else ""
        )
        return UsageError(f"--output {self.shown}: cannot be written ({why}){left}")
