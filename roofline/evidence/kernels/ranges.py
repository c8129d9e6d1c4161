"""Between which values the coefficients of each kind of kernel are looked for."""

from __future__ import annotations

from typing import Final, TypeAlias

#: Where the search starts, and what physics allows: least and most.
Range: TypeAlias = tuple[float, float, float]
_FRACTION: Final[Range] = (0.7, 0.02, 1.0)
_SHARPNESS: Final[Range] = (2.5, 1.0, 20.0)
_FIXED: Final[Range] = (5e-6, 5e-7, 1e-3)
_LATENCY: Final[Range] = (1e-6, 1e-9, 3e-4)
_DROOP: Final[Range] = (0.1, 0.001, 2.0)

RANGES: Final[dict[str, dict[str, Range]]] = {
    "matmul": {
        "ceiling": _FRACTION,
        "droop": _DROOP,
        "streaming": _FRACTION,
        "fixed_s": _FIXED,
        "latency_s": _LATENCY,
        "k_offset": (100.0, 1.0, 3000.0),
        "sharpness": _SHARPNESS,
        "tile_loss": (10.0, 0.1, 200.0),
        "split_k": (300.0, 1.0, 3000.0),
        "quantise_s": (1e-6, 1e-8, 5e-4),
        "quantise": _FRACTION,
    },
    "prefill": {
        "ceiling": _FRACTION,
        "droop": _DROOP,
        "streaming": _FRACTION,
        "fixed_s": _FIXED,
        "latency_s": _LATENCY,
        "sharpness": _SHARPNESS,
        "softmax": (64.0, 1.0, 3000.0),
        "tail": (0.5, 0.01, 8.0),
        "skipping": (0.9, 0.01, 1.0),
        "tile_s": (1e-6, 1e-9, 2e-5),
    },
    "decode": {
        "streaming": (0.85, 0.05, 1.0),
        "fixed_s": _FIXED,
        "sharpness": _SHARPNESS,
        "occupancy": (0.1, 0.001, 5.0),
        "stream_s": (1e-6, 1e-8, 1e-4),
        "tile_s": (1e-6, 1e-8, 2e-5),
        "ceiling": (0.3, 0.005, 1.0),
        "merge_s": (2e-6, 1e-8, 5e-5),
        "skipping": (0.9, 0.01, 1.0),
        "reread": (0.1, 0.001, 1.0),
    },
    "experts": {
        "ceiling": _FRACTION,
        "droop": _DROOP,
        "streaming": _FRACTION,
        "fixed_s": (2e-5, 2e-6, 1e-3),
        "expert_s": (1e-8, 1e-10, 1e-5),
        "k_offset": (100.0, 1.0, 3000.0),
        "sharpness": _SHARPNESS,
        "tile_loss": (10.0, 0.1, 1000.0),
        "routing": (0.5, 0.01, 1.0),
        "sort_s": (1e-6, 1e-9, 1e-4),
    },
    "scan": {
        "streaming": (0.5, 0.01, 1.0),
        "ceiling": (0.1, 0.001, 1.0),
        "fixed_s": _FIXED,
        "chunk_s": (1e-6, 1e-9, 1e-3),
        "sharpness": _SHARPNESS,
    },
    "rows": {"streaming": _FRACTION, "fixed_s": (1e-6, 1e-9, 1e-3), "latency_s": _LATENCY, "sharpness": _SHARPNESS},
    "collective": {
        "quick_s": (6e-6, 5e-7, 1e-3),
        "quick_hop_s": (1e-6, 1e-9, 1e-4),
        "quick": (0.2, 0.001, 1.0),
        "broad_s": (2e-5, 5e-7, 2e-3),
        "broad_hop_s": (1e-6, 1e-9, 1e-3),
        "broad": (0.7, 0.01, 1.0),
    },
}
#: The MLA kernels are attention with other widths.
RANGES["mla prefill"] = RANGES["prefill"]
RANGES["mla decode"] = RANGES["decode"]

#: What coefficients are on an H100 before any row is seen, and how far each may stray from what the facts of another
#: chip make of it before that costs as much as five rows that are off by a tenth (a standard deviation in logarithms).
#: What thousands of rows tell is not held back by so little; what none tells stays where another chip can take it.
EXPECTED: Final[dict[str, dict[str, tuple[float, float]]]] = {
    "matmul": {
        "ceiling": (0.88, 1.0),
        "droop": (0.35, 1.0),
        "streaming": (0.8, 0.05),
        "fixed_s": (2.5e-6, 1.0),
        "latency_s": (2e-7, 1.0),
        "k_offset": (150.0, 1.0),
        "sharpness": (2.5, 1.0),
        "tile_loss": (60.0, 1.0),
        "split_k": (600.0, 1.0),
        "quantise_s": (1e-6, 1.0),
        "quantise": (0.5, 1.0),
    },
    "decode": {
        "streaming": (0.9, 0.04),
        "fixed_s": (9e-6, 1.5),
        "sharpness": (2.0, 0.4),
        "occupancy": (0.02, 1.5),
        "stream_s": (1.8e-6, 1.5),
        "tile_s": (6e-7, 1.5),
        "ceiling": (0.5, 1.5),
        "merge_s": (2e-6, 1.5),
        "skipping": (0.98, 1.5),
        "reread": (0.3, 1.5),
    },
}
