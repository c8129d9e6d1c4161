"""How well the kernel models meet measured kernels: docs/kernel_accuracy.md, from the tables themselves.

python -m roofline.evidence.kernels.report FOLDER -o docs/kernel_accuracy.md --date 2026-11-23
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from roofline.evidence.kernels.fit import Group, fit_all, folder_options
from roofline.evidence.kernels.tables import Array
from roofline.machine.coefficients import Measured, likeness
from roofline.machine.stand_ins import borrow, without_laggards
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
    "matmul": ("m", "n", "k"), "prefill": ("isl", "batch_size", "head_dim", "window_size"),
    "encoder": ("isl", "batch_size", "head_dim"), "decode": ("step", "batch_size", "head_dim", "window_size"),
    "experts": ("num_tokens", "num_experts", "moe_ep_size", "distribution"), "mla prefill": ("isl", "num_heads"),
    "mla decode": ("step", "batch_size", "num_heads"), "collective": ("message_size", "num_gpus"),
    "mamba-2": ("seq_len", "batch_size", "nheads"), "gated delta net": ("seq_len", "batch_size", "num_v_heads"),
    "kda": ("seq_len", "batch_size"), "rows": ("m", "k"),
}  # fmt: skip


def errors_of(groups: Iterable[Group], *, only_long: bool = False) -> Array:
    """Log errors of the physical rows of groups."""
    return _joined(_used(g, g.errors, only_long) for g in groups)


def baseline_of(groups: Iterable[Group], *, only_long: bool = False) -> Array:
    """Log errors of the roofline divided by the one constant that suits each kind, chip and format best."""
    found: dict[tuple[str, str, str], list[tuple[Array, Array]]] = {}
    for g in groups:
        ratio = np.log(g.problem.bound / g.problem.measured)
        found.setdefault((g.kind, g.chip, g.format), []).append(
            (_used(g, ratio, False), _used(g, ratio, only_long))
        )  # fmt: skip
    return _joined(
        shown - np.median(np.concatenate([all_ for all_, _ in parts])) for parts in found.values() for _, shown in parts
    )


def left_out_of(groups: Iterable[Group], fitted: Sequence[Group], *, only_long: bool = False) -> Array:
    """Log errors with the coefficients that each group's chip would borrow if nothing of it had been measured."""
    known = {chip: likeness(locate_gpu(chip)[0]) for chip in dict.fromkeys(g.chip for g in fitted)}
    rows: dict[str, dict[str, list[Measured]]] = {}
    for g in fitted:
        rows.setdefault(g.kind, {}).setdefault(g.chip, []).append(g.measured())
    kept = {kind: {chip: without_laggards(kind, found) for chip, found in by_chip.items()}
            for kind, by_chip in rows.items()}  # fmt: skip
    parts = []
    for g in groups:
        others = {chip: like for chip, like in known.items() if chip != g.chip}
        values = borrow(g.kind, g.measured(), known[g.chip], kept[g.kind], others)
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


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table of Markdown, and an empty line after it."""
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""


def report(fitted: Sequence[Group], small: Sequence[Group], source: str, date: str) -> str:
    """The page, in Markdown."""
    number = sum(g.coefficients for g in fitted)
    rows = sum(int(g.problem.physical.sum()) for g in fitted)
    below = sum(int((~g.problem.physical).sum()) for g in fitted)
    lines = [
        "# Kernels: expected against measured", "",
        f"Written by `python -m roofline.evidence.kernels.report` on {date}; not by hand. Measurements: {source}.", "",
        f"{len(fitted)} groups (chip, engine, format, kernel) of {rows:,} rows, {number:,} coefficients in all: about "
        f"{rows / number:.0f} rows for each. {below:,} rows are faster than the roofline of what they claim to do (a "
        "cache that was still warm, or work that was not done): they take no part in fits or errors. An error is "
        "|log(expected / measured)|, in per cent.", "",
        "*Constant* is the roofline divided by the one constant that suits the kind, chip and format best. *Other "
        "chip* is what the chip would borrow if nothing of it had been measured: the coefficients of a chip of its "
        "class (B200 and GB200 have one), or else the mean over all other classes, weighted by likeness of matrix rate "
        "and bandwidth per unit, formats and kind of memory; times are scaled by the clocks, losses to the power "
        "limit by the FLOP/s per watt.", "",
        "## Figures to reach", "",
    ]  # fmt: skip
    lines += markdown_table(
        ("kernels", "rows", "target", "median", "constant", "other chip", "1.5 × target"),
        (_target_row(t, fitted) for t in TARGETS),
    )
    lines += ["## By kind", ""]
    kinds = list(dict.fromkeys(g.kind for g in fitted))
    lines += markdown_table(
        ("kind", "groups", "coefficients", "rows", "median", "mean", "p90", "over 20 us", "constant", "other chip"),
        (_kind_row(kind, [g for g in fitted if g.kind == kind], fitted) for kind in kinds),
    )
    lines += ["## By kind and chip", ""]
    chips = sorted({g.chip for g in fitted})
    lines += markdown_table(
        ("kind", *chips),
        ((kind, *(_pair([g for g in fitted if (g.kind, g.chip) == (kind, chip)], fitted) for chip in chips))
         for kind in kinds),
    )  # fmt: skip
    lines += ["Median, and behind the stroke the median with another chip's coefficients.", ""]
    lines += _weak(fitted)
    lines += ["## All groups", ""]
    lines += markdown_table(
        ("kind", "chip", "engine", "format", "kernel", "rows", "below", "median", "mean", "p90", "at a bound"),
        ((g.kind, g.chip, g.engine, g.format, f"`{g.kernel}`", str(int(g.problem.physical.sum())),
          str(int((~g.problem.physical).sum())), _percent(errors_of([g])), _percent(errors_of([g]), None),
          _percent(errors_of([g]), 0.9), ", ".join(g.at_bound)) for g in fitted),
    )  # fmt: skip
    if small:
        lines += [
            "Too few rows to fit: " + "; ".join(f"{g.label()} ({len(g.problem.measured)})" for g in small) + ".",
            "",
        ]
    return "\n".join(lines)


def _target_row(target: Target, fitted: Sequence[Group]) -> tuple[str, ...]:
    chosen = [g for g in fitted if target.includes(g)]
    errors = errors_of(chosen, only_long=target.only_long)
    other = left_out_of(chosen, fitted, only_long=target.only_long)
    return (
        target.title, f"{len(errors):,}", f"{100 * target.limit:.0f}", _percent(errors),
        _percent(baseline_of(chosen, only_long=target.only_long)), _percent(other), f"{150 * target.limit:.1f}",
    )  # fmt: skip


def _kind_row(kind: str, groups: Sequence[Group], fitted: Sequence[Group]) -> tuple[str, ...]:
    errors = errors_of(groups)
    return (
        kind, str(len(groups)), str(sum(g.coefficients for g in groups)), f"{len(errors):,}", _percent(errors),
        _percent(errors, None), _percent(errors, 0.9), _percent(errors_of(groups, only_long=True)),
        _percent(baseline_of(groups)), _percent(left_out_of(groups, fitted)),
    )  # fmt: skip


def _pair(groups: Sequence[Group], fitted: Sequence[Group]) -> str:
    return f"{_percent(errors_of(groups))} / {_percent(left_out_of(groups, fitted))}" if groups else "–"


def _weak(fitted: Sequence[Group], least: int = 200) -> list[str]:
    """Errors by shape of the groups that stay above a fifth, largest first."""
    weak = [g for g in fitted if len(g.errors) >= least and np.median(np.abs(errors_of([g]))) > 0.2]
    weak.sort(key=lambda g: -len(g.errors))
    lines = ["## Where it does not fit", "",
             f"{len(weak)} groups of at least {least} rows stay above 20 %. Median error by shape (+ is too slow), "
             "quarters of the rows where there are many values.", ""]  # fmt: skip
    for g in weak:
        lines.append(f"* **{g.label()}**, median {_percent(errors_of([g]))} %")
        for column in _SHAPE[g.kind]:
            if column in g.table and (shown := _by(g, column)):
                lines.append(f"    * {column}: {shown}")
    return [*lines, ""]


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
        edges = np.unique(np.quantile(known, (0, 0.25, 0.5, 0.75, 1)))
        parts = [(f"{low:g}–{high:g}", errors[(values >= low) & (values <= high)])
                 for low, high in pairwise(edges)]  # fmt: skip
    return ", ".join(f"{label} {100 * float(np.median(part)):+.0f}" for label, part in parts if len(part))


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line: fit the tables of a folder and write the page."""
    options = folder_options("report", __doc__, "Markdown to write", arguments)
    fitted, small = fit_all(options.folder)
    options.output.write_text(report(fitted, small, options.source, options.date), encoding="utf-8")


if __name__ == "__main__":
    main()
