"""What may stay with the host so that a run fits: experts or whole layers, as few as that takes, or all experts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from roofline.machine.engine import GENERIC
from roofline.runs.changes import Change
from roofline.runs.devices.hosts import habits_of
from roofline.runs.kind import Question
from roofline.specs.engine import HostCompute
from roofline.specs.text.transformer import TransformerSpec

_NO_HABITS: Final = HostCompute(sources=("nothing known",))


def host_changes(question: Question) -> Iterator[Change]:
    """Experts of as few layers as make it fit, then all experts; whole layers where there are no experts.

    Nothing for engines that compute nothing on the host, beside an offload that was asked for, and where GPU and host
    have one memory.
    """
    habits = habits_of(question.engine)
    generic = question.engine == GENERIC
    computes = generic or (habits is not None and habits.computes)
    if not computes or question.spread.away is not None or question.gpu.memory.unified is not None:
        return
    spec, words = question.spec, habits or _NO_HABITS
    if has_experts(spec):
        yield Change("experts on the host's cores", {}, tuple(_experts(spec, words.experts_option)))
        yield Change("experts on the host's cores", {"offload": "experts@cpu"})
    else:
        steps = tuple(_layers(spec, words.layers_option))
        yield Change("layers on the host's cores", {}, steps, "last" if generic else "behind formats")


def has_experts(spec: TransformerSpec) -> bool:
    """Whether any layer has routed experts."""
    return bool(_with_experts(spec))


def _with_experts(spec: TransformerSpec) -> int:
    """Layers that have routed experts."""
    return sum(block.layers for block in spec.blocks if getattr(block.feed_forward, "experts", 0))


def _all_layers(spec: TransformerSpec) -> int:
    return sum(block.layers for block in spec.blocks)


def _experts(spec: TransformerSpec, option: str | None) -> Iterator[Change]:
    """Experts of one layer, of two, and so on.

    The engine's option counts layers from the first, with experts or without. Where the layers without stand is not
    known: counted with them, as if they came first, there are never fewer experts with the host than said.
    """
    number, layers = _with_experts(spec), _all_layers(spec)
    for away in range(1, number):
        said = f" ({option} {layers - number + away})" if option else ""
        words = f"experts of {away} of {number} layers on the host's cores{said}"
        yield Change(words, {"offload": f"experts={away}/{number}@cpu"})


def _layers(spec: TransformerSpec, option: str | None) -> Iterator[Change]:
    """One layer, two, and so on. The engine's option counts those that stay, and the head as one more."""
    number = _all_layers(spec)
    for away in range(1, number):
        said = f" ({option} {number + 1 - away})" if option else ""
        words = f"{away} of {number} layers on the host's cores{said}"
        yield Change(words, {"offload": f"weights={away}/{number}@cpu"})
