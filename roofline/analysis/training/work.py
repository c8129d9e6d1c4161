"""What one device of a training run does for a micro-batch."""

from __future__ import annotations

from typing import NamedTuple

from roofline.num import Num
from roofline.passes.training.flow import Flow
from roofline.passes.training.kept.rules import Rules
from roofline.workload.op import Op


class StageWork(NamedTuple):
    """What one device of a kind of stage does for a micro-batch; there are `number` such stages.

    `flows` are the ops of its forward pass with the gradients that are needed of each, and `rules` what they keep,
    before attention is cut into kernels and norms are spread by tokens;
    `forward`, `recompute` and `backward` are what runs, with the loss. `kept`: bytes, where no rules say them.
    """

    number: int
    first: bool
    last: bool
    flows: tuple[Flow, ...]
    rules: Rules
    forward: tuple[Op, ...]
    recompute: tuple[Op, ...]
    backward: tuple[Op, ...]
    kept: Num | None = None
