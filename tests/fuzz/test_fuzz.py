"""Whatever a file or a command line says: a sound answer or a refusal, in time and within memory.

`python -m tests.fuzz --count 100000 --seed 7` tries more of the same by hand.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.corpus import drawn
from tests.fuzz.judge import judged

SEED = 12
BATCHES = 8
INPUTS = 300


@pytest.mark.parametrize("batch", range(BATCHES))
def test_changed_inputs_are_answered_or_refused(tmp_path: Path, batch: int) -> None:
    found = (drawn(number, SEED, tmp_path) for number in range(batch * INPUTS, (batch + 1) * INPUTS))
    failures = [f"{one.label}, {one.kind}: {verdict}" for one in found if (verdict := judged(one.run)).fails]
    assert not failures
