"""What a hardware file rests on is told: sources written out, and what nobody read on a vendor's page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from roofline.specs.files.library import bundled
from roofline.specs.files.reader import read_gpu, read_node
from roofline.specs.gpu import GPUSpec
from roofline.specs.node import NodeSpec

FILES = [*sorted(bundled("hardware").glob("*.yaml")), *sorted(bundled("nodes").glob("*.yaml"))]


def _spec(path: Path) -> GPUSpec | NodeSpec:
    return read_node(path) if path.parent.name == "nodes" else read_gpu(path)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_was_recalled_or_read_at_second_hand_is_not_verified(path: Path) -> None:
    """Where every source is recalled, no value is verified; where every one is that or secondary, some are not."""
    spec = _spec(path)
    if all("recalled" in source for source in spec.sources):
        assert any(note.startswith("every value") for note in spec.unverified)
    if all(re.search(r"recalled|secondary", source) for source in spec.sources):
        assert spec.unverified


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_source_stands_alone(path: Path) -> None:
    """No other file need be open to know what is cited."""
    assert not any(re.search(r"\bas above\b|\babove$|\bibid", source) for source in _spec(path).sources)
