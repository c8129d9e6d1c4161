"""Writes what is known of config classes, from the libraries' own source: names of keys, and defaults of towers.

Needs transformers and diffusers, which the project itself does not: `python -m tests.importers.write_config_classes`
in an environment that has them. It writes `class_keys.json` of the importers and `defaults.json` of the towers.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib.metadata
import inspect
import json
import re
from importlib import util
from pathlib import Path
from typing import Any, Final

from roofline import importers
from roofline.importers.diffusers.components import COMPONENTS
from roofline.importers.huggingface.families import FAMILIES
from roofline.importers.huggingface.towers.read import ENCODERS, TOWERS

TARGET: Final = Path(importers.__file__).parent


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


def tower_defaults() -> dict[str, dict[str, Any]]:
    """Per kind of tower: defaults of the keys that its function reads, and other spellings of them."""
    kinds = {*ENCODERS, *(tower.kind for towers in TOWERS.values() for tower in towers.values())}
    source = "".join(file.read_text(encoding="utf-8") for file in (TARGET / "huggingface" / "towers").glob("*.py"))
    read = set(re.findall(r'"([a-z_0-9]+)[" ]', source))
    classes = _classes()
    found: dict[str, dict[str, Any]] = {}
    for kind in sorted(kinds & classes.keys()):
        made = classes[kind]
        defaults = {field.name: _default(field) for field in dataclasses.fields(made) if field.name in read}
        names = {other: key for other, key in made.attribute_map.items() if read & {other, key}}
        found[kind] = {"defaults": defaults} | ({"names": names} if names else {})
    return found


def _classes() -> dict[str, Any]:
    """Every config class by its model type, those of sections included."""
    from transformers import CONFIG_MAPPING

    classes: dict[str, Any] = {}
    for model_type in CONFIG_MAPPING:
        try:
            made: Any = CONFIG_MAPPING[model_type]
        except (AttributeError, ImportError):
            continue
        classes.setdefault(made.model_type, made)
        for inner in (getattr(made, "sub_configs_defaults", None) or {}).values():
            section = getattr(inner, "config_class", inner)
            classes.setdefault(getattr(section, "model_type", ""), section)
    return classes


def _default(field: Any) -> Any:
    if field.default is not dataclasses.MISSING:
        return list(field.default) if isinstance(field.default, tuple) else field.default
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else None


def _entry(name: str, keys: set[str]) -> dict[str, str]:
    return {"class": name, "keys": " ".join(sorted(keys))}


def main() -> None:
    """Write both files."""
    found = {
        library: {"version": importlib.metadata.version(library), "types": keys}
        for library, keys in (("transformers", transformers_keys()), ("diffusers", diffusers_keys()))
    }
    (TARGET / "class_keys.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    lines = ",\n".join(f" {json.dumps(kind)}: {json.dumps(facts)}" for kind, facts in tower_defaults().items())
    (TARGET / "huggingface" / "towers" / "defaults.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
