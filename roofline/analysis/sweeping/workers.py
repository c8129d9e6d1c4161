"""A sweep on other processes or machines: whatever has `submit`, as executors of Python and clients of Dask have."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final, Protocol

from roofline.analysis.sweeping.plan import Part, Place, Plan
from roofline.errors import UsageError

#: Parts of one piece of work, and pieces that are under way at once.
_PARTS: Final = 4
_UNDER_WAY: Final = 32


class Executor(Protocol):
    """What takes work: `concurrent.futures.Executor`, `dask.distributed.Client`, and what is alike."""

    def submit(self, work: Any, /, *arguments: Any) -> Any:
        """Begin it, and give what has `result()`."""


def work(plan: Plan, start: Place, count: int) -> list[Part]:
    """So many parts of a sweep from a place on: what a worker does."""
    return list(islice(plan.parts(start), count))


def parts(plan: Plan, executor: Executor | None) -> Iterator[Part]:
    """All parts of a sweep in order, worked out here or by an executor. Memory is bound by what is under way."""
    if executor is None:
        yield from plan.parts()
        return
    if not callable(getattr(executor, "submit", None)):
        raise UsageError(f"executor has no submit: a Dask client or an executor of Python is wanted, not {executor!r}")
    waiting: deque[Any] = deque()
    try:
        for start, count in plan.stretches(_PARTS):
            waiting.append(executor.submit(work, plan, start, count))
            if len(waiting) >= _UNDER_WAY:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
