"""The keys that each library's class of a config reads: a key that it does not know cannot change its model.

The facts are data (`class_keys.json`): names of parameters, of other spellings, and of what a constructor takes from
its further arguments. `tests/importers/write_config_classes.py` writes them. Source: transformers 5.24.0 and diffusers
0.42.1.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from roofline.errors import nearest
from roofline.importers.huggingface.config import Config

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
#: What to do with a key that is not known.
REMOVE_HINT: Final = "Remove it, or set it to null, if it changes no shape."
_ALIKE: Final = 0.84


class ClassKeys(NamedTuple):
    """The class of a config: its name, its library with version, the keys that it reads.

    `replaced`: the file brings code of its own, whose keys are not known.
    """

    name: str
    library: str
    keys: frozenset[str]
    replaced: bool = False

    def __str__(self) -> str:
        return f"{self.name} ({self.library})"


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
    return ClassKeys(found["class"], f"{library} {facts['version']}", frozenset(found["keys"].split()))


def ignored_or_refused(config: Config, key: str, known: ClassKeys | None, what: str) -> str:
    """Why an unread key is ignored. Raises UnsupportedError for one that may change the shape.

    A key that the class does not know is ignored by the library too; it is refused all the same where it looks like a
    misspelt one, or where its name tells of shapes, since the class may be older than the file. `known` is None where
    the class is not known.
    """
    close = nearest(key, [*config.used, *(known.keys if known else ())], 1)
    misspelt = bool(close) and _alike(key, close[0])
    reason = "" if misspelt else _without_effect(key, config.data[key], known)
    if not reason:
        hint = f"{close[0]!r} is understood. " if misspelt and close[0] != "model_type" else ""
        config.unsupported(key, f"unknown key for {what}, which may change the shape", f"{hint}{REMOVE_HINT}")
    return reason


def _without_effect(key: str, value: Any, known: ClassKeys | None) -> str:
    """Why a key has no effect; empty where it may have one."""
    words = set(re.findall(r"[a-z]+|\d+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower()))
    operational = bool(words & _OF_RUNNERS) and not words & _FORMATS
    shapely = bool(words & _OF_SHAPES) or (isinstance(value, dict) and not operational)
    if known is not None and key not in known.keys:
        if _is_off(value):
            return f"{known} does not know it, and it is off"
        if not known.replaced and (operational or not shapely):
            return f"{known} does not know it"
    if (known is None or known.replaced) and operational and not shapely:
        return "its name says nothing about a shape"
    return ""


def _is_off(value: Any) -> bool:
    return value in (None, False, "") or value in ([], {})


def _alike(key: str, other: str) -> bool:
    from difflib import SequenceMatcher

    return SequenceMatcher(None, key.lower(), other.lower()).ratio() >= _ALIKE


def told(ignored: dict[str, list[str]]) -> list[str]:
    """Sentences for what was ignored: reason -> keys."""
    return [f"ignored, since {reason}: {', '.join(keys)}" for reason, keys in ignored.items()]
