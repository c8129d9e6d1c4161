"""The time of one pass of one device: its own work, and what it exchanges on the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from roofline.errors import UsageError
from roofline.machine.chips.efficiency import ChipEfficiency
from roofline.machine.collectives import Fabric, collective_s, communication_bytes, spread_over
from roofline.machine.demand import Demand
from roofline.machine.engine import IDEAL, Engine
from roofline.machine.expected import KindTime, expected_op_time, expected_phase_time, kind_time
from roofline.machine.intervals import QUALITIES
from roofline.machine.kernels.common import ChipFacts
from roofline.machine.machine import Machine
from roofline.machine.time import PhaseCost, phase_cost
from roofline.num import Num, maximum, minimum
from roofline.runs.expectation import efficiency_of
from roofline.runs.training.run import TrainQuestion
from roofline.runs.training.trainers import trained_on
from roofline.workload.op import Op
from roofline.workload.precision import Precision
from roofline.workload.shapes import CollectiveShape
from roofline.workload.workload import Phase


class Links(NamedTuple):
    """Seconds of exchanges one after the other: nominal, as expected, and the bytes that cross the device's links."""

    bound_s: Num = 0.0
    expected_s: Num = 0.0
    bytes: Num = 0.0


class Pass(NamedTuple):
    """One pass of one device: its own work, and its exchanges."""

    own: Phase
    links: tuple[Op, ...]

    @classmethod
    def of(cls, name: str, ops: Sequence[Op]) -> Pass:
        """Some ops in order."""
        own = tuple(op for op in ops if op.kind != "collective")
        return cls(Phase(name, own), tuple(op for op in ops if op.kind == "collective"))


class PassTime(NamedTuple):
    """One pass: counts and roofline of its own work, its expected time, and its exchanges."""

    cost: PhaseCost
    expected_s: Num
    links: Links
    kernels: Num

    @property
    def bound_s(self) -> Num:
        """The bound: exchanges can hide behind work, or work behind them."""
        return maximum(self.cost.bound_s, self.links.bound_s)

    @property
    def together_s(self) -> Num:
        """As expected: what layers exchange stands between their kernels."""
        return maximum(self.expected_s + self.links.expected_s, self.bound_s)


class Setting(NamedTuple):
    """What all passes have in common: the machine, its links, and what the framework makes of both.

    `time_of` is asked for the seconds of each kind of op: a fit keeps what it has asked before.
    """

    question: TrainQuestion
    machine: Machine
    chip: ChipEfficiency | None
    fabric: Fabric | None
    engine: Engine | None = None
    time_of: KindTime = kind_time

    @classmethod
    def of(cls, question: TrainQuestion) -> Setting:
        """The setting of a question; the ideal framework expects the bound."""
        machine, fabric = question.machine(), question.layout.spread.fabric
        if question.engine == IDEAL:
            return cls(question, machine, None, fabric)
        chip = efficiency_of(question.gpu, question.engine)
        return cls(question, machine, None, fabric).driven_by(chip, chip.engine)

    def driven_by(self, chip: ChipEfficiency, engine: Engine) -> Setting:
        """The same with the coefficients of a framework; what its host does once a step is counted once a step."""
        alone = engine._replace(step_s=0.0, sequence_s=0.0, request_s=0.0)
        return self._replace(chip=chip.driven_by(alone, self.question.gpu), engine=engine)

    def interval(self) -> tuple[Num, Num]:
        """Low and high end of the 80 % interval of a step, as multiples of the expected time: wider on a chip that no
        training run of the framework was on, however well its kernels are known.
        """
        if self.chip is None:
            return 1.0, 1.0
        low, high = self.chip.interval("step")
        if self.question.gpu.name in trained_on(self.question.engine):
            return low, high
        unseen = self.question.habits.interval or self.chip.engine.interval("step", QUALITIES[1])
        return minimum(low, unseen[0]), maximum(high, unseen[1])


def pass_time(setting: Setting, done: Pass, factor: float = 1.0) -> PassTime:
    """The time of a pass; `factor` is on the expected time of the device's own work."""
    precision, own = setting.question.precision, done.own
    cost = phase_cost(own, precision, setting.machine)
    links = links_time(setting, done.links)
    if setting.chip is None:
        return PassTime(cost, cost.bound_s, links, own.kernels)
    expected = expected_phase_time(own, precision, setting.machine, setting.chip, 1.0, _time_of(setting))
    return PassTime(cost, maximum(expected * factor, cost.bound_s), links, own.kernels)


def _time_of(setting: Setting) -> KindTime:
    """Times of kernels, those of routed experts as the framework's own: others were measured while serving."""
    factor = setting.question.habits.experts
    if factor == 1.0:
        return setting.time_of

    def time_of(asked: Demand, facts: ChipFacts, machine: Machine, chip: ChipEfficiency) -> Num:
        seconds = setting.time_of(asked, facts, machine, chip)
        return seconds * factor if asked.op.kind == "experts" else seconds

    return time_of


def links_time(setting: Setting, ops: Sequence[Op]) -> Links:
    """Seconds and bytes of exchanges. Raises UsageError where no links are described."""
    bound: Num = 0.0
    expected: Num = 0.0
    moved: Num = 0.0
    precision = setting.question.precision
    for op in ops:
        if setting.fabric is None:
            raise UsageError("no links are described for these devices; name a machine that has some with --node")
        nominal = collective_s(op, precision, setting.fabric)
        bound = bound + op.count * nominal
        expected = expected + op.count * maximum(nominal, _expected_s(setting, op, nominal, precision))
        moved = moved + op.count * communication_bytes(op, precision)
    return Links(bound, expected, moved)


def _expected_s(setting: Setting, op: Op, nominal: Num, precision: Precision) -> Num:
    """An exchange within a node as kernels of the chip were measured; between nodes a multiple of its nominal time."""
    if setting.chip is None or setting.fabric is None or not isinstance(op.shape, CollectiveShape):
        return nominal
    if spread_over(op.shape, setting.fabric)[1] > 1 or op.shape.operation == "send":
        return nominal * setting.question.habits.network
    return expected_op_time(op, precision, setting.machine, setting.chip)
