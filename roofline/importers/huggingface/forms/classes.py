"""Names of model classes: which model type each is of, and which a file names.

Source: the model classes of transformers 5.24.0 (`classes.json`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

_FILE: Final = Path(__file__).with_name("classes.json")


@cache
def class_facts() -> dict[str, Any]:
    """The version of the library, the classes of each model type as one text, and those that tie no weights."""
    facts: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return facts


@cache
def _types() -> Mapping[str, str]:
    return {name: model_type for model_type, names in class_facts()["types"].items() for name in names.split()}


def type_of_class(name: str) -> str:
    """The model type of a class; empty where the library has no such class."""
    return _types().get(name, "")


def first_class(data: Mapping[str, Any]) -> str:
    """The class that a file names first; empty where it names none."""
    names = data.get("architectures")
    return names[0] if isinstance(names, list) and names and isinstance(names[0], str) else ""
