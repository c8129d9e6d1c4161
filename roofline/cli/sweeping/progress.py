"""How far a sweep is: one line on a terminal, rewritten in its place; nothing where standard error is a file."""

from __future__ import annotations

import sys
import time
from typing import Final

from roofline.cli.terminal import tell
from roofline.units import format_si

#: Seconds between two lines, and until the first.
_EVERY: Final = 0.2
_FIRST: Final = 0.5


class Bar:
    """A progress line for so many points, some of which were done before."""

    def __init__(self, points: int, done: int = 0) -> None:
        self.points, self.done, self.before = points, done, done
        self.begun = time.monotonic()
        self.last = self.begun + _FIRST - _EVERY
        self.shown = False

    def advance(self, points: int) -> None:
        """So many points more."""
        self.done += points
        now = time.monotonic()
        if now - self.last >= _EVERY and sys.stderr.isatty():
            self.last, self.shown = now, True
            sys.stderr.write(f"\r\x1b[K{self.line(now)}")
            sys.stderr.flush()

    def line(self, now: float) -> str:
        """Share, points, rate and time left."""
        share = self.done / max(1, self.points)
        rate = (self.done - self.before) / max(1e-9, now - self.begun)
        left = (self.points - self.done) / rate if rate else float("inf")
        full = int(20 * min(1.0, share))
        told = f"{share:4.0%} of {self.points:,} points, {said_rate(rate)}, {duration(left)} left"
        return f"{'█' * full}{'░' * (20 - full)} {told}"

    def clear(self) -> None:
        """Take the line away, before something else is told."""
        if self.shown:
            sys.stderr.write("\r\x1b[K")
            self.shown = False

    def tell(self, line: str) -> None:
        """A line on standard error in the place of the bar."""
        self.clear()
        tell(line)


def said_rate(rate: float) -> str:
    """Points per second in words."""
    return f"{format_si(rate, '')}/s"


def duration(seconds: float) -> str:
    """A time to wait, in words: `40 s`, `7 min`, `3.5 h`, `12 days`."""
    if seconds < 100:
        return f"{max(1, round(seconds))} s"
    for scale, unit in ((60.0, "min"), (3600.0, "h")):
        if seconds < 100 * scale:
            return f"{seconds / scale:.3g} {unit}"
    days = seconds / 86400
    return f"{days:,.0f} days" if days < 1e6 else "for ever"
