"""Estimates side by side in one figure: what they share goes to the heading, what tells them apart is their name."""

from __future__ import annotations

from collections.abc import Sequence

from roofline.analysis.estimate import Estimate
from roofline.errors import UsageError


def check_scalar(estimates: Sequence[Estimate]) -> None:
    """Raises UsageError where there is no estimate, or one of a grid rather than of a single setting."""
    if not estimates:
        raise UsageError("nothing to plot: give at least one estimate")
    for estimate in estimates:
        run = estimate.question.run
        if not all(isinstance(value, float) for value in (run.batch, run.prompt, run.generate)):
            raise UsageError("a plot of ops shows one batch, prompt and generate each; for a grid, plot the sweep")


def machine_title(estimate: Estimate) -> str:
    """The accelerator's name without its maker's: ``A100 SXM4 80GB``."""
    title = estimate.question.gpu.title
    first, _, rest = title.partition(" ")
    return rest if rest and first.lower() == estimate.question.gpu.vendor.lower() else title


def series_names(estimates: Sequence[Estimate]) -> list[str]:
    """What tells each estimate from the others; the accelerator where nothing else does."""
    facts = [_facts(estimate) for estimate in estimates]
    varying = [key for key in facts[0] if len({fact[key] for fact in facts}) > 1] or ["gpu"]
    return [", ".join(fact[key] for key in varying) for fact in facts]


def heading(estimates: Sequence[Estimate]) -> str:
    """Models and accelerators: ``Mistral 7B v0.1 on A100 SXM4 80GB and H100 SXM5 80GB``."""
    models = dict.fromkeys(estimate.question.spec.title for estimate in estimates)
    machines = dict.fromkeys(machine_title(estimate) for estimate in estimates)
    several = len(machines) > 4
    return f"{_listed(list(models))} on {f'{len(machines)} accelerators' if several else _listed(list(machines))}"


def conditions(estimates: Sequence[Estimate]) -> str:
    """What all estimates share besides model and accelerator, in words."""
    facts = [_facts(estimate) for estimate in estimates]
    return " · ".join(
        value for key, value in facts[0].items() if key not in ("model", "gpu") and all(f[key] == value for f in facts)
    )


def _facts(estimate: Estimate) -> dict[str, str]:
    inputs, precision = estimate.inputs, estimate.question.precision
    formats = (precision.weights.name, precision.activations.name, precision.cache.name)
    one_format = len(set(formats)) == 1
    return {
        "gpu": machine_title(estimate),
        "model": estimate.question.spec.title,
        "batch": f"batch {inputs['batch']:,}",
        "prompt": f"prompt {inputs['prompt']:,}",
        "generate": f"generate {inputs['generate']:,}",
        "formats": formats[0] if one_format else "weights {}, activations {}, KV-cache {}".format(*formats),
        "fusion": f"{inputs['fusion']} fusion",
    }


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
