"""What the config class of each model type gives a key that a config.json leaves out, and other spellings of keys.

The facts are data, in the `defaults.json` beside the families of a kind: only keys that may change a shape, none that
`harmless.py` lists. `names` gives other spellings of a key, each with that of the class. A file is read when a config
of one of its families is.

Source: the config classes of transformers 5.23.0, read off their fields and attribute maps.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from roofline.importers.huggingface.families import FAMILIES


def defaults_of(model_type: str) -> Mapping[str, Any]:
    """Values of absent keys, by key; none where the class of the type is not known."""
    return _facts_of(model_type).get("defaults", {})


def names_of(model_type: str) -> Mapping[str, str]:
    """Other spelling -> the spelling of the class."""
    return _facts_of(model_type).get("names", {})


def _facts_of(model_type: str) -> dict[str, dict[str, Any]]:
    folder = FAMILIES[model_type].partition(".")[0]
    return _facts(folder).get(model_type, {})


@cache
def _facts(folder: str) -> dict[str, dict[str, dict[str, Any]]]:
    """All facts of the families in a folder, by model type."""
    file = Path(__file__).parent / folder / "defaults.json"
    facts: dict[str, dict[str, dict[str, Any]]] = json.loads(file.read_text(encoding="utf-8"))
    return facts
