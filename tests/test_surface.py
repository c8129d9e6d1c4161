"""The public surface, pinned: adding or removing a name is a decision."""

from __future__ import annotations

import subprocess
import sys

import roofline as rl


def test_public_names() -> None:
    assert rl.__all__ == sorted(rl.__all__)
    assert set(rl.__all__) == {
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
    }
    for name in rl.__all__:
        assert getattr(rl, name) is not None


def test_a_single_estimate_loads_neither_numpy_nor_matplotlib_nor_rich() -> None:
    code = (
        "import sys, roofline as rl; rl.estimate('mistral-7b', gpu='a100').to_dict(); "
        "print([m for m in ('numpy', 'matplotlib', 'rich', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
