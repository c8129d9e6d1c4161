"""Light and dark: words are read on both pages, colours are told apart, and one theme leaves nothing of the other."""

from __future__ import annotations

from itertools import combinations

import pytest

from roofline.errors import UsageError
from roofline.report.plots.style import PALETTES, THEMES, contrast, palette, shade, styled, tint


def test_contrast_is_that_of_the_guidelines() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", THEMES)
def test_words_are_read_on_the_page(theme: str) -> None:
    with styled(theme):
        now = palette()
        words = [now.ink, now.grey, *map(shade, now.colours), *(shade(tint(colour, 0.3)) for colour in now.colours)]
    assert min(contrast(word, now.ground) for word in words) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
def test_lines_and_bars_stand_out_and_differ(theme: str) -> None:
    now = PALETTES[theme]
    assert min(contrast(colour, now.ground) for colour in now.colours) >= 2.2
    distances = [_apart(one, other) for one, other in combinations(now.colours, 2)]
    assert min(distances) > 60


def _apart(one: str, other: str) -> float:
    pairs = zip(bytes.fromhex(one[1:]), bytes.fromhex(other[1:]), strict=True)
    return float(sum((a - b) ** 2 for a, b in pairs) ** 0.5)


def test_a_theme_holds_for_a_with_and_goes_on_within_it() -> None:
    assert palette().name == "light"
    with styled("dark"):
        with styled():
            assert palette().name == "dark"
        with styled("light"):
            assert palette().name == "light"
        assert palette().name == "dark"
    assert palette().name == "light"


def test_a_theme_that_there_is_not_is_named() -> None:
    with pytest.raises(UsageError, match="must be one of light, dark, not 'drak'"), styled("drak"):
        pass
