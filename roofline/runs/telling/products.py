"""In which format matrices are multiplied, as an answer says it: by classes of them, in words and as data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from roofline.answer.phase import Warn
from roofline.num import is_nothing
from roofline.runs.kind import Outcome
from roofline.workload.precision import MATRICES
from roofline.workload.storage.formats import role_of
from roofline.workload.storage.products import Product

#: Classes that are named before "and more".
_MOST_NAMED: Final = 6
#: What the two ways to multiply narrow weights are called, for programs.
_CODES: Final = {"as stored": "as_stored", "quantised": "quantised_activations", "widened": "weight_only"}


class Multiplied(NamedTuple):
    """A class of matrices: what they are, in which format they are stored, and how they are multiplied."""

    matrices: str
    weights: str
    product: Product


def multiplied(outcome: Outcome) -> tuple[Multiplied, ...]:
    """All classes of matrices of a run, each once: by role, and by part where a model has several."""
    several = len({phase.component for phase in outcome.workload.phases}) > 1
    found: dict[Multiplied, None] = {}
    for phase in outcome.workload.phases:
        precision = outcome.question.precision_of(phase)
        for op in phase.ops:
            if op.kind in MATRICES and not is_nothing(op.flops):
                stored = precision.weight_dtype(op)
                name = _named(phase.component, role_of(op)) if several else role_of(op)
                found[Multiplied(name, stored.name, precision.product(stored))] = None
    return tuple(found)


def _named(component: str, role: str) -> str:
    return component if role == "other" else f"{component}.{role}"


def multiplied_figures(outcome: Outcome) -> list[dict[str, Any]]:
    """The same as data: `matrices`, `weights`, `multiplied_in`, `way`."""
    return [
        {
            "matrices": each.matrices,
            "weights": each.weights,
            "multiplied_in": each.product.dtype,
            "way": _CODES[each.product.way],
        }
        for each in multiplied(outcome)
    ]


def multiplied_words(outcome: Outcome) -> str:
    """The same in words; empty where no weights are narrow.

    `weights fp8, multiplied in fp8 (activations quantised)`, or `experts mxfp4, widened to bf16 and multiplied there
    (weight-only); all else in bf16`.
    """
    groups: dict[Product, list[Multiplied]] = {}
    for each in multiplied(outcome):
        groups.setdefault(each.product, []).append(each)
    narrow = {product: classes for product, classes in groups.items() if product.way != "as stored"}
    if not narrow:
        return ""
    wide = [product.dtype for product in groups if product not in narrow]
    parts = [_group(product, classes, whole=len(groups) == 1) for product, classes in narrow.items()]
    return "; ".join([*parts, *([f"all else in {' and '.join(wide)}"] if wide else [])])


def _group(product: Product, classes: list[Multiplied], *, whole: bool) -> str:
    names = ["weights"] if whole else list(dict.fromkeys(each.matrices.replace("_", "-") for each in classes))
    what = f"{_first(names)} {_first(list(dict.fromkeys(each.weights for each in classes)))}"
    if product.way == "quantised":
        return f"{what}, multiplied in {product.dtype} (activations quantised)"
    return f"{what}, widened to {product.dtype} and multiplied there (weight-only)"


def _first(names: list[str]) -> str:
    return ", ".join(names[:_MOST_NAMED]) + (" and more" if len(names) > _MOST_NAMED else "")


def fallback_warnings(outcome: Outcome, beside: str = "") -> Iterator[Warn]:
    """Formats that the chip has no units for: narrow weights that it widens, and what is multiplied as something else.

    `beside` is a format in which products of no weights run.
    """
    q, told = outcome.question, set[str]()
    served = q.machine().served_by
    classes = [(each.weights, each.product) for each in multiplied(outcome)]
    for weights, product in [*classes, *([(beside, Product(beside, "as stored"))] if beside else [])]:
        wanted, unit = product.lacks or product.dtype, served[product.dtype][0]
        width = unit.removeprefix("vector.")
        if wanted not in (width, *told) and (product.lacks or not q.machine().multiplies(wanted)):
            told.add(wanted)
            stored = weights if product.lacks else wanted
            text = f"{q.gpu.name} has no {wanted} units: stored as {stored}, computed at the {width} rate"
            yield Warn("dtype-fallback", text)


def computed_in(outcome: Outcome) -> set[str]:
    """The formats in which matrices of weights are multiplied."""
    return {each.product.dtype for each in multiplied(outcome)}
