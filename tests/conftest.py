"""Examples of hypothesis and ages of prices are the same in every run.

`HYPOTHESIS_PROFILE=search` looks for new examples.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

import pytest
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True)
settings.register_profile("search", derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
#: The day by which ages of prices are told in tests and on pages: 2026-11-28.
DAY: Final = "1795824000"
os.environ["SOURCE_DATE_EPOCH"] = DAY


@pytest.fixture
def own_settings() -> Iterator[None]:
    """Texts of figures are measured as they are drawn."""
    from roofline.report.plots.style import styled

    with styled():
        yield
