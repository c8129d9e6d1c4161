"""Slips of the pen in names of sections, which would else leave out an encoder or a language model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from roofline.errors import UnsupportedError
from roofline.importers.huggingface.families import TEXT_SECTIONS
from roofline.importers.json_document import JsonDocument

_SECTIONS: Final = (*TEXT_SECTIONS, "vision_config", "audio_config", "encoder_config", "speech_config", "visual")


def refuse_slips(document: JsonDocument, data: Mapping[str, Any]) -> None:
    """Refuse a mapping whose name is one slip away from that of a section. Raises UnsupportedError with the place."""
    for key, value in data.items():
        if key in _SECTIONS or not isinstance(value, Mapping):
            continue
        meant = next((name for name in _SECTIONS if name not in data and is_slip(key, name)), None)
        if meant is not None:
            hint = f"{meant!r} is understood: write it so, or remove the section."
            raise UnsupportedError("unknown section", document.place((key,)), key, hint)


def is_slip(written: str, meant: str) -> bool:
    """Whether names are one letter apart: one more, one less, another, or two in the other order; case does not count.

    A sign between words is no letter.
    """
    a, b = written.lower().replace("-", "_"), meant.lower()
    if abs(len(a) - len(b)) > 1:
        return False
    start = next((index for index, (one, other) in enumerate(zip(a, b, strict=False)) if one != other), None)
    if start is None:
        return written != meant
    rest_a, rest_b = a[start:], b[start:]
    swapped = rest_a[:2] == rest_b[:2][::-1] and rest_a[2:] == rest_b[2:]
    return swapped or rest_a[1:] == rest_b[1:] or rest_a[1:] == rest_b or rest_a == rest_b[1:]
