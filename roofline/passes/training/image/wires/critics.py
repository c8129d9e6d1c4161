"""Judges of pictures: features of the picture that was given (`given`) and of that which was made (`made`)."""

from __future__ import annotations

from typing import Final

_V: Final = "v > v"
_LEVELS: Final = range(5)

CRITICS: Final[dict[str, str]] = {
    "vgg.scale": _V,
    "vgg.conv": _V,
    "vgg.relu": _V,
    "vgg.pool": "v # v",
    **{f"given/vgg.unit{level}": f"v ^ given{level}" for level in _LEVELS},
    **{f"made/vgg.unit{level}": f"v ^ made{level}" for level in _LEVELS},
    **{f"lpips.difference{level}": f"made{level} given{level} > difference" for level in _LEVELS},
    "lpips.square": "difference ^ difference",
    "lpips.lin": "difference > loss",
    "lpips.mean": "loss > loss",
    "critic.conv": _V,
    "critic.norm": _V,
    "critic.leaky": "v ^ v",
}
