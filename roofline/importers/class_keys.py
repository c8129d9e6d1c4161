"""The keys that each library's classes read: a key that they do not read cannot change their model.

The facts are data (`class_keys.json`): keys that a config class declares and that it or the code of its model reads,
those that it declares and nothing reads, and its defaults. `tests/importers/write_config_classes.py` writes them.
Source: transformers 5.24.0 and diffusers 0.42.1.

A key that no family function asked for is judged so:

* its class reads it: as good as absent where the value is the class's default, else refused, since it is not modelled;
* it is null, false or empty: nothing;
* it is a slip of a key that the class reads, and no class of the library has it: refused;
* the class does not read it: ignored, and the answer says so. It is refused only where its name tells of a shape, no
  class of the library has such a key, and the file does not say that it is as old as the class: then the class may be
  too old for it;
* the file brings code of its own, or its class is not known: ignored where the name tells of no shape.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from roofline.errors import likeness, nearest
from roofline.importers.huggingface.config import ALIKE, Config, shown

#: Words that say something about shapes or formats: such a key may belong to a newer class than the one listed here.
_OF_SHAPES: Final = frozenset(
    """
    layer layers block blocks head heads hidden width dim dims size sizes expert experts moe mlp ffn ff intermediate
    inner embed embedding embeddings emb attn attention kv q k v qk qkv norm norms bias gate gated glu rank lora window
    sliding conv kernel rotary rope depth vocab vocabulary num n channels channel groups group stride router topk
    shared share tie tied state ssm mamba memory latent latents mtp nextn adapter projection proj dense sparse
    indexer altup laurel buckets expand position positions pos encoder decoder pooler pattern every frequency interval
    stream streams hyper connections tokens activation act quant quantization bits dtype dual cross factor
    normalization swiglu query levels mid down up resnet resnets transformer gelu silu matrix matrices parallel
    """.split()  # noqa: SIM905
)
#: Words of running, training and keeping a model: with one of these a key says nothing about its shape.
_OF_RUNNERS: Final = frozenset(
    """
    batch runner inference train training trained eval evaluation optimizer optimization lr learning seed ema warmup
    step steps epoch epochs tokenizer prompt template path url date time author license commit version name backend
    flash sdpa cuda device compile checkpoint checkpointing log logging debug generation sampling dropout init
    initializer std eps loss label labels past dataset sequence length decay validate logits description created
    fuse fused recompute micro ctx context len impl implementation
    """.split()  # noqa: SIM905
)
_FORMATS: Final = frozenset({"dtype", "quant", "quantization", "bits"})
_FILE: Final = Path(__file__).with_name("class_keys.json")
#: Where a file says by which version of a library it was written.
_VERSIONS: Final = {"transformers": "transformers_version", "diffusers": "_diffusers_version"}
_UNSET: Final[Any] = object()
#: What to do with a key that is not known.
REMOVE_HINT: Final = "Remove it, or set it to null, if it changes no shape."
#: From here on two names are one and a slip, though both stand in the file.
_NEARLY_EQUAL: Final = 0.9


class ClassKeys(NamedTuple):
    """A model's class and its library with version: the keys that it reads, those that it declares and never reads.

    `defaults` are the values of its class for keys that it reads. `replaced`: the file brings code of its own, whose
    keys are not known. `version` is that of the library, `anywhere` the keys that any of its classes declares.
    """

    name: str
    library: str
    version: str
    keys: frozenset[str]
    idle: frozenset[str] = frozenset()
    defaults: Mapping[str, Any] = {}
    anywhere: frozenset[str] = frozenset()
    replaced: bool = False

    def __str__(self) -> str:
        return f"{self.name} ({self.library} {self.version})"


@cache
def _facts() -> Any:
    return json.loads(_FILE.read_text(encoding="utf-8"))


@cache
def class_keys(library: str, known_as: str) -> ClassKeys | None:
    """The class of a model type of transformers, or of a component of diffusers; None where it is not known."""
    facts = _facts()[library]
    found = facts["types"].get(known_as)
    if found is None:
        return None
    keys, idle, anywhere = (
        frozenset(text.split()) for text in (found["keys"], found.get("idle", ""), facts.get("known", ""))
    )
    return ClassKeys(found["class"], library, facts["version"], keys, idle, found.get("defaults", {}), anywhere)


def ignored_or_refused(config: Config, key: str, known: ClassKeys | None, what: str) -> str:
    """Why an unread key is ignored; empty where it says nothing. Raises UnsupportedError for one that may count.

    `known` is None where the class is not known.
    """
    value = config.data[key]
    if known is not None and key in known.keys:
        if _is_default(value, known.defaults.get(key, _UNSET)):
            return ""
        hint = f"Understood: {shown(known.defaults[key])}, as that class has it." if key in known.defaults else ""
        config.unsupported(key, f"{shown(value)} is not modelled, and {known} reads it", hint or REMOVE_HINT)
    if is_off(value):
        return ""
    if known is not None and key in known.idle and not known.replaced:
        return f"{known} does not read it"
    _refuse_misspelt(config, key, known, what)
    reason = _of_own_code(key, value, known) if known is None or known.replaced else _unread(config, key, known, what)
    if not reason:
        config.unsupported(key, f"unknown key for {what}, which may change the shape", REMOVE_HINT)
    return reason


def _unread(config: Config, key: str, known: ClassKeys, what: str) -> str:
    """Why a key that a class of the library does not read has no effect; refused where the class may be too old."""
    data = (config.outer or config).data
    written = str(data.get(_VERSIONS[known.library]) or "")
    old = (0,) < _order(written) <= _order(known.version)
    if not old and key not in known.anywhere and _tells_of_shapes(key, config.data[key]):
        message = f"unknown key for {what}, which may change the shape: {known} may be older than this key"
        config.unsupported(key, message, REMOVE_HINT)
    return f"{known} does not read it"


def _of_own_code(key: str, value: Any, known: ClassKeys | None) -> str:
    return "" if _tells_of_shapes(key, value) else "its name says nothing about a shape, to the code that reads it"


def _refuse_misspelt(config: Config, key: str, known: ClassKeys | None, what: str) -> None:
    if known is not None and key in known.anywhere:
        return
    close = nearest(key, [*config.used, *(known.keys if known else ())], 1)
    alike = likeness(key, close[0]) if close else 0.0
    slip = alike >= (_NEARLY_EQUAL if close and close[0] in config.data else ALIKE)
    if slip and close[0] != "model_type":
        message = f"unknown key for {what}, which may change the shape"
        config.unsupported(key, message, f"{close[0]!r} is understood. {REMOVE_HINT}")


def _tells_of_shapes(key: str, value: Any) -> bool:
    """Whether the name of a key, or a mapping as its value, may say something about shapes or formats."""
    words = set(re.findall(r"[a-z]+|\d+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower()))
    if words & _OF_RUNNERS and not words & _FORMATS:
        return False
    return bool(words & _OF_SHAPES) or isinstance(value, dict)


def is_off(value: Any) -> bool:
    """Whether a value switches something off: null, false, or nothing in it."""
    return value in (None, False, "") or value in ([], {})


def _is_default(value: Any, default: Any) -> bool:
    return bool(value == default) and isinstance(value, bool) == isinstance(default, bool)


def _order(version: str) -> tuple[int, ...]:
    """A version as numbers that can be compared; (0,) for what is none."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(part[:9]) for part in found.group().split(".")[:4]) if found else (0,)


def told(ignored: dict[str, list[str]]) -> list[str]:
    """Sentences for what was ignored: reason -> keys."""
    return [f"ignored, since {reason}: {', '.join(keys)}" for reason, keys in ignored.items() if reason]
