"""What is asked of a training run, with names resolved and options checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from roofline.machine.machine import Machine
from roofline.runs.devices.spread import ALONE, Spread
from roofline.runs.execution import machine_of
from roofline.runs.load import Origin
from roofline.runs.money.terms import UNASKED, Terms
from roofline.specs.engine_training import TrainingHabits
from roofline.specs.gpu import GPUSpec
from roofline.workload.plan import Plan
from roofline.workload.precision import Precision

if TYPE_CHECKING:
    from roofline.passes.training.adapters import Adapters
    from roofline.runs.training.recipes import Recipe

Recompute: TypeAlias = Literal["none", "selective", "full"]
Schedule: TypeAlias = Literal["1f1b", "gpipe", "zero-bubble"]
#: What is trained of an image model.
Part: TypeAlias = Literal["denoiser", "vae", "controlnet"]
#: What judges an autoencoder's pictures beside their difference from the given ones.
Judges: TypeAlias = Literal["none", "perceptual", "adversarial"]


@dataclass(frozen=True)
class TrainRun:
    """One training run.

    micro_batch    sequences, or pictures, that a replica takes through its layers at once
    global_batch   those of one step of the optimizer, over all replicas
    sequence       tokens of each; `decoder` those of a decoder behind an encoder
    steps, tokens  how long it trains; None where nothing was asked
    height, width  of pictures, in pixels; `cached`: what frozen parts make of them and of their texts is at hand
    part, judges   what is trained of an image model, and what judges the pictures of an autoencoder
    ema            a running mean of the weights is kept
    recompute      what of the forward pass is done again in the backward pass
    adapters       what is trained in place of the weights, which then stay as `base` stores them
    """

    micro_batch: float
    global_batch: float
    sequence: float = 0.0
    decoder: float = 0.0
    steps: float | None = None
    tokens: float | None = None
    height: float = 0.0
    width: float = 0.0
    cached: bool = True
    part: Part = "denoiser"
    judges: Judges = "none"
    ema: bool = False
    recompute: Recompute = "none"
    optimizer: str = "adamw"
    adapters: Adapters | None = None
    base: str | None = None
    eager_attention: bool = False

    @property
    def tokens_per_step(self) -> float:
        """Tokens of one step of the optimizer; pictures of an image model."""
        return self.global_batch * (self.sequence or 1.0)


@dataclass(frozen=True)
class Layout:
    """How a training run is laid over devices.

    zero       what data-parallel devices share: 0 nothing, 1 the optimizer, 2 gradients too, 3 the weights too
    vpp        chunks of layers that a device of a pipeline takes, each a stage of its own
    schedule   in which order a pipeline takes micro-batches
    """

    spread: Spread = ALONE
    zero: int = 0
    vpp: int = 1
    schedule: Schedule = "1f1b"
    sequence_parallel: bool = False

    @property
    def plan(self) -> Plan:
        """Devices along each axis."""
        return self.spread.plan

    @property
    def sharers(self) -> int:
        """Devices that hold the same weights: replicas and those that share a sequence."""
        return self.plan.dp * self.plan.cp


@dataclass(frozen=True)
class TrainQuestion:
    """What is asked: model × run × layout × machine. `notes` are what was assumed on the way."""

    spec: Any
    model_origin: Origin
    gpu: GPUSpec
    gpu_origin: Origin
    run: TrainRun
    layout: Layout
    precision: Precision
    mode: str
    recipe: Recipe
    engine: str
    habits: TrainingHabits
    money: Terms = UNASKED
    notes: tuple[str, ...] = ()
    asked: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def plan(self) -> Plan:
        """Devices along each axis."""
        return self.layout.plan

    @property
    def gpus(self) -> int:
        """All devices."""
        return self.plan.devices

    @property
    def microbatches(self) -> float:
        """Micro-batches that each replica takes through its layers in a step."""
        return self.run.global_batch / (self.run.micro_batch * self.plan.dp)

    @property
    def by_products(self) -> bool:
        """Whether every second product of a layer is repeated, where only some of it is."""
        return self.run.recompute == "selective" and self.habits.selective == "products"

    @property
    def early(self) -> bool:
        """Whether a layer that is repeated stops as soon as all that it kept is back."""
        return self.habits.recompute == "early"

    def machine(self) -> Machine:
        """The machine as peaks."""
        return machine_of(self.gpu)
