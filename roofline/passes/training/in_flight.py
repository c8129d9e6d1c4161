"""How many micro-batches a stage of a pipeline keeps activations of at once.

Sources: Huang et al. 2019, GPipe (arXiv:1811.06965); Narayanan et al. 2021 (arXiv:2104.04473), section 2.2; Korthikanti
et al. 2022 (arXiv:2205.05198), section 4.2.3; Qi et al. 2023, Zero Bubble Pipeline Parallelism (arXiv:2401.10241),
table 2: ZB-H1 needs what one-forward-one-backward does at its first stage, on every stage.
"""

from __future__ import annotations

from typing import Literal

from roofline.num import Num, maximum, minimum

Schedule = Literal["1f1b", "gpipe", "zero-bubble"]


def in_flight(schedule: Schedule, stage: int, stages: int, microbatches: Num, chunks: int = 1) -> Num:
    """Micro-batches of all layers of a stage that are kept at once at the fullest moment, in parts where it is cut.

    `stage` counts from 0, `chunks` are parts of a stage's layers that take turns (interleaved): then
    p (1 + (p - 1) / (p v)) on the first stage, two fewer per v on each one behind it. No more than there are.
    """
    if schedule == "gpipe":
        return microbatches
    if schedule == "zero-bubble":
        return minimum(microbatches, float(stages))
    if chunks == 1:
        return minimum(microbatches, float(stages - stage))
    warm = 2.0 * (stages - stage - 1) + (chunks - 1.0) * stages
    return maximum(minimum(microbatches, (warm + 1.0) / chunks), 1.0 / chunks)
