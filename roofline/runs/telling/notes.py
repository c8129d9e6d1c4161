"""What is said beside the numbers of every kind of run: names taken for others, formats without units, what fits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from roofline.answer.memory import Memory
from roofline.answer.phase import Warn
from roofline.errors import RooflineError, UsageError
from roofline.machine.engine import IDEAL
from roofline.runs.kind import Outcome, Question
from roofline.runs.load import Origin, locate_gpu, locate_model
from roofline.runs.memory_size import memory_notes
from roofline.runs.options import OPTIONS
from roofline.runs.telling.unverified import unverified_hardware
from roofline.specs.files.library import other_sizes
from roofline.specs.files.spelling import squeezed
from roofline.specs.formats.dtypes import find_dtype
from roofline.workload.schedulers import find_scheduler


def alias_notes(q: Question) -> list[str]:
    """Which model and GPU the names of a question were taken for, where they were asked for by another, and in which
    size of memory.
    """
    notes = []
    if q.model_origin.alias and q.model_origin.alias.lower() != q.spec.name:
        full = in_full(f"{q.spec.name} ({q.spec.title})", q.model_origin)
        notes.append(f"model {q.model_origin.alias} is {full}")
    if q.gpu_origin.alias:
        notes.append(f"GPU {q.gpu_origin.alias} is {q.gpu.name} ({q.gpu.title})")
    notes += [f"{name} {asked} is {known}" for name, asked, known in _other_names(q)]
    return notes + memory_notes(q.gpu, q.gpu_origin.sold)


def taken_as(q: Question) -> list[str]:
    """Which names of a question were taken for others, in lines for people, and other sizes of memory."""
    model = (q.model_origin.alias, in_full(q.spec.name, q.model_origin))
    lines = named_lines({"model": model, "GPU": (q.gpu_origin.alias, q.gpu.name)}, _asked(q, "spec_dir"))
    return [*lines, *(f"{name} {asked} is taken as {known}" for name, asked, known in _other_names(q)), *_narrower(q)]


def in_full(name: str, origin: Origin) -> str:
    """What a model was taken for: its name, and the format of its weights where that stood behind the name."""
    return f"{name} with weights {origin.weights}" if origin.weights else name


def _narrower(q: Question) -> Iterator[str]:
    """That Ollama has fewer bits than are counted, for who names a model as Ollama does, or that engine.

    Source: tags of its library, most of which are of Q4_K_M or, of older models, of Q4_0.
    """
    named = q.model_origin.alias or ""
    tagged = ":" in named and not named.startswith(("http", "hf:"))
    if not (tagged or q.engine.startswith("ollama")) or q.kind.name != "text" or _asked(q, "weights"):
        return
    if q.precision.weights.bits >= _WIDE:
        yield f"Ollama's own files have 4 bits, most in q4_k_m; counted is {q.precision.weights.name}: see --weights"


def named_lines(named: Mapping[str, tuple[str | None, str]], spec_dir: str | None) -> Iterator[str]:
    """For each of `model` and `GPU` that was asked for by an alias, what that stands for."""
    for what, (alias, name) in named.items():
        if not alias or squeezed(alias) == squeezed(name):
            continue
        others = other_sizes(name, alias, spec_dir) if what == "GPU" else []
        beside = f"; there is {' and '.join(others)} too" if others else ""
        yield f"{what} {alias} is taken as {name}{beside}"


def taken_names(models: Iterable[Any], gpus: Iterable[Any], spec_dir: str | None = None) -> Iterator[str]:
    """For each name of a model or an accelerator that is another's, what it stands for."""
    for model in models:
        with suppress(RooflineError):
            spec: Any
            spec, origin = locate_model(model, spec_dir, tags=True)
            yield from named_lines({"model": (origin.alias, in_full(spec.name, origin))}, spec_dir)
    for gpu in gpus:
        with suppress(RooflineError):
            chip, origin = locate_gpu(gpu, spec_dir)
            yield from named_lines({"GPU": (origin.alias, chip.name)}, spec_dir)


def _other_names(q: Question) -> Iterator[tuple[str, str, str]]:
    """Options that were asked for by a name that is not its own: option, as asked, the name."""
    for name, find in _FOUND.items():
        asked = _asked(q, name)
        if not isinstance(asked, str) or asked == OPTIONS[name].default or asked.endswith((".yaml", ".yml")):
            continue
        with suppress(UsageError):
            known = q.engine.rpartition("@")[0] or q.engine if name == "engine" else find(asked)
            if squeezed(asked.rpartition("@")[0] or asked) != squeezed(known):
                yield name.replace("_", "-"), asked, known


def _asked(q: Question, name: str) -> Any:
    """What an option was given; None where it was not, or nobody asked."""
    return q.asked.options.get(name) if q.asked is not None else None


def _format(name: str) -> str:
    return find_dtype(name).name


#: Bits of weights that nobody made narrower.
_WIDE: Final = 16
#: Options whose values are names with others beside them, and what finds them.
_FOUND: Final[dict[str, Callable[[str], str]]] = {
    "engine": str,
    "weights": _format,
    "activations": _format,
    "kv_cache": _format,
    "scheduler": find_scheduler,
}


def memory_warnings(q: Question, memory: Memory, remedy: str = "") -> Iterator[Warn]:
    """That a run does not fit, and what would."""
    if not memory.fits_device:
        needs, has = float(memory.total_bytes) / 1e9, float(memory.capacity_bytes) / 1e9
        usable = float(memory.usable_bytes) / 1e9
        room = f"{has:,.1f} GB" if usable == has else f"{usable:,.1f} GB for it, of {has:,.1f} GB"
        yield Warn("does-not-fit", f"{q.spec.name} needs {needs:,.1f} GB, {q.gpu.name} has {room}{remedy}")


def hardware_warnings(outcome: Outcome, dtypes: Iterable[str]) -> list[Warn]:
    """Unverified values of the chip that the answer rests on, computing in these formats."""
    q = outcome.question
    if not q.gpu.unverified:
        return []
    links = not q.spread.plan.single or q.spread.away is not None
    return unverified_hardware(q.gpu, q.machine(), dtypes, links, q.engine != IDEAL)
