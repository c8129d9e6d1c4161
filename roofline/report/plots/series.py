"""Estimates side by side in one figure: what they share goes to the heading, what tells them apart is their name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Final

import numpy as np

from roofline.analysis.estimate import Answer
from roofline.errors import UsageError
from roofline.units import format_si

#: A run on a single accelerator, where others are spread.
_ALONE: Final = "1 GPU"
#: The inputs that are numbers, in the order in which they are said.
_SIZES: Final[tuple[str, ...]] = ("batch", "prompt", "generate", "height", "width", "steps", "guidance")

#: Warnings that pictures say, and how many of them.
_WEIGHTY: Final = (
    "context-exceeds-maximum",
    "batch-beyond-sequences",
    "dtype-fallback",
    "faster-than-peak",
    "host-memory",
    "steps-beyond-training",
    "tower-not-counted",
)
_TOLD: Final = 4


def distinct(estimates: Sequence[Answer]) -> list[Answer]:
    """The estimates, each once: the same accelerator may have been asked for by two names.

    Raises UsageError where there is no estimate, or one of a grid rather than of a single setting.
    """
    if not estimates:
        raise UsageError("nothing to plot: give at least one estimate")
    for estimate in estimates:
        run = estimate.question.run
        if any(isinstance(getattr(run, item.name), np.ndarray) for item in fields(run)):
            raise UsageError("this figure shows one setting of each option at a time; for a grid, plot the sweep")
    return [e for index, e in enumerate(estimates) if e.inputs not in [other.inputs for other in estimates[:index]]]


def machine_title(estimate: Answer) -> str:
    """The accelerator's name without its maker's: ``A100 SXM4 80GB``."""
    title = estimate.question.gpu.title
    first, _, rest = title.partition(" ")
    return rest if rest and first.lower() == estimate.question.gpu.vendor.lower() else title


def series_names(estimates: Sequence[Answer]) -> list[str]:
    """What tells each estimate from the others; the accelerator where nothing else does."""
    facts = [_facts(estimate) for estimate in estimates]
    varying = [key for key in facts[0] if len({fact.get(key) for fact in facts}) > 1] or ["gpu"]
    return [", ".join(fact[key] or f"no {key}" for key in varying if key in fact) for fact in facts]


def heading(estimates: Sequence[Answer]) -> str:
    """Models and accelerators: ``Mistral 7B v0.1 on A100 SXM4 80GB and H100 SXM5 80GB``."""
    models = dict.fromkeys(estimate.question.spec.title for estimate in estimates)
    machines = dict.fromkeys(machine_title(estimate) for estimate in estimates)
    return f"{_listed(list(models), 'models')} on {_listed(list(machines), 'accelerators')}"


def conditions(estimates: Sequence[Answer]) -> str:
    """What all estimates share besides model and accelerator, in words."""
    facts = [_facts(estimate) for estimate in estimates]
    return " · ".join(
        value
        for key, value in facts[0].items()
        if value and value != _ALONE and key not in ("model", "gpu") and all(f.get(key) == value for f in facts)
    )


def cautions(estimates: Sequence[Answer], *codes: str) -> str:
    """Warnings without which a picture misleads, each once, those of `codes` too; nothing where there are none."""
    found = (warn for estimate in estimates for warn in estimate.warnings if warn.code in (*_WEIGHTY, *codes))
    texts = list(dict.fromkeys(warn.text for warn in found))
    more = f"; {len(texts) - _TOLD} more" if len(texts) > _TOLD else ""
    return f"Beware: {'; '.join(texts[:_TOLD])}{more}." if texts else ""


def needs_of(estimate: Answer) -> str:
    """What a run that does not fit needs, and what may be used of the memory that it lacks."""
    memory = estimate.memory
    if memory.fits_device:
        return memory.asked_of_room
    needed, usable = float(memory.total_bytes), float(memory.usable_bytes)
    return f"needs {format_si(needed, 'B')}, {format_si(usable, 'B')} usable"


def _facts(estimate: Answer) -> dict[str, str]:
    inputs, precision = estimate.inputs, estimate.question.precision
    formats = (precision.weights.name, precision.activations.name, precision.cache.name)
    one_format = len(set(formats)) == 1
    sizes: dict[str, str] = {key: f"{key} {inputs[key]:,}" for key in _SIZES if inputs.get(key) is not None}
    return {
        "gpu": machine_title(estimate),
        "model": estimate.question.spec.title,
        **sizes,
        "formats": formats[0] if one_format else "weights {}, activations {}, KV-cache {}".format(*formats),
        "fusion": f"{inputs['fusion']} fusion",
        "plan": _plan(estimate),
        "offload": f"offload {inputs['offload']}" if inputs.get("offload") else "",
    }


def _plan(estimate: Answer) -> str:
    """Over how many accelerators a run is spread, and how."""
    spread = estimate.question.spread
    if spread.plan.single:
        return _ALONE
    replicas = ", each replica with that batch" if spread.plan.dp > 1 else ""
    return f"{spread.plan.devices} GPUs ({spread.plan.text().replace(' · ', ', ')}{replicas})"


def _listed(names: Sequence[str], plural: str) -> str:
    if len(", ".join(names)) > 60:
        return f"{len(names)} {plural}"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
