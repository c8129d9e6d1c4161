"""The bundled engines as files: where they stand, and the caches that they say they keep."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

#: One YAML per engine.
ENGINES: Final = Path(__file__).resolve().parents[2] / "engines"
#: Those that train models and run none.
TRAINERS: Final = ENGINES / "training"


@cache
def kept_caches() -> Mapping[str, tuple[str, ...]]:
    """Formats of caches, by the names of the engines that list them; nothing is checked but that they are lists.

    The spec of an engine rests on this: which formats are caches.
    """
    from roofline.specs.files.document import read_document

    found: dict[str, tuple[str, ...]] = {}
    for path in sorted(ENGINES.glob("*.yaml")):
        data: Any = read_document(path).data
        formats = data.get("formats") or {}
        names = [*formats.get("cache", ()), *formats.get("further", ())]
        if names:
            found[data["name"]] = tuple(names)
    return found


@cache
def trainer_names() -> tuple[str, ...]:
    """Names of the engines that only train, sorted."""
    return tuple(sorted(path.stem for path in TRAINERS.glob("*.yaml")))


@cache
def trainer_aliases() -> Mapping[str, str]:
    """Their other names, and the names that these stand for."""
    from roofline.specs.files.library import aliases_in

    return aliases_in(TRAINERS)
