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
from collections.abc import Callable, Iterator
from importlib import util
from pathlib import Path
from typing import Any, Final

from roofline import importers
from roofline.importers.diffusers.components import COMPONENTS
from roofline.importers.huggingface.families import FAMILIES, TEXT_TYPES
from roofline.importers.huggingface.forms.wrappers import wrappers_of
from roofline.importers.huggingface.harmless import is_harmless
from roofline.importers.huggingface.towers.read import ENCODERS, TOWERS
from roofline.importers.huggingface.towers.sections import SECTIONS

_ASKING: Final = ("getattr", "hasattr")
#: Keys of which transformers makes the caches of every model (`DynamicCache`), whether or not its class declares them.
CACHED: Final = {"sliding_window", "attention_chunk_size", "layer_types"}
TARGET: Final = Path(importers.__file__).parent


def transformers_keys() -> dict[str, dict[str, Any]]:
    """Per model type: what its class and the code of its model read, what neither reads, and the class's defaults."""
    from transformers import CONFIG_MAPPING

    text_encoders = {"CLIPTextModel": "clip_text_model", "CLIPTextModelWithProjection": "clip_text_model"}
    types = (
        {name: name for name in (*FAMILIES, *TEXT_TYPES, *wrappers_of(FAMILIES))}
        | text_encoders
        | {"T5EncoderModel": "t5", "UMT5EncoderModel": "umt5"}
    )
    classes, shared, found = _classes(), _read_by_all(), {}
    for known_as, model_type in types.items():
        made: Any = CONFIG_MAPPING[model_type] if model_type in CONFIG_MAPPING else classes.get(model_type)
        if made is not None:
            found[known_as] = _transformers_entry(made, model_type, shared)
    return found


def _transformers_entry(made: Any, model_type: str, shared: set[str]) -> dict[str, Any]:
    from transformers import PreTrainedConfig

    source, folder = inspect.getsource(made), Path(inspect.getfile(made)).parent
    base = set(inspect.signature(PreTrainedConfig.__init__).parameters) | {"self", "kwargs", *dir(PreTrainedConfig)}
    names = made.attribute_map
    declared = set(inspect.signature(made.__init__).parameters) | set(names) | set(names.values())
    read = _read(folder, _of_configs) | shared | _read_by_class(source)
    read |= {key for pair in names.items() if read.intersection(pair) for key in pair}
    asked = (_read(folder, _asked_of_configs) | CACHED | _taken(source)) - base
    known = (declared & read) - base | asked
    entry = _entry(_model_class(model_type) or made.__name__, known)
    if idle := declared - known - base - set(made.sub_configs):
        entry["idle"] = " ".join(sorted(idle))
    defaults = {field.name: _default(field) for field in dataclasses.fields(made) if field.name in known}
    plain = {
        key: value for key, value in sorted(defaults.items()) if isinstance(value, (bool, int, float, str, type(None)))
    }
    return entry | {"defaults": {key: value for key, value in plain.items() if not is_harmless(key, value)}}


def _model_class(model_type: str) -> str:
    """The class that a file of this type names first: the language model's, else the base model's."""
    from transformers.models.auto import modeling_auto as auto

    tables = (
        auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        auto.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES,
        auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES,
        auto.MODEL_MAPPING_NAMES,
    )
    named = next((table[model_type] for table in tables if model_type in table), "")
    return named if isinstance(named, str) else named[0]


def _read(folder: Path, by: Callable[[ast.AST], Iterator[str]]) -> set[str]:
    """Attributes of a config that the code of a model reads."""
    return {name for file in sorted(folder.glob("modeling_*.py")) for name in _in_file(file, by)}


def _read_by_all() -> set[str]:
    """Attributes of a config that masks, caches and rotations read, whatever the model."""
    import transformers

    root = Path(transformers.__file__).parent
    names = ("cache_utils", "masking_utils", "modeling_rope_utils", "modeling_utils", "modeling_layers", "activations")
    return {name for file in names for name in _in_file(root / f"{file}.py", _of_configs)}


def _in_file(file: Path, by: Callable[[ast.AST], Iterator[str]]) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        yield from by(node)


def _of_configs(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Attribute) and _is_config(node.value):
        yield node.attr
    yield from _asked_of_configs(node)


def _asked_of_configs(node: ast.AST) -> Iterator[str]:
    """A key that a config may have without declaring it."""
    if isinstance(node, ast.Call) and len(node.args) > 1 and getattr(node.func, "id", "") in _ASKING:
        config, key = node.args[:2]
        if _is_config(config) and isinstance(key, ast.Constant):
            yield str(key.value)


def _is_config(node: ast.AST) -> bool:
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    return name == "config" or name.endswith("_config")


def _read_by_class(source: str) -> set[str]:
    """What the methods of a config class read of it: values from which it makes others."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)]
    return {
        node.attr
        for node in nodes
        if isinstance(node.ctx, ast.Load) and isinstance(node.value, ast.Name) and node.value.id == "self"
    }


def known_keys() -> str:
    """Every key that any config class of transformers declares."""
    from transformers import CONFIG_MAPPING

    made = [*_classes().values(), *(CONFIG_MAPPING[name] for name in CONFIG_MAPPING)]
    found = {
        key for one in made for key in (*inspect.signature(one.__init__).parameters, *getattr(one, "attribute_map", ()))
    }
    return " ".join(sorted(found - {"self", "kwargs"}))


def diffusers_keys() -> dict[str, dict[str, Any]]:
    """Per component class: parameters of its constructor and their defaults, read without running it."""
    found = {}
    for name, made in _constructors():
        if name in COMPONENTS:
            arguments = {arg.arg for arg in made.args.args} - {"self"}
            pairs = zip(made.args.args[::-1], made.args.defaults[::-1], strict=False)
            plain = {arg.arg: value.value for arg, value in pairs if isinstance(value, ast.Constant)}
            found[name] = _entry(name, arguments) | {"defaults": dict(sorted(plain.items()))}
    return dict(sorted(found.items()))


def known_to_diffusers() -> str:
    """Every parameter of any constructor of its models."""
    return " ".join(sorted({arg.arg for _, made in _constructors() for arg in made.args.args} - {"self"}))


def _constructors() -> Iterator[tuple[str, ast.FunctionDef]]:
    root = Path(str(util.find_spec("diffusers").origin)).parent  # type: ignore[union-attr]
    for file in sorted((root / "models").rglob("*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            parts = node.body if isinstance(node, ast.ClassDef) else ()
            made = next((part for part in parts if isinstance(part, ast.FunctionDef) and part.name == "__init__"), None)
            if isinstance(node, ast.ClassDef) and made is not None:
                yield node.name, made


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


def absent_sections() -> dict[str, dict[str, dict[str, Any]]]:
    """Per multimodal class: the encoders that it makes where a file has none, with what it gives them of its own."""
    wrappers = json.loads((TARGET / "huggingface" / "forms" / "wrappers.json").read_text(encoding="utf-8"))["classes"]
    classes, defaults = _classes(), json.loads(json.dumps(tower_defaults()))
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for name in sorted({*wrappers, *TOWERS} & classes.keys()):
        made = classes[name]()
        for section in SECTIONS:
            values = getattr(made, section, None)
            if values is not None:
                tower = TOWERS.get(name, {}).get(section)
                known = defaults.get(tower.kind, {}).get("defaults", {}) if tower is not None else {}
                own = {key: _as_json(getattr(values, key)) for key in known if hasattr(values, key)}
                given = {key: value for key, value in own.items() if value != known[key]}
                found.setdefault(name, {})[section] = given
    return found


def _as_json(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


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


def _entry(name: str, keys: set[str]) -> dict[str, Any]:
    return {"class": name, "keys": " ".join(sorted(keys))}


def _a_line_each(libraries: dict[str, dict[str, Any]]) -> str:
    """The facts as JSON, a line per type."""
    found = []
    for library, facts in libraries.items():
        types = _rows(facts["types"], "  ")
        rest = "".join(f' "{key}": {json.dumps(facts[key])},\n' for key in facts if key != "types")
        found.append(f'"{library}": {{\n{rest} "types": {{\n{types}\n }}\n}}')
    return "{\n" + ",\n".join(found) + "\n}\n"


def main() -> None:
    """Write all files."""
    found: dict[str, dict[str, Any]] = {
        library: {"version": importlib.metadata.version(library), "types": keys}
        for library, keys in (("transformers", transformers_keys()), ("diffusers", diffusers_keys()))
    }
    found["transformers"]["known"], found["diffusers"]["known"] = known_keys(), known_to_diffusers()
    (TARGET / "class_keys.json").write_text(_a_line_each(found), encoding="utf-8")
    towers = TARGET / "huggingface" / "towers"
    (towers / "defaults.json").write_text(f"{{\n{_rows(tower_defaults(), ' ')}\n}}\n", encoding="utf-8")
    head = f' "version": {json.dumps("transformers " + found["transformers"]["version"])},\n "classes": {{\n'
    (towers / "absent.json").write_text(f"{{\n{head}{_rows(absent_sections(), '  ')}\n }}\n}}\n", encoding="utf-8")


def _rows(facts: dict[str, Any], margin: str) -> str:
    return ",\n".join(f"{margin}{json.dumps(name)}: {json.dumps(values)}" for name, values in facts.items())


if __name__ == "__main__":
    main()
