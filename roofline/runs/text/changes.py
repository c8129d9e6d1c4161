"""What makes a language model's run need less memory: chunks, formats of the cache, plans over several devices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from roofline.runs.changes import Change, formats_of, narrower_weights
from roofline.runs.devices.resolve import split_of
from roofline.runs.kind import Question
from roofline.runs.text.host_changes import has_experts, host_changes
from roofline.specs.formats.caches import read_cache

_SEQUENCES: Final = (256, 64)
_CHUNKS: Final = (8192, 2048, 512)
_UTILISATIONS: Final = (0.95, 0.98)


def text_changes(question: Question) -> Iterator[Change]:
    """Changes that leave the numbers as they are first, then formats of the cache, wide to narrow, then what may
    stay with the host.
    """
    if question.execution.level == "eager":
        yield Change("fusion flash", {"fusion": "flash"})
    yield from _sequences(question)
    yield from (Change(f"utilisation {share:g}", {"utilisation": share}) for share in _UTILISATIONS)
    yield from (Change(f"prompts in chunks of {chunk:,} tokens", {"chunk": chunk}) for chunk in _CHUNKS)
    formats = formats_of(question.engine)
    for name in formats.cache if formats is not None else ():
        if read_cache(name).bits < question.precision.cache.bits:
            yield Change(f"KV-cache in {name}", {"kv_cache": name})
    yield from host_changes(question)


def text_formats(question: Question) -> Iterator[Change]:
    """Narrower formats of the weights; embedding, head and router stay in 16 bit, as tools that quantise leave them."""
    spec = question.spec
    there = (
        ("embedding", spec.vocabulary),
        ("head", spec.head and spec.vocabulary),
        ("router", has_experts(spec)),
    )
    wide = [name for name, is_there in there if is_there]
    return narrower_weights(question.precision, question.engine, question.machine(), wide)


def _sequences(question: Question) -> Iterator[Change]:
    """Fewer sequences at once where the engine keeps room to draw tokens for each: never fewer than are asked."""
    at_once = question.execution.budget.sequences
    for number in _SEQUENCES:
        if float(question.run.batch) <= number < at_once:
            yield Change(f"at most {number:,} sequences at once", {"max_sequences": number})


def text_plans(question: Question, gpus: int, node: int) -> Iterator[Mapping[str, Any]]:
    """Plans over so many devices, `node` of which have fast links: as much tensor parallelism as there can be first.

    Where the heads do not divide, layers are laid over stages; experts are also tried whole, each on one device. An
    engine that splits layers where nothing is said has that one plan.
    """
    if split_of(question.engine).by == "layers":
        yield {"tp": 1, "pp": gpus}
        return
    experts = has_experts(question.spec)
    for tp in range(min(gpus, node), 0, -1):
        if gpus % tp == 0:
            plan = {"tp": tp, "pp": gpus // tp}
            yield plan
            if experts and tp > 1:
                yield plan | {"ep": tp}
