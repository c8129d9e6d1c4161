"""Examples of hypothesis and ages of prices are the same in every run.

`HYPOTHESIS_PROFILE=search` looks for new examples.
"""

from __future__ import annotations

import os
from typing import Final

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True)
settings.register_profile("search", derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
#: The day by which ages of prices are told in tests and on pages: 2026-11-28.
DAY: Final = "1795824000"
os.environ["SOURCE_DATE_EPOCH"] = DAY
