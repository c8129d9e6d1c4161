"""Rates and utilisations: tokens per second to MFU, and back, over a dense peak that is named."""

from __future__ import annotations

from typing import NamedTuple

from roofline.answer.phase import Warn
from roofline.machine.machine import Machine
from roofline.runs.training.formats import MODES, mode_of
from roofline.specs.formats.dtypes import find_dtype
from roofline.specs.gpu import GPUSpec


class Speed(NamedTuple):
    """So many accelerators, and how fast they train, or how well used they are to be.

    `peak` is that of one in FLOP/s, dense, `unit` the format whose units it is of; `tokens_per_s` are those of all
    accelerators, `mfu` is a share. At most one of the two is given.
    """

    gpu: GPUSpec
    gpus: float
    precision: str
    unit: str
    peak: float
    tokens_per_s: float | None = None
    mfu: float | None = None

    @classmethod
    def of(cls, gpu: GPUSpec, gpus: float, precision: str, tokens_per_s: float | None, mfu: float | None) -> Speed:
        """The speed on an accelerator whose matrices are multiplied in a format, as `train --precision` has it."""
        mode = mode_of(precision)
        format_ = find_dtype(MODES[mode][0]).compute
        machine = Machine.of(gpu)
        unit, peak = machine.served_by[format_][0], float(machine.tensor[format_])
        return cls(gpu, gpus, mode, unit, peak, tokens_per_s, mfu)

    @property
    def whole_peak(self) -> float:
        """FLOP/s of all accelerators."""
        return self.gpus * self.peak

    def used(self, per_token: float) -> float | None:
        """The share of the peak that a cost per token comes to; None where no rate is given."""
        return None if self.tokens_per_s is None else self.tokens_per_s * per_token / self.whole_peak

    def rate(self, per_token: float) -> float | None:
        """Tokens per second of all accelerators at the utilisation that was asked for; None where none was."""
        return None if self.mfu is None else self.mfu * self.whole_peak / per_token

    def warnings(self) -> list[Warn]:
        """That the accelerator multiplies no such format."""
        wanted = find_dtype(MODES[self.precision][0]).compute
        if self.unit in (wanted, f"nv{wanted}"):
            return []
        text = f"{self.gpu.title} has no units for {wanted}: the peak is that of {self.unit}"
        return [Warn("peak-of-another-format", text)]
