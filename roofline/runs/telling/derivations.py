"""What derivations of every kind of run have in common: lines of spec files, sums of terms, balance of the machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from roofline.answer.derivation import Derivation, Term
from roofline.answer.phase import PhaseEstimate
from roofline.answer.plain import plural
from roofline.errors import SpecError
from roofline.machine.time import AtPeak, Floor, floor_parts, op_cost
from roofline.runs.kind import Outcome
from roofline.runs.telling.machine import machine_figures
from roofline.specs.files.document import Document, read_document
from roofline.units import format_si, format_time
from roofline.workload.op import Op
from roofline.workload.precision import Precision

if TYPE_CHECKING:
    from roofline.machine.machine import Machine

ROOFLINE: Final = "Williams, Waterman, Patterson 2009, Roofline"
LEDGER: Final = "sum over the op ledger (`roofline ops`)"
DEFINITION: Final = "by definition"
Keys = tuple[str | int, ...]


class Lines:
    """Finds the line of a spec file on which a value stands."""

    def __init__(self, outcome: Outcome) -> None:
        q = outcome.question
        self.model = _document(q.model_origin.path)
        self.gpu = _document(q.gpu_origin.path)

    def of_model(self, *paths: Keys) -> list[str]:
        """Lines of the model's file."""
        return cite(self.model, paths)

    def of_gpu(self, *paths: Keys) -> list[str]:
        """Lines of the accelerator's file."""
        return cite(self.gpu, paths)

    def of_blocks(self, groups: int, *keys: str) -> list[str]:
        """Lines of the groups of layers."""
        return cite(self.model, [("blocks", index, key) for index in range(groups) for key in keys])


def _document(path: str) -> Document | None:
    try:
        return read_document(Path(path))
    except SpecError:
        return None


def cite(document: Document | None, paths: Iterable[Keys]) -> list[str]:
    """The lines of a document on which values stand, those that it has."""
    if document is None:
        return []
    found = {}
    for path in paths:
        if path in document.places:
            place = document.place(path)
            found[f"{Path(place.path).name}:{place.line}"] = place.text.strip()
    return [f"{where}: {text}" for where, text in found.items()]


def number(value: Any) -> str:
    """A value as text: whole, or with four digits."""
    value = float(value)
    return f"{value:,.0f}" if value == int(value) else f"{value:,.4g}"


def amount(value: Any, what: str) -> str:
    """A number as text, and what it counts."""
    return plural(value, number(value), what)


def times(op: Op) -> str:
    """How often an op runs, as a factor."""
    return f"{op.count:,.0f} × " if op.count != 1 else ""


def terms(ops: Iterable[Op], value: Callable[[Op], Any], text: Callable[[Op], str]) -> list[Term]:
    """The summands of a quantity that are not zero."""
    found = [Term(op.name, text(op), float(op.count * value(op))) for op in ops]
    return [term for term in found if term.value]


def ridge_derivation(outcome: Outcome, precision: Precision, lines: Lines | None = None) -> Derivation:
    """Where compute and memory balance."""
    m = machine_figures(outcome.question, precision)
    unit = str(m["served_by"])
    values = f"{m['peak_flops']:.4g} / {m['bandwidth_bytes_per_s']:.4g} ({m['peak_dtype']}, unit {unit})"
    return Derivation(
        "machine.ridge_flops_per_byte",
        "FLOP/B",
        float(m["ridge_flops_per_byte"]),
        "peak / bandwidth",
        values,
        ROOFLINE,
        lines=lines.of_gpu(_peak_path(unit), ("memory", "bandwidth")) if lines is not None else [],
    )


def held_derivation(outcome: Outcome, names: Sequence[str], formula: str, lines: list[str]) -> Derivation:
    """All that is held, beside what there is room for: the sum of the parts of these names."""
    m = outcome.memory
    values = {part.name: number(part.bytes) for part in m.parts}
    fits = "fits in" if m.fits_device else "does not fit in"
    substituted = f"{' + '.join(values[name] for name in names)}; {fits} {number(m.usable_bytes)}"
    total = float(m.total_bytes)
    return Derivation("memory.total_bytes", "B", total, formula, substituted, LEDGER, lines=lines)


def bound_derivation(phase: PhaseEstimate, ops: Iterable[Op], precision: Precision, machine: Machine) -> Derivation:
    """The roofline of a phase on one device: op by op the longer of compute and memory."""
    costs = [(op.count, op_cost(op, precision, machine)) for op in ops]
    by_memory = sum(float(n * c.bound_s) for n, c in costs if c.memory_s >= c.compute_s)
    by_compute = float(phase.times.bound) - by_memory
    values = f"{by_compute:.4g} s where compute is longer + {by_memory:.4g} s where memory is"
    bound = float(phase.times.bound)
    return Derivation(f"{phase.name}.bound_s", "s", bound, "sum over ops of max(compute, memory)", values, ROOFLINE)


def floor_derivation(outcome: Outcome, phase: PhaseEstimate, what: str, lines: Lines | None = None) -> Derivation:
    """The floor of a phase: FLOPs over peaks and bytes over the bandwidth, and which of them takes longer.

    `what` are the bytes that cannot be avoided. Over several devices it is told of one of them; where stages or the
    host's cores add to it, without values.
    """
    stages, name = outcome.question.stages(), phase.name
    stage = next(stage for stage in stages.each if any(part.name == name for part in stage.workload.phases))
    ledger, ideal = stage.workload[name], stage.ideal[name]
    floor, formula = float(phase.times.floor), "max(all FLOPs / peak, unavoidable bytes / bandwidth)"
    summed = sum(each.number for each in stages.each) > 1 or float(stages.microbatches) != 1.0 or ledger.on_host
    where = lines.of_gpu(("memory", "bandwidth")) if lines is not None else []
    if summed:
        values = "per device, over the stages"
    else:
        machine, precision = outcome.question.machine(), outcome.question.precision_of(ledger)
        reference = None if outcome.question.execution.level == "flash" else ideal
        parts = floor_parts(ledger, precision, machine, reference)
        values = _floor_words(parts, what) + ("" if outcome.question.spread.plan.single else "; of one device")
        where = [*(lines.of_gpu(*(_peak_path(part.unit) for part in parts.products)) if lines else []), *where]
    return Derivation(f"{name}.floor_s", "s", floor, formula, values, ROOFLINE, lines=where)


def _floor_words(floor: Floor, what: str) -> str:
    memory = f"{format_si(floor.bytes, 'B')} / {format_si(floor.bandwidth, 'B/s')} = {format_time(floor.memory_s)}"
    if not floor.products:
        return f"no matrix products; {memory} ({what}, once)"
    compute = f"{' + '.join(map(_rate_words, floor.products))} = {format_time(floor.compute_s)}"
    longer = "first" if floor.compute_s > floor.memory_s else "second"
    return f"{compute}; {memory} ({what}, once); the {longer} is longer"


def _rate_words(part: AtPeak) -> str:
    how = ", sums in 16 bit" if part.unit.endswith("_acc16") else ""
    how += ", 3×3 convolutions in fewer multiplications (Winograd)" if part.spared else ""
    return f"{format_si(part.flops, 'FLOP')} / {format_si(part.rate, 'FLOP/s')} ({part.unit}{how})"


def _peak_path(unit: str) -> Keys:
    """Where a peak stands in the file of an accelerator."""
    vector = unit.startswith("vector.")
    return ("peak", "vector", unit.removeprefix("vector.")) if vector else ("peak", "tensor", unit)


def rate_derivations(outcome: Outcome, name: str, formula: str, values: str) -> Iterator[Derivation]:
    """A rate by its definition, where it has a meaning."""
    quantity = outcome.quantity(name)
    if quantity is not None and quantity.times is not None:
        value = float(quantity.times.bound)
        yield Derivation(f"{quantity.group}.{name}", "1/s", value, formula, values, DEFINITION)
