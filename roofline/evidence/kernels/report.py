"""How well the kernel models meet measured kernels: docs/kernel_accuracy.md, from the tables themselves.

python -m roofline.evidence.kernels.report FOLDER -o docs/kernel_accuracy.md --source WHOSE --date 2026-11-23
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from roofline.evidence.kernels.fit import Group, fit_all, folder_options
from roofline.evidence.kernels.tables import Array
from roofline.evidence.markdown import paragraphs, table
from roofline.machine.chips.coefficients import Measured, likeness
from roofline.machine.chips.stand_ins import borrow, without_laggards
from roofline.runs.load import locate_gpu

LONG: Final = 20e-6


class Target(NamedTuple):
    """A figure to reach: median error of some groups, of kernels longer than 20 us where `only_long`."""

    title: str
    limit: float
    includes: Callable[[Group], bool]
    only_long: bool = False


def _all_reduce(group: Group) -> bool:
    return group.kind == "collective" and group.kernel.startswith("all_reduce")


TARGETS: Final = (
    Target("matrix products, bf16", 0.07, lambda g: g.kind == "matmul" and g.format == "bf16"),
    Target("matrix products, fp8 and fp4", 0.12, lambda g: g.kind == "matmul" and g.format[:3] in ("fp8", "fp4")),
    Target("attention of a prefill", 0.12, lambda g: g.kind == "prefill"),
    Target("attention of a decode step, over 20 us", 0.15, lambda g: g.kind == "decode", True),
    Target("routed experts", 0.15, lambda g: g.kind == "experts"),
    Target("all-reduce", 0.15, _all_reduce),
)
#: Columns by whose values the errors of a weak group are shown.
_SHAPE: Final = {
    "matmul": ("m", "n", "k"),
    "prefill": ("isl", "batch_size", "head_dim", "window_size"),
    "encoder": ("isl", "batch_size", "head_dim"),
    "decode": ("step", "batch_size", "head_dim", "window_size"),
    "experts": ("num_tokens", "num_experts", "moe_ep_size", "distribution"),
    "mla prefill": ("isl", "num_heads"),
    "mla decode": ("step", "batch_size", "num_heads"),
    "collective": ("message_size", "num_gpus"),
    "mamba-2": ("seq_len", "batch_size", "nheads"),
    "gated delta net": ("seq_len", "batch_size", "num_v_heads"),
    "kda": ("seq_len", "batch_size"),
    "rows": ("m", "k"),
}


def errors_of(groups: Iterable[Group], *, only_long: bool = False) -> Array:
    """Log errors of the physical rows of groups."""
    return _joined(_used(g, g.errors, only_long) for g in groups)


def baseline_of(groups: Iterable[Group], *, only_long: bool = False) -> Array:
    """Log errors of the roofline divided by the one constant that suits each kind, chip and format best."""
    found: dict[tuple[str, str, str], list[tuple[Array, Array]]] = {}
    for g in groups:
        ratio = np.log(g.problem.bound / g.problem.measured)
        alike = found.setdefault((g.kind, g.chip, g.format), [])
        alike.append((_used(g, ratio, False), _used(g, ratio, only_long)))
    return _joined(
        shown - np.median(np.concatenate([all_ for all_, _ in parts])) for parts in found.values() for _, shown in parts
    )


def left_out_of(
    groups: Iterable[Group], fitted: Sequence[Group], *, only_long: bool = False, siblings: bool = False
) -> Array:
    """Log errors with the coefficients that each group's chip would borrow if nothing of it had been measured.

    `siblings`: nor anything of a chip of its family.
    """
    known = {chip: likeness(locate_gpu(chip)[0]) for chip in dict.fromkeys(g.chip for g in fitted)}
    rows: dict[str, dict[str, list[Measured]]] = {}
    for g in fitted:
        rows.setdefault(g.kind, {}).setdefault(g.chip, []).append(g.measured())
    kept = {
        kind: {chip: without_laggards(kind, found) for chip, found in by_chip.items()} for kind, by_chip in rows.items()
    }
    parts = []
    for g in groups:
        own = known[g.chip]
        away = {chip for chip, like in known.items() if chip == g.chip or (siblings and like.family == own.family)}
        others = {chip: like for chip, like in known.items() if chip not in away}
        values = borrow(g.kind, g.measured(), own, kept[g.kind], others)
        if values is not None:
            expected = g.problem.predict(np.asarray(values))
            parts.append(_used(g, np.log(expected / g.problem.measured), only_long))
    return _joined(parts)


def _used(group: Group, errors: Array, only_long: bool) -> Array:
    use = group.problem.physical
    return np.asarray(errors[use & (group.problem.measured > LONG)] if only_long else errors[use])


def _joined(parts: Iterable[Array]) -> Array:
    found = list(parts)
    return np.concatenate(found) if found else np.zeros(0)


def _percent(errors: Array, quantile: float | None = 0.5) -> str:
    if not len(errors):
        return "–"
    size = np.abs(errors)
    return f"{100 * float(np.mean(size) if quantile is None else np.quantile(size, quantile)):.1f}"


#: What the columns of the page are.
_COLUMNS: Final = (
    "*Constant* is the roofline divided by the one constant that suits the kind, chip and format best. *Other chip* is "
    "what the chip would borrow if nothing of it had been measured: the mean over the nearest chips of all families, "
    "weighted by likeness of matrix rate and bandwidth per unit, formats and kind of memory, each brought to the "
    "rates, clock and power limit of the chip (kernel_transfer.md). *Other family* is the same without its "
    "siblings: B200 and GB200 have one."
)


def report(fitted: Sequence[Group], small: Sequence[Group], source: str, date: str) -> str:
    """The page, in Markdown."""
    written = f"Written by `python -m roofline.evidence.kernels.report` on {date}; not by hand. Measurements: {source}."
    lines = list(paragraphs("# Kernels: expected against measured", written, _size(fitted), _COLUMNS))
    for part in (_targets, _kinds, _kinds_and_chips, _weak, _all):
        lines += part(fitted)
    if small:
        each = "; ".join(f"{g.label()} ({len(g.problem.measured)})" for g in small)
        lines += paragraphs(f"Too few rows to fit: {each}.")
    return "\n".join(lines)


def _size(fitted: Sequence[Group]) -> str:
    """How much was fitted to how much."""
    number = sum(g.coefficients for g in fitted)
    rows, below = sum(_physical(g) for g in fitted), sum(_below(g) for g in fitted)
    return (
        f"{len(fitted)} groups (chip, engine, format, kernel) of {rows:,} rows, {number:,} coefficients in all: about "
        f"{rows / number:.0f} rows for each. {below:,} rows are faster than the roofline of what they claim to do (a "
        "cache that was still warm, or work that was not done): they take no part in fits or errors. An error is "
        "|log(expected / measured)|, in per cent."
    )


def _physical(group: Group) -> int:
    return int(group.problem.physical.sum())


def _below(group: Group) -> int:
    return int((~group.problem.physical).sum())


def _targets(fitted: Sequence[Group]) -> Iterator[str]:
    head = ("kernels", "rows", "target", "median", "constant", "other chip", "other family", "1.5 × target")
    yield from paragraphs("## Figures to reach")
    yield from table(head, (_target_row(target, fitted) for target in TARGETS))


def _kinds_of(fitted: Sequence[Group]) -> list[str]:
    return list(dict.fromkeys(g.kind for g in fitted))


def _kinds(fitted: Sequence[Group]) -> Iterator[str]:
    sizes = "kind", "groups", "coefficients", "rows"
    head = (*sizes, "median", "mean", "p90", "over 20 us", "constant", "other chip", "other family")
    yield from paragraphs("## By kind")
    yield from table(head, (_kind_row(kind, fitted) for kind in _kinds_of(fitted)))


def _kinds_and_chips(fitted: Sequence[Group]) -> Iterator[str]:
    chips = sorted({g.chip for g in fitted})
    yield from paragraphs("## By kind and chip")
    yield from table(("kind", *chips), ((kind, *_pairs(kind, chips, fitted)) for kind in _kinds_of(fitted)))
    yield from paragraphs(
        "Median, and behind the strokes those with coefficients of another chip and of another family."
    )


def _all(fitted: Sequence[Group]) -> Iterator[str]:
    head = ("kind", "chip", "engine", "format", "kernel", "rows", "below", "median", "mean", "p90", "at a bound")
    yield from paragraphs("## All groups")
    yield from table(head, map(_group_row, fitted))


def _group_row(group: Group) -> tuple[str, ...]:
    errors = errors_of([group])
    what = group.kind, group.chip, group.engine, group.format, f"`{group.kernel}`"
    rows = str(_physical(group)), str(_below(group))
    return *what, *rows, _percent(errors), _percent(errors, None), _percent(errors, 0.9), ", ".join(group.at_bound)


def _target_row(target: Target, fitted: Sequence[Group]) -> tuple[str, ...]:
    chosen = [g for g in fitted if target.includes(g)]
    errors = errors_of(chosen, only_long=target.only_long)
    other = (left_out_of(chosen, fitted, only_long=target.only_long, siblings=away) for away in (False, True))
    constant = baseline_of(chosen, only_long=target.only_long)
    medians = _percent(errors), _percent(constant), *map(_percent, other)
    return target.title, f"{len(errors):,}", f"{100 * target.limit:.0f}", *medians, f"{150 * target.limit:.1f}"


def _kind_row(kind: str, fitted: Sequence[Group]) -> tuple[str, ...]:
    groups = [g for g in fitted if g.kind == kind]
    errors, long = errors_of(groups), errors_of(groups, only_long=True)
    sizes = str(len(groups)), str(sum(g.coefficients for g in groups)), f"{len(errors):,}"
    own = _percent(errors), _percent(errors, None), _percent(errors, 0.9), _percent(long)
    other = (_percent(left_out_of(groups, fitted, siblings=away)) for away in (False, True))
    return kind, *sizes, *own, _percent(baseline_of(groups)), *other


def _pairs(kind: str, chips: Sequence[str], fitted: Sequence[Group]) -> Iterator[str]:
    """Errors of a kind on each chip: with its own coefficients, and with another chip's."""
    for chip in chips:
        groups = [g for g in fitted if (g.kind, g.chip) == (kind, chip)]
        other = (left_out_of(groups, fitted, siblings=away) for away in (False, True))
        yield " / ".join(map(_percent, (errors_of(groups), *other))) if groups else "–"


def _weak(fitted: Sequence[Group], least: int = 200) -> Iterator[str]:
    """Errors by shape of the groups that stay above a fifth, largest first."""
    weak = [g for g in fitted if len(g.errors) >= least and np.median(np.abs(errors_of([g]))) > 0.2]
    weak.sort(key=lambda g: -len(g.errors))
    told = (
        f"{len(weak)} groups of at least {least} rows stay above 20 %. Median error by shape (+ is too slow), "
        "quarters of the rows where there are many values."
    )
    yield from paragraphs("## Where it does not fit", told)
    for g in weak:
        yield f"* **{g.label()}**, median {_percent(errors_of([g]))} %"
        for column in _SHAPE[g.kind]:
            if column in g.table and (shown := _by(g, column)):
                yield f"    * {column}: {shown}"
    yield ""


def _by(group: Group, column: str) -> str:
    use = group.problem.physical
    values, errors = group.table[column][use], group.errors[use]
    text = values.dtype == object
    known = values if text else values[~np.isnan(values)]
    labels = sorted(set(known.tolist()))
    if len(labels) < 2:
        return ""
    if text or len(labels) <= 5:
        parts = [(f"{label:g}" if isinstance(label, float) else label, errors[values == label]) for label in labels]
    else:
        spans = pairwise(np.unique(np.quantile(known, (0, 0.25, 0.5, 0.75, 1))))
        parts = [(f"{low:g}–{high:g}", errors[(values >= low) & (values <= high)]) for low, high in spans]
    return ", ".join(f"{label} {100 * float(np.median(part)):+.0f}" for label, part in parts if len(part))


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line: fit the tables of a folder and write the page."""
    options = folder_options("report", __doc__, "Markdown to write", arguments)
    fitted, small = fit_all(options.folder)
    options.output.write_text(report(fitted, small, options.source, options.date), encoding="utf-8")


if __name__ == "__main__":
    main()
