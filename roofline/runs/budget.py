"""How an engine uses the memory of a device, and how many tokens of prompts it runs at once: as
it is known, or as asked.

Sources: each engine's file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from roofline.errors import UsageError
from roofline.machine.engine import IDEAL, read_engine
from roofline.num import Num, maximum, minimum
from roofline.runs.checks import whole_number
from roofline.runs.devices.spread import Spread
from roofline.specs.engine_memory import SetAside
from roofline.specs.gpu import GPUSpec
from roofline.specs.server import Defaults
from roofline.workload.plan import Plan

if TYPE_CHECKING:
    from roofline.workload.allocation import CacheLayout

#: The word for no chunks.
NONE: Final = "none"


class Held(NamedTuple):
    """Bytes on one device: weights, cache and state of all sequences, activations at their peak, runtime; and what a
    draft takes of each.
    """

    weights: Num
    cache: Num
    state: Num
    activations: Num
    runtime: Num
    draft_weights: Num = 0.0
    draft_cache: Num = 0.0
    draft_activations: Num = 0.0

    @property
    def all_weights(self) -> Num:
        """Those of the model and of a draft."""
        return self.weights + self.draft_weights

    @property
    def sequences(self) -> Num:
        """What sequences hold."""
        return self.cache + self.state + self.draft_cache

    @property
    def beside(self) -> Num:
        """All but what sequences hold."""
        return self.all_weights + self.activations + self.draft_activations + self.runtime

    @property
    def total(self) -> Num:
        """All of it, summed as the parts of a memory are."""
        held = self.weights + self.cache + self.state + self.activations
        return held + self.draft_weights + self.draft_cache + self.draft_activations + self.runtime


class Budget(NamedTuple):
    """What an engine makes of the memory that programs can have (`seen`).

    `share` and `of`: see `EngineMemory`; without a share everything must find room. `runtime`
    are bytes beside weights, cache and activations, `logits` those of drawing tokens for all sequences, over the size
    of the vocabulary. `padded`: states stand in pages of the cache. `whole_chunk`: activations of a chunk
    are reserved, whatever the prompts. `all_seen`: the driver keeps nothing. `given`: the
    share was asked for, `reserved`: what the runtime keeps.
    """

    share: float | None = None
    of: str = "all"
    runtime: float = 0.0
    logits: float = 0.0
    sequences: int = 0
    padded: bool = False
    whole_chunk: bool = False
    all_seen: bool = False
    given: bool = False
    reserved: bool = False

    def pool(self, held: Held, seen: Num) -> Num:
        """Bytes that are left for what sequences hold; below nothing where the rest has no room."""
        left = seen - held.beside
        if self.share is None:
            return left
        if self.of == "free":
            return self.share * left
        if self.of == "static":
            return minimum(self.share * (seen - held.runtime) - held.all_weights, left)
        return self.share * seen - held.beside

    def usable(self, held: Held, seen: Num) -> Num:
        """Bytes up to which weights, activations, runtime, cache and state together have room."""
        if self.share is not None and self.of == "all":
            return self.share * seen
        return seen if self.share is None else maximum(0.0, held.beside + self.pool(held, seen))

    def needed(self, held: Held) -> Num:
        """Bytes that programs must have for all of it to have room."""
        sequences = held.sequences
        if self.share is None:
            return held.total
        if self.of == "all":
            return held.total / self.share
        if self.of == "free":
            return held.beside + sequences / self.share
        return maximum((held.all_weights + sequences) / self.share + held.runtime, held.total)


#: All of the memory, and nothing beside weights, cache and activations.
BARE: Final = Budget(all_seen=True)


def budget_of(engine: str, gpu: GPUSpec, given: Mapping[str, Any], spread: Spread) -> Budget:
    """The budget of an engine on an accelerator, with what is asked otherwise. Raises UsageError.

    A reserve that is asked for stands in the place of all that the engine is known to keep; what the driver does not
    hand out is lost all the same, but for the ideal engine.
    """
    asked = given.get("utilisation")
    share = None if asked is None else _share(asked)
    several, reserve = spread.plan.devices > spread.plan.dp, spread.reserve
    slots = given.get("max_sequences")
    if slots is not None and (engine == IDEAL or reserve.source):
        raise UsageError("--max-sequences: nothing is kept for them with --engine ideal or a --runtime-reserve")
    if engine == IDEAL:
        return BARE._replace(share=share, runtime=reserve.bytes, given=share is not None, reserved=bool(reserve.source))
    memory, habit = read_engine(engine).memory, read_engine(engine).memory.share
    if reserve.source:
        own = Budget(share, runtime=reserve.bytes, given=share is not None, reserved=True)
        return own._replace(whole_chunk=memory.whole_chunk)
    if memory.aside is not None:
        chunk = chunk_of(engine, gpu, given.get("chunk")) or chunk_of(engine, gpu, None)
        habit = _left(memory.aside, chunk, gpu, spread.plan)
    if slots is not None and not memory.sampling:
        raise UsageError(f"--max-sequences: it is not known what {engine} keeps for each of them")
    sequences = default_of(memory.sequences, gpu) if slots is None else int(float(whole_number("max-sequences", slots)))
    return Budget(
        share=habit if share is None else share,
        of=memory.of,
        runtime=memory.runtime + (memory.linked if several else 0.0),
        logits=memory.sampling * sequences,
        sequences=sequences,
        padded=memory.states == "padded",
        whole_chunk=memory.whole_chunk,
        given=share is not None,
    )


def _left(aside: SetAside, chunk: float, gpu: GPUSpec, plan: Plan) -> float:
    """The share of an accelerator's memory that is left beside what an engine sets aside; to a thousandth, as engines
    round it; a hundredth at least.
    """
    graph = default_of(aside.graph, gpu, plan.tp)
    prompts = aside.token * max(chunk, float(aside.tokens))
    kept = aside.fixed + prompts + aside.sequence * graph + aside.device * plan.tp * plan.pp
    return max(round(1.0 - kept / gpu.memory.capacity, 3), 0.01)


def layout_of(engine: str) -> CacheLayout | None:
    """How an engine lays out its cache; None where it holds each key once and no more."""
    memory = read_engine(engine).memory if engine != IDEAL else None
    if memory is None or (memory.page, memory.windows, memory.chunks) == (1, "window", "chunk"):
        return None
    from roofline.workload.allocation import CacheLayout

    return CacheLayout(float(memory.page), memory.windows == "full", memory.chunks == "full")


def _share(value: Any) -> float:
    text = value.strip() if isinstance(value, str) else ""
    try:
        share = float(text[:-1]) / 100 if text.endswith("%") else float(value)
    except (TypeError, ValueError):
        share = -1.0
    if isinstance(value, bool) or not 0.0 < share <= 1.0:
        raise UsageError(f"--utilisation {value}: a share of the memory is above 0 and at most 1, for example 0.9")
    return share


def chunk_of(engine: str, gpu: GPUSpec, asked: Any) -> float:
    """Tokens of prompts that go through the layers at once, as asked, else by the engine's habit; 0: all of them.

    Raises UsageError for what is no number of tokens.
    """
    if asked is None:
        return float(default_of(read_engine(engine).chunk, gpu)) if engine != IDEAL else 0.0
    if str(asked).strip().lower() == NONE:
        return 0.0
    text = str(asked).strip()
    if isinstance(asked, str) and not text.isdecimal():
        raise UsageError(f"--chunk {text[:40]}: a number of tokens, or {NONE}")
    return float(whole_number("chunk", int(text) if isinstance(asked, str) else asked))


def default_of(defaults: Defaults, gpu: GPUSpec, tp: int = 1) -> int:
    """What counts on an accelerator, of so many that share a tensor; 0 where nothing does."""
    found = 0
    for entry in defaults:
        if gpu.memory.capacity >= entry.memory and tp >= entry.tp and not gpu.name.startswith(entry.but):
            found = entry.value
    return found
