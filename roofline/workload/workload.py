"""Phases of ops, and the workload that they make up: everything else is a sum over them."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, TypeAlias, TypeVar, cast

from roofline.num import Num, maximum, where_holds
from roofline.workload.op import Op
from roofline.workload.precision import Precision

Fusion: TypeAlias = Literal["eager", "flash", "compiled"]
FUSIONS: tuple[Fusion, ...] = ("eager", "flash", "compiled")
#: Things that a phase keeps before it starts anew: more than there are formats and engines in one sweep.
_MOST_KEPT: Final = 64
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Phase:
    """Ops in the order of execution, `repeat` times.

    `component` names the part of the model whose parameters they hold: phases of one component hold the same
    parameters. `boundary` is what must enter and leave the phase beside weights and cache, in activation elements.
    `context` is the mean number of tokens that are cached before a repeat.

    Where a repeat is several passes through the layers, `ops` are those of the mean pass with all their executions,
    `whole` those of a repeat in one pass, which hold what is held, and `widest` those of the pass that needs most.
    `beside`: what its ops hold is no part of the model's own number (towers).
    """

    name: str
    ops: tuple[Op, ...]
    repeat: Num = 1.0
    component: str = "model"
    boundary: Num = 0.0
    context: Num = 0.0
    tokens: Num = 0.0
    whole: tuple[Op, ...] = ()
    widest: tuple[Op, ...] = ()
    beside: bool = False
    _kept: dict[Hashable, Any] = field(default_factory=dict, init=False, compare=False, repr=False)

    def kept(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` works out of this phase, made once per key and kept with the phase.

        For what a machine does not change: the bytes of each op in a format, which ops are alike.
        """
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            found = self._kept[key] = make()
        return cast("T", found)

    def total(self, quantity: Callable[[Op], Num]) -> Num:
        """The sum of a quantity over one repeat."""
        total: Num = 0.0
        for op in self.ops:
            total = total + op.count * quantity(op)
        return total

    @property
    def one_pass(self) -> tuple[Op, ...]:
        """The ops that are in memory at once: those of the pass that needs most."""
        return self.widest or self.ops

    @property
    def holders(self) -> tuple[Op, ...]:
        """The ops by what they hold when a repeat ends."""
        return self.whole or self.ops

    def held(self, quantity: Callable[[Op], Num]) -> Num:
        """The sum of a quantity that is held."""
        total: Num = 0.0
        for op in self.holders:
            total = total + op.count * quantity(op)
        return total

    def peak(self, quantity: Callable[[Op], Num]) -> Num:
        """The largest value of a quantity over the ops of one pass."""
        peak: Num = 0.0
        for op in self.one_pass:
            peak = maximum(peak, quantity(op))
        return peak

    @property
    def on_host(self) -> tuple[Op, ...]:
        """The ops that the host's cores run."""
        return self.kept("host", lambda: tuple(op for op in self.ops if op.runs_on == "host"))

    @property
    def on_device(self) -> Phase:
        """The phase without what the host's cores run: itself, where these run nothing."""
        if not self.on_host:
            return self  # kept with itself it would not be freed at once
        return self.kept(
            "device", lambda: replace(self, ops=_here(self.ops), whole=_here(self.whole), widest=_here(self.widest))
        )

    def live_peak(self, precision: Precision) -> Num:
        """The most activation memory that any op needs on the device, in bytes."""
        return self.kept(("live", precision), lambda: self.on_device.peak(precision.live_bytes))

    @property
    def flops(self) -> Num:
        """Tensor-contraction FLOPs of one repeat."""
        return self.total(lambda op: op.flops)

    @property
    def vector_flops(self) -> Num:
        """All other FLOPs of one repeat."""
        return self.total(lambda op: op.vector_flops)

    @property
    def kernels(self) -> Num:
        """Launches of one repeat."""
        return self.total(lambda op: op.kernels)

    def bytes(self, precision: Precision) -> Num:
        """Bytes that one repeat moves."""
        return self.total(precision.bytes)

    def unavoidable_bytes(self, precision: Precision) -> Num:
        """Bytes that any implementation of one repeat must move: weights, cache, inputs and outputs, once each."""
        streamed = self.total(lambda op: precision.weight_bytes(op) + precision.cache_bytes(op))
        return streamed + self.boundary * (precision.activations.bits / 8)


def _here(ops: tuple[Op, ...]) -> tuple[Op, ...]:
    return tuple(op for op in ops if op.runs_on == "device")


@dataclass(frozen=True, slots=True)
class Workload:
    """What is run: phases in order."""

    phases: tuple[Phase, ...]

    def __getitem__(self, name: str) -> Phase:
        for phase in self.phases:
            if phase.name == name:
                return phase
        raise KeyError(name)

    @property
    def own(self) -> tuple[Phase, ...]:
        """The phases of the model itself, without those of towers before them."""
        return tuple(phase for phase in self.phases if not phase.beside)

    @property
    def towers(self) -> tuple[Phase, ...]:
        """The phases of towers."""
        return tuple(phase for phase in self.phases if phase.beside)

    def begun(self, phase: Phase) -> Num:
        """Requests that begin in one repeat of a phase: the first phase of the model's own begins one, however often
        it repeats.
        """
        return 1.0 / phase.repeat if phase.name == self.own[0].name else 0.0

    def holders(self) -> list[Op]:
        """The ops that hold the parameters: those of the first phase of each component."""
        first: dict[str, Phase] = {}
        for phase in self.own:
            first.setdefault(phase.component, phase)
        return [op for phase in first.values() for op in phase.holders if op.params]

    def held(self, quantity: Callable[[Op], float]) -> float:
        """A sum over the ops that hold the parameters in device memory."""
        total = 0.0
        for op in self.holders():
            if op.runs_on == "device":
                total += op.count * quantity(op)
        return total

    @property
    def parameters(self) -> float:
        """All parameters that are held on the device: of a whole model, all."""
        return self.held(lambda op: op.params * op.held)

    @property
    def active_parameters(self) -> float:
        """Parameters that one token uses: of the experts only those that it visits."""
        return self.held(lambda op: op.active)

    @property
    def embedding_parameters(self) -> float:
        """Parameters of the input embedding table."""
        return self.held(lambda op: op.params if op.name == "embedding" else 0.0)

    def weight_bytes(self, precision: Precision) -> float:
        """Bytes of all parameters."""
        return self.held(precision.held_bytes)

    def cache_elements(self) -> Num:
        """Elements of KV-cache held in device memory when the last phase ends."""
        last = self.phases[-1].on_device
        return last.kept("cache", lambda: last.held(lambda op: op.cache_held))

    def cache_bytes(self, precision: Precision) -> Num:
        """Bytes of KV-cache held in device memory at the fullest moment of the last phase, mostly its end."""
        last = self.phases[-1].on_device
        return last.kept(("cached", precision), lambda: last.held(precision.cached_bytes))

    def state_bytes(self, precision: Precision) -> Num:
        """Bytes of fixed-size state (linear attention, state space) held on the device when the last phase ends."""
        last = self.phases[-1].on_device
        return last.kept(("state", precision), lambda: last.held(precision.state_bytes))

    def activation_peak_bytes(self, precision: Precision) -> Num:
        """The most activation memory that any op of any phase that is run needs."""
        peak: Num = 0.0
        for phase in self.phases:
            peak = maximum(peak, where_holds(phase.repeat > 0.0, phase.live_peak(precision)))
        return peak
