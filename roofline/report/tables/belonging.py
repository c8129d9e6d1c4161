"""Which assumptions and sources belong to some of the numbers of an explanation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from roofline.analysis.estimate import Answer

#: Parts of the names of quantities.
_TIMES: Final = ("_s", "latency", "throughput")
_FIT: Final = ("total_bytes", "max_")
_PHASES: Final = ("prefill", "decode", *_TIMES)
_CACHE: Final = ("kv_cache", *_FIT)
_LINKS: Final = ("communication", *_TIMES)

#: How an assumption begins, and the quantities that it touches. One that begins otherwise belongs to all.
BEGINNINGS: Final[dict[str, tuple[str, ...]]] = {
    "GPU ": ("machine", *_FIT, *_TIMES),
    "weights ": ("memory", "machine", *_PHASES),
    "fusion ": ("activation", *_FIT, *_PHASES),
    "logits ": ("activation", *_FIT, *_PHASES),
    "every sequence ": ("activation", *_CACHE, *_PHASES),
    "the last generated token ": (*_CACHE, "decode", *_TIMES),
    "steady load: ": ("service",),
    "nominal ": ("machine", *_FIT, *_TIMES),
    "heads that predict ": ("parameters", "weights", *_FIT),
    "engine ": _TIMES,
    "the engine takes ": _FIT,
    "memory kept": _FIT,
    "no memory reserved ": _FIT,
    "replicated over tp": ("memory", *_PHASES),
    "no engine is taken to pad ": ("memory", *_PHASES),
    "pipeline: ": ("memory", *_PHASES),
    "collectives at ": _LINKS,
    "node ": _LINKS,
}


def assumptions_of(est: Answer, quantities: Iterable[str]) -> list[str]:
    """The assumptions that touch any of these quantities."""
    names = list(quantities)
    found = []
    for note in est.assumptions:
        touched = next((parts for start, parts in BEGINNINGS.items() if note.startswith(start)), ("",))
        if _touch(names, touched):
            found.append(note)
    return found


def sources_of(est: Answer, quantities: Iterable[str]) -> list[str]:
    """The sources of the files from which any of these quantities takes a value."""
    names, gpu = list(quantities), set(est.question.gpu.sources)
    model = set(est.question.spec.sources)
    of_model = any(not name.startswith(("machine.", "spread.")) for name in names)
    of_gpu, of_node = _touch(names, BEGINNINGS["GPU "]), _touch(names, _LINKS)
    asked = {source for source in model if of_model} | {source for source in gpu if of_gpu}
    return [source for source in est.sources if source in asked or (source not in model | gpu and of_node)]


def _touch(names: list[str], parts: Iterable[str]) -> bool:
    """Whether a quantity has any of these in its name; `_s` and `_per_s` only end one."""
    return any(name.endswith(part) if part == "_s" else part in name for part in parts for name in names)
