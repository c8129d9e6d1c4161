"""The progress line of a sweep: share, rate and time left; only where somebody sees it."""

from __future__ import annotations

import pytest

from roofline.cli.sweeping.progress import Bar, duration


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "1 s"), (40, "40 s"), (420, "7 min"), (3600 * 3.5, "3.5 h"), (86400 * 12, "12 days"), (1e13, "for ever")],
)
def test_times_to_wait_in_words(seconds: float, said: str) -> None:
    assert duration(seconds) == said if said != "3.5 h" else duration(seconds) in ("3.5 h", "210 min")


def test_the_line_counts_what_was_done_before_but_not_in_the_rate() -> None:
    bar = Bar(1000, done=500)
    bar.done = 750
    line = bar.line(bar.begun + 5.0)
    assert "75% of 1,000 points, 50.0/s, 5 s left" in line and line.count("█") == 15


def test_nothing_is_drawn_into_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    bar = Bar(10)
    bar.last = 0.0
    bar.advance(5)
    bar.clear()
    assert capsys.readouterr() == ("", "")
