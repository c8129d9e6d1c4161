"""Which word of a multimodal file says that the head is the embedding: its own, its text section's, or either.

The facts are data (`wrappers.json`), per class: the section and the type of its text model, and the rule, with the
values of the outer class and of the text model's class where a file is silent. They were read off the library: of a
model of each class it was asked which weights it ties, for every pair of words. `never`: the class has a head of its
own whatever is said. A class that the library does not have is followed by its text section, then by its outer word.

Source: the config and model classes of transformers 5.24.0 (`_tied_weights_keys`, `get_expanded_tied_weights_keys`).
"""

from __future__ import annotations

import json
from collections.abc import Container, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from roofline.importers.huggingface.forms.dialects import DIALECT

TIED: Final = "tie_word_embeddings"
_FILE: Final = Path(__file__).with_name("wrappers.json")


@cache
def _classes() -> dict[str, dict[str, Any]]:
    classes: dict[str, dict[str, Any]] = json.loads(_FILE.read_text(encoding="utf-8"))["classes"]
    return classes


def wrapped_type(wrapper: str) -> str | None:
    """The type of the text model of a multimodal class where its section does not say it."""
    found = _classes().get(wrapper)
    return None if found is None else str(found["text"])


def wrappers_of(families: Container[str]) -> list[str]:
    """The multimodal classes whose text model is of one of these types."""
    return [wrapper for wrapper, found in _classes().items() if found["text"] in families]


def defaults_in(wrapper: str, text_type: str) -> Mapping[str, Any]:
    """Values that a multimodal class gives absent keys of its text section, in the place of the text's own class."""
    found = _classes().get(wrapper, {})
    defaults: dict[str, Any] = found.get("defaults", {}) if found.get("text") == text_type else {}
    return defaults


def tied_by_class(wrapper: str, outer: Mapping[str, Any], text: Mapping[str, Any]) -> bool | None:
    """Whether the class makes the head of the embedding, from what it and its text section say; None: not known.

    Without an outer word the section counts in files of version 4 of the library, which looked at nothing else, and
    where a file brings code of its own, and so another class.
    """
    found = _classes().get(wrapper)
    word, inner = _word(outer), _word(text)
    if found is None or outer.get(DIALECT) or (word is None and (_is_old(outer, text) or _is_own(outer, inner))):
        return None
    rule = found["tied"]
    if rule == "never":
        return False
    own = word if word is not None else found.get("outer")
    section = inner if inner is not None else found.get("inner")
    if rule == "either":
        return bool(own or section)
    return bool(section if rule == "inner" or own is None else own)


def _is_old(*parts: Mapping[str, Any]) -> bool:
    return any(str(part.get("transformers_version", "")).startswith("4.") for part in parts)


def _is_own(outer: Mapping[str, Any], inner: bool | None) -> bool:
    return inner is not None and bool(outer.get("auto_map"))


def _word(data: Mapping[str, Any]) -> bool | None:
    value = data.get(TIED)
    return None if value is None else bool(value)
