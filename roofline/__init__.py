"""Analytical FLOPs, memory and roofline calculator for transformer LLMs and Stable Diffusion.

    import roofline as rl
    est = rl.estimate("mistral-7b", gpu="a100", batch=8, prompt=512, generate=128)
    est.latency.tpot.expected, est.memory.kv_cache_bytes, est.ops("decode"), est.plot()

Names are loaded when they are first used, so that importing the package stays cheap.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from roofline.api.checking import check
    from roofline.api.comparing import Comparison, compare
    from roofline.api.costs import Cost, cost
    from roofline.api.estimate import Estimate, estimate
    from roofline.api.fitting import Fit, FittingGPUs, FittingModels, fit, gpus_for
    from roofline.api.flops import Flops, flops
    from roofline.api.grids import sweep, sweep_blocks
    from roofline.api.listing import list_engines, list_gpus, list_models, list_precisions
    from roofline.api.objects.points import Sweep
    from roofline.api.recommending import Recommendation, recommend
    from roofline.api.training import Train, train
    from roofline.errors import RooflineError, SpecError, UnknownNameError, UnsupportedError, UsageError
    from roofline.runs.load import load_gpu, load_model

__version__ = "0.1.0"

_HOMES = {
    "check": "roofline.api.checking",
    "Cost": "roofline.api.costs",
    "cost": "roofline.api.costs",
    "Estimate": "roofline.api.estimate",
    "estimate": "roofline.api.estimate",
    "Fit": "roofline.api.fitting",
    "FittingGPUs": "roofline.api.fitting",
    "FittingModels": "roofline.api.fitting",
    "gpus_for": "roofline.api.fitting",
    "fit": "roofline.api.fitting",
    "Flops": "roofline.api.flops",
    "flops": "roofline.api.flops",
    "Comparison": "roofline.api.comparing",
    "compare": "roofline.api.comparing",
    "Recommendation": "roofline.api.recommending",
    "recommend": "roofline.api.recommending",
    "Train": "roofline.api.training",
    "train": "roofline.api.training",
    "Sweep": "roofline.api.objects.points",
    "sweep": "roofline.api.grids",
    "sweep_blocks": "roofline.api.grids",
    "load_model": "roofline.runs.load",
    "load_gpu": "roofline.runs.load",
    "list_models": "roofline.api.listing",
    "list_gpus": "roofline.api.listing",
    "list_engines": "roofline.api.listing",
    "list_precisions": "roofline.api.listing",
    "RooflineError": "roofline.errors",
    "UsageError": "roofline.errors",
    "UnknownNameError": "roofline.errors",
    "SpecError": "roofline.errors",
    "UnsupportedError": "roofline.errors",
}

__all__ = [
    "Comparison",
    "Cost",
    "Estimate",
    "Fit",
    "FittingGPUs",
    "FittingModels",
    "Flops",
    "Recommendation",
    "RooflineError",
    "SpecError",
    "Sweep",
    "Train",
    "UnknownNameError",
    "UnsupportedError",
    "UsageError",
    "__version__",
    "check",
    "compare",
    "cost",
    "estimate",
    "fit",
    "flops",
    "gpus_for",
    "list_engines",
    "list_gpus",
    "list_models",
    "list_precisions",
    "load_gpu",
    "load_model",
    "recommend",
    "sweep",
    "sweep_blocks",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'roofline' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
