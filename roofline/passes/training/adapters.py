"""Adapters of small rank beside frozen matrices (LoRA)."""

from __future__ import annotations

from typing import NamedTuple


class Adapters(NamedTuple):
    """Adapters of a rank beside the matrices of these names; `wide`: in fp32."""

    rank: float
    targets: tuple[str, ...] = ()
    wide: bool = True
