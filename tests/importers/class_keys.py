"""Writes `class_keys.json`: the keys that the config class of each model type reads, from the libraries' own source.

Needs transformers and diffusers, which the project itself does not: `python class_keys.py TARGET`, in an environment
that has them. What comes out are names alone.
"""

from __future__ import annotations

import ast
import importlib.metadata
import inspect
import json
import sys
from importlib import import_module, util
from pathlib import Path
from typing import Any

from roofline.importers.diffusers.folder import COMPONENTS
from roofline.importers.huggingface.families import FAMILIES


def transformers_keys() -> dict[str, dict[str, str]]:
    """Per model type: parameters of the config class, other spellings of them, and what it takes from the rest."""
    from transformers import CONFIG_MAPPING, PreTrainedConfig  # type: ignore[import-not-found]

    text_encoders = {"CLIPTextModel": "clip_text_model", "CLIPTextModelWithProjection": "clip_text_model"}
    types = {name: name for name in FAMILIES} | text_encoders | {"T5EncoderModel": "t5"}
    base = set(inspect.signature(PreTrainedConfig.__init__).parameters)
    found = {}
    for known_as, model_type in types.items():
        try:
            made: Any = CONFIG_MAPPING[model_type]
        except KeyError:
            continue
        keys = set(inspect.signature(made.__init__).parameters) | set(made.attribute_map)
        keys |= set(made.attribute_map.values()) | _taken(inspect.getsource(made))
        found[known_as] = _entry(made.__name__, keys - base - {"self", "kwargs"})
    return found


def diffusers_keys() -> dict[str, dict[str, str]]:
    """Per component class: parameters of its constructor, read without running it."""
    root = Path(str(util.find_spec("diffusers").origin)).parent  # type: ignore[union-attr]
    found = {}
    for file in sorted((root / "models").rglob("*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and node.name in COMPONENTS:
                made = next(part for part in node.body if isinstance(part, ast.FunctionDef) and part.name == "__init__")
                found[node.name] = _entry(node.name, {arg.arg for arg in made.args.args} - {"self"})
    return found


def _taken(source: str) -> set[str]:
    """Keys that a constructor pops or gets from its further arguments."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and node.args)
    return {
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in ("pop", "get")
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "kwargs"
        and isinstance(call.args[0], ast.Constant)
    }


def _entry(name: str, keys: set[str]) -> dict[str, str]:
    return {"class": name, "keys": " ".join(sorted(keys))}


def main(target: Path) -> None:
    """Write the file."""
    import_module("transformers")
    found = {
        library: {"version": importlib.metadata.version(library), "types": keys}
        for library, keys in (("transformers", transformers_keys()), ("diffusers", diffusers_keys()))
    }
    target.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
