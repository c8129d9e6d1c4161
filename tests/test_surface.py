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


def test_what_answers_are_asked_for() -> None:
    of_an_estimate = {
        *("assumptions", "cost", "decision", "energy", "explain", "fits", "inputs", "latency", "machine", "memory"),
        *("nearest", "ops", "parameters", "phase", "phases", "plot", "quantity", "records", "service", "single"),
        *("sources", "step", "summary", "throughput", "to_dict", "to_pandas", "to_polars", "total", "tpot", "ttft"),
        *("verdict", "warnings"),
    }
    assert of_an_estimate <= {*dir(rl.Estimate), *rl.Estimate.__dataclass_fields__}
    frames = {"records", "to_pandas", "to_polars", "_repr_html_"}
    told = {rl.Comparison, rl.Cost, rl.Fit, rl.FittingGPUs, rl.FittingModels, rl.Flops, rl.Recommendation, rl.Train}
    for form in told:
        assert {*frames, "summary", "verdict", "to_dict"} <= set(dir(form))
    grids = {*frames, "best", "pareto", "plot", "rows", "to_arrow", "to_frame", "top", "where"}
    assert grids <= set(dir(rl.Sweep))
