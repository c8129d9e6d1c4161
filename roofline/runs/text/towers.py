"""Towers beside a language model: what they hold, and what is said of them.

An engine loads them with the model, whatever is asked of it, but for those that have them in a file of their own
(llama.cpp). They stay in 16 bit where the language model is narrower:
checkpoints leave them out of their quantisation. Source: mlx-community's 4-bit files of gemma-4-26b-a4b (15.609 GB, of
which 1.146 GB are the tower in 16 bit) and Qwen3.5-27B (16.054 GB with, 15.130 GB without the tower of 0.461 B
parameters), as exo's model cards state them; the `ignore` lists of the NVFP4 and FP8 files of Qwen3.5 and Gemma 4.

Tensor parallelism splits them, as vLLM does by default (`--mm-encoder-tp-mode weights`); a pipeline has them in its
first stage; replicas and context-parallel devices hold all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from roofline.answer.phase import Warn
from roofline.architectures.towers.parameters import tower_parameters
from roofline.errors import UsageError
from roofline.machine.engine import IDEAL, read_engine
from roofline.runs.kind import Question
from roofline.runs.options import asked
from roofline.specs.formats.dtypes import find_dtype
from roofline.specs.text.tower import Tower
from roofline.specs.text.transformer import TransformerSpec
from roofline.units import format_count, format_si
from roofline.workload.precision import Precision

#: Options of what towers read.
_MEDIA: Final = ("images", "frames", "seconds")
_COUNTED: dict[int, tuple[Tower, float]] = {}
_WIDE: dict[Precision, Precision] = {}


def towers_parameters(spec: TransformerSpec) -> float:
    """Parameters of all towers, projectors included."""
    return sum(_parameters(tower) for tower in spec.towers)


def _parameters(tower: Tower) -> float:
    """The parameters of a tower, counted once per object."""
    known = _COUNTED.get(id(tower))
    if known is None or known[0] is not tower:
        known = _COUNTED[id(tower)] = (tower, tower_parameters(tower))
    return known[1]


def tower_bytes(question: Question) -> float:
    """Bytes of the towers on a device of the first stage; 0 where they are not loaded."""
    if not question.execution.towers:
        return 0.0
    held = sum(_parameters(tower) * _bits(question, tower) for tower in question.spec.towers) / 8
    return held / question.spread.plan.tp


def towers_bits(question: Question) -> float:
    """Bits of a parameter of the towers, in the mean."""
    found = sum(_parameters(tower) * _bits(question, tower) for tower in question.spec.towers)
    return found / towers_parameters(question.spec)


def _bits(question: Question, tower: Tower) -> float:
    """Bits of a parameter of a tower: as its file says, unless formats are asked for; else as the language model's, and
    at least 16.
    """
    weights = question.precision.weights
    return tower.bits if tower.bits and weights.name == question.spec.dtype else max(16.0, weights.bits)


def tower_precision(precision: Precision) -> Precision:
    """The formats in which towers run: those of the language model, but weights of 16 bits at least."""
    if precision.weights.bits >= 16 and not precision.overrides:
        return precision
    active = precision.activations if precision.activations.bits >= 16 else find_dtype("bf16")
    known = _WIDE.get(precision)
    if known is None:
        weights = precision.weights if precision.weights.bits >= 16 else active
        known = _WIDE[precision] = Precision(weights, active, precision.cache)
    return known


def towers_wanted(spec: TransformerSpec, engine: str, given: Mapping[str, Any]) -> bool:
    """Whether towers are held: as asked, else as the engine loads them.

    Raises UsageError where both is asked for, or towers are that no model of that name has.
    """
    with_them, without = bool(asked(given, "vision")), bool(asked(given, "no_vision"))
    if with_them and without:
        raise UsageError("--vision and --no-vision: towers are held or left out, not both")
    if (with_them or without) and not spec.towers:
        option = "vision" if with_them else "no-vision"
        raise UsageError(f"--{option}: no vision or audio tower of {spec.name} is counted")
    if spec.towers and all(tower.assumed for tower in spec.towers):
        return with_them or (not without and any(given.get(name) is not None for name in _MEDIA))
    return with_them or (not without and not apart_option(engine))


def apart_option(engine: str) -> str:
    """The option by which an engine loads towers, where it does so only when asked; else empty."""
    ways = read_engine(engine).towers if engine != IDEAL else None
    return "" if ways is None or ways.loaded else ways.option or "its own option"


def tower_notes(question: Question) -> Iterator[str]:
    """What is assumed of the towers."""
    spec, tp, option = question.spec, question.spread.plan.tp, apart_option(question.engine)
    why = f"{question.engine} loads it with {option} alone, --vision holds it" if option else "--no-vision"
    if spec.towers and all(tower.assumed for tower in spec.towers):
        why = "the file does not describe it, its class makes one: --vision holds it"
    for tower in spec.towers:
        count = _parameters(tower)
        what = f"{tower.name} tower of {format_count(count)} parameters ({_shape(tower)})"
        if not question.execution.towers:
            yield f"left out ({why}): the {what}"
            continue
        bits = _bits(question, tower)
        split = f", split over tp {tp}" if tp > 1 else ""
        held = f"{format_si(count * bits / 8, 'B')} in {bits:.4g} bit{split}"
        unused = ", in no time" if question.run.media is None else ""
        yield f"the {what} is loaded: {held}{unused}; --no-vision leaves it out"


def _shape(tower: Tower) -> str:
    number = sum(group.layers for group in tower.blocks)
    pixels = f", patches of {tower.patch} px" if tower.patch else ""
    return f"{number} layers of width {tower.width:,}{pixels}; {tower.kind}"


def tower_warnings(question: Question) -> Iterator[Warn]:
    """Towers that an engine loads and that are not counted."""
    if question.spec.left_out and question.execution.towers:
        text = f"{question.spec.name}: weights that are loaded beside the language model are not counted: "
        yield Warn("tower-not-counted", text + "; ".join(question.spec.left_out))
