"""A model file as text: what `roofline import` writes, in the form of the files in `models/`."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Mapping
from typing import Any, Final

_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_./+-]*")
_WORDS: Final = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
_WIDTH: Final = 120


def model_text(data: Mapping[str, Any]) -> str:
    """The YAML of a model: a line per key, layers as a list, text that reads well."""
    return "".join(_entry(key, value) for key, value in data.items())


def _entry(key: str, value: Any) -> str:
    if key in ("blocks", "encoder", "towers"):
        return f"{key}:\n" + "".join(_tower(item) if key == "towers" else _block(item) for item in value)
    if key == "mtp":
        return "mtp:\n" + "".join(f"  {name}: {flow(inner)}\n" for name, inner in value.items())
    if key == "published":
        return "published:\n" + "".join(_block(item) for item in value)
    if key == "notes":
        return "notes: >-\n" + textwrap.indent(textwrap.fill(value, _WIDTH - 2, break_on_hyphens=False), "  ") + "\n"
    if isinstance(value, list) and key != "aliases":
        return f"{key}:\n" + "".join(f"  - {json.dumps(item, ensure_ascii=False)}\n" for item in value)
    return f"{key}: {flow(value)}\n"


def _block(block: Mapping[str, Any]) -> str:
    lines = [f"{name}: {flow(value)}" for name, value in block.items()]
    return "".join(f"  {'- ' if not index else '  '}{line}\n" for index, line in enumerate(lines))


def _tower(tower: Mapping[str, Any]) -> str:
    """A tower: a line per key, and a line per piece and group of layers."""
    lines = []
    for name, value in tower.items():
        if name in ("before", "blocks", "after"):
            lines += [f"{name}:", *(f"  - {flow(item)}" for item in value)]
        else:
            lines.append(f"{name}: {flow(value)}")
    return "".join(f"  {'- ' if not index else '  '}{line}\n" for index, line in enumerate(lines))


def flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(name)}: {flow(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS
        return value if plain else json.dumps(value, ensure_ascii=False)
    return repr(value)
