"""One phase of a model at every level of execution, side by side."""

from __future__ import annotations

from typing import Any

from roofline.analysis.estimate import estimate
from roofline.analysis.images.estimate import ImageEstimate
from roofline.analysis.load import GPULike, ModelLike
from roofline.analysis.result import plain
from roofline.passes.image.levels import LEVELS
from roofline.workload.workload import FUSIONS


def levels(
    model: ModelLike, gpu: GPULike | None = None, *, phase: str | None = None, **options: Any
) -> list[dict[str, Any]]:
    """Kernels, bytes, peak of activations and bound of one call of a phase per level: fusion levels for text.

    The phase is by default `denoise` of a picture, the last of another model. Options are those of `estimate`, but for
    `fusion`. Raises UsageError for a phase that the run does not have.
    """
    pictures = isinstance(estimate(model, gpu, **options), ImageEstimate)
    rows = []
    for level in LEVELS if pictures else FUSIONS:
        est: Any = estimate(model, gpu, **options, fusion=level)
        names = [part.name for part in est.phases]
        chosen = est.phase(phase or ("denoise" if "denoise" in names else names[-1]))
        ledger = est.workload[chosen.name]
        precision = est.question.precision_of(ledger) if pictures else est.question.precision
        rows.append({
            "level": level, "phase": chosen.name, "kernels": plain(chosen.kernels), "flops": plain(chosen.flops),
            "bytes": plain(chosen.bytes), "peak_bytes": plain(ledger.peak(precision.live_bytes)),
            "floor_s": plain(chosen.times.floor), "bound_s": plain(chosen.times.bound),
            "total_bound_s": plain(est.latency.total.bound),
        })  # fmt: skip
    return rows
