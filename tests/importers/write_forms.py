"""Writes what is known of classes that hold a language model: their rules of tying, and the classes of model types.

Needs transformers and torch, which the project itself does not: `python -m tests.importers.write_forms` in an
environment that has them. It writes `wrappers.json` and `classes.json` of the importers' forms. Models are made on the
meta device, with two layers. A class that cannot be made of its defaults keeps the entry that it has.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from roofline import importers
from roofline.importers.huggingface.families import FAMILIES, TEXT_SECTIONS

TARGET: Final = Path(importers.__file__).parent / "huggingface" / "forms"
_WORDS: Final = (None, True, False)
_GENERATES: Final = ("ForConditionalGeneration", "ForCausalLM", "LMHeadModel")
_PARTS: Final = ("Stack", "Encoder", "Decoder", "Wrapper", "PreTrainedModel")
_SIZES: Final = (
    *("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads"),
    *("num_key_value_heads", "head_dim", "max_position_embeddings", "sliding_window", "tie_word_embeddings"),
)
Rule = tuple[dict[str, Any], Callable[[bool | None, bool | None], bool]]


def classes_of(made: Any) -> list[Any]:
    """The model classes of a config class, in the order of its module."""
    from transformers import PreTrainedModel  # type: ignore[import-not-found]

    module = importlib.import_module(made.__module__.replace("configuration_", "modeling_"))
    found = [part for part in vars(module).values() if inspect.isclass(part) and issubclass(part, PreTrainedModel)]
    own = [part for part in found if part.config_class is made and part.__module__ == module.__name__]
    return [part for part in own if not part.__name__.endswith(_PARTS)]


def _rules() -> Iterator[Rule]:
    """Every rule, the plain ones first, with what it makes of an outer and an inner word."""
    yield {"tied": "never"}, lambda outer, inner: False
    for one in (True, False):
        yield {"tied": "outer", "outer": one}, lambda outer, inner, one=one: one if outer is None else outer
        yield {"tied": "inner", "inner": one}, lambda outer, inner, one=one: one if inner is None else inner
    for own, text in ((own, text) for own in (True, False) for text in (True, False)):
        yield (
            {"tied": "either", "outer": own, "inner": text},
            lambda outer, inner, own=own, text=text: bool(
                (own if outer is None else outer) or (text if inner is None else inner)
            ),
        )
    for one in (True, False):
        yield (
            {"tied": "outer, else inner", "inner": one},
            lambda outer, inner, one=one: bool(outer if outer is not None else one if inner is None else inner),
        )


def tying(made: Any, section: str, text: str) -> dict[str, Any]:
    """The rule of a multimodal class: of a model of it is asked, for every pair of words, which weights it ties."""
    import torch  # type: ignore[import-not-found]
    from transformers import PreTrainedModel

    def config(outer: bool | None, inner: bool | None) -> Any:
        words = {} if outer is None else {"tie_word_embeddings": outer}
        inside = {"model_type": text, "num_hidden_layers": 8 if "gemma4" in text else 2}
        inside |= {} if inner is None else {"tie_word_embeddings": inner}
        return made.from_dict({"model_type": made.model_type, section: inside, **words})

    plain = config(None, None)
    held = plain.get_text_config(decoder=True)
    with torch.device("meta"):
        model = next(part for part in classes_of(made) if part.__name__.endswith(_GENERATES))(plain)
    head = [f"{name}.weight" for name, part in model.named_modules() if part is model.get_output_embeddings()]
    parts = [part for part in model.modules() if isinstance(part, PreTrainedModel)]
    places = [(part, part.config is plain, part.config is held) for part in parts]
    seen = {}
    for outer, inner in ((outer, inner) for outer in _WORDS for inner in _WORDS):
        now = config(outer, inner)
        for part, is_outer, is_text in places:
            part.config = now if is_outer else now.get_text_config(decoder=True) if is_text else part.config
        tied = model.get_expanded_tied_weights_keys(all_submodels=True)
        seen[outer, inner] = any(name in head for name in (*tied, *tied.values()))
    return next(rule for rule, made_of in _rules() if all(made_of(*words) == found for words, found in seen.items()))


def wrappers(known: dict[str, Any]) -> dict[str, Any]:
    """Every class that holds a language model in a section, with what it gives absent keys of that section."""
    from transformers import CONFIG_MAPPING

    found = dict(known)
    for model_type in CONFIG_MAPPING:
        try:
            made = CONFIG_MAPPING[model_type]
            config = made()
            held = config.get_text_config(decoder=True)
            section = next(key for key in TEXT_SECTIONS if getattr(config, key, None) is held)
            found[model_type] = {"text": held.model_type, "section": section, **tying(made, section, held.model_type)}
            given = getattr(made.from_dict({section: {"model_type": held.model_type}}), section).to_dict()
            own = CONFIG_MAPPING[held.model_type]().to_dict()
        except Exception as error:
            print(f"{model_type}: kept as it is: {str(error)[:80]}")
            continue
        if any(given.get(key) != own.get(key) for key in _SIZES):
            found[model_type]["defaults"] = {key: given[key] for key in _SIZES if given.get(key) is not None}
    return found


def class_names(multimodal: dict[str, Any]) -> dict[str, str]:
    """The names of the model classes of every type that is read."""
    from transformers import CONFIG_MAPPING

    found = {}
    for model_type in (*FAMILIES, *multimodal):
        try:
            found[model_type] = " ".join(part.__name__ for part in classes_of(CONFIG_MAPPING[model_type]))
        except (KeyError, ImportError, AttributeError):
            continue
    return {model_type: names for model_type, names in found.items() if names}


def _written(name: str, head: dict[str, Any], key: str, rows: dict[str, Any]) -> None:
    lines = ",\n".join(f"  {json.dumps(row)}: {json.dumps(rows[row])}" for row in sorted(rows))
    tops = "".join(f" {json.dumps(top)}: {json.dumps(value)},\n" for top, value in head.items())
    (TARGET / name).write_text(f"{{\n{tops} {json.dumps(key)}: {{\n{lines}\n }}\n}}\n", encoding="utf-8")


def main() -> None:
    """Write both files."""
    version = f"transformers {importlib.metadata.version('transformers')}"
    held = wrappers(json.loads((TARGET / "wrappers.json").read_text(encoding="utf-8"))["classes"])
    _written("wrappers.json", {"version": version}, "classes", held)
    known = json.loads((TARGET / "classes.json").read_text(encoding="utf-8"))
    _written("classes.json", {"version": version, "untied": known["untied"]}, "types", class_names(held))


if __name__ == "__main__":
    main()
