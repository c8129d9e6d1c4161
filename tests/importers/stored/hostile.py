"""Hostile files: refused at once, with little memory, by their name."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from roofline.errors import SpecError


def refused(read: Callable[[Path], object], path: Path) -> str:
    """The error of a file, which must come at once and take little memory."""
    tracemalloc.start()
    started = time.perf_counter()
    try:
        with pytest.raises(SpecError) as caught:
            read(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3_000_000
    assert time.perf_counter() - started < 1.0
    assert str(caught.value).startswith(str(path))
    return str(caught.value)
