"""One phase of an image model at every level of execution, side by side."""

from __future__ import annotations

from typing import Any

from roofline.analysis.estimate import estimate
from roofline.analysis.image_estimate import ImageEstimate
from roofline.analysis.load import GPULike, ModelLike
from roofline.analysis.result import plain
from roofline.errors import UsageError
from roofline.passes.image_levels import LEVELS


def levels(
    model: ModelLike, gpu: GPULike | None = None, *, phase: str | None = None, **options: Any
) -> list[dict[str, Any]]:
    """Kernels, bytes, peak of activations and bound of one call of a phase (default: `denoise`) per level.

    Options are those of `estimate`, but for `fusion`. Raises UsageError for a language model.
    """
    if not isinstance(estimate(model, gpu, **options), ImageEstimate):
        raise UsageError(f"{model} is not an image model; levels are of image models")
    rows = []
    for level in LEVELS:
        est: Any = estimate(model, gpu, **options, fusion=level)
        names = [part.name for part in est.phases]
        chosen = est.phase(phase or ("denoise" if "denoise" in names else names[-1]))
        ledger = est.workload[chosen.name]
        peak = ledger.peak(est.question.precision_of(ledger).live_bytes)
        rows.append({
            "level": level, "phase": chosen.name, "kernels": plain(chosen.kernels), "flops": plain(chosen.flops),
            "bytes": plain(chosen.bytes), "peak_bytes": plain(peak),
            "floor_s": plain(chosen.times.floor), "bound_s": plain(chosen.times.bound),
            "total_bound_s": plain(est.latency.total.bound),
        })  # fmt: skip
    return rows
