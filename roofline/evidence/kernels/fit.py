r"""From measured kernels to the coefficients of the chips.

    python -m roofline.evidence.kernels.fit FOLDER --source WHOSE --date DAY \
        -o roofline/machine/chips/chip_efficiency.json

reads the tables of a folder (Parquet or CSV, named by kind as below), groups them by chip, engine, format and kernel,
fits the kernel models of `roofline.machine` to each group, and writes one row of coefficients per group. The same
tables give the same digits.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from pathlib import Path
from typing import Any, Final

import numpy as np

from roofline.errors import UsageError
from roofline.evidence.fits.robust import Search, fit_robust
from roofline.evidence.kernels import problems
from roofline.evidence.kernels.formats import FORMATS
from roofline.evidence.kernels.problems import Chip, Problem
from roofline.evidence.kernels.ranges import EXPECTED, RANGES
from roofline.evidence.kernels.tables import Array, Table, groups, read_table
from roofline.machine.chips.coefficients import Likeness, Measured, likeness
from roofline.machine.chips.facts import is_stacked, least_rows
from roofline.machine.chips.transfer import transferred
from roofline.machine.machine import Machine
from roofline.runs.load import locate_gpu
from roofline.specs.files.paths import is_file

#: Rows per coefficient below which a group is not fitted but reported as too small.
_ROWS_PER_COEFFICIENT: Final = 3
_SIGNIFICANT: Final = 4
#: The chip of which coefficients are expected, before another's facts enter.
_EXPECTED_OF: Final = "h100-sxm"

#: Name of the table, kind of kernel, columns that name the format, columns that split it further.
TABLES: Final[tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...]] = (
    ("gemm", "matmul", ("gemm_dtype",), ()),
    ("attention_prefill", "prefill", ("attn_dtype", "kv_cache_dtype"), ()),
    ("attention_encoder", "encoder", ("attn_dtype",), ()),
    ("attention_decode", "decode", ("kv_cache_dtype",), ()),
    ("moe", "experts", ("moe_dtype",), ()),
    ("mla_prefill", "mla prefill", ("kv_cache_dtype",), ()),
    ("mla_decode", "mla decode", ("kv_cache_dtype",), ()),
    ("gated_delta_net", "gated delta net", (), ("phase",)),
    ("kda", "kda", (), ("phase",)),
    ("mamba2", "mamba-2", (), ("phase",)),
    ("quantise_activations", "rows", ("quant_dtype",), ()),
    ("nccl", "collective", ("nccl_dtype",), ("op_name",)),
    ("custom_allreduce", "collective", ("allreduce_dtype",), ("op_name",)),
)
_MAKE: Final[dict[str, Callable[[Table, Chip], Problem]]] = {
    "matmul": problems.matmul_problem,
    "prefill": problems.prefill_problem,
    "encoder": problems.prefill_problem,
    "decode": problems.decode_problem,
    "experts": problems.experts_problem,
    "mla prefill": problems.prefill_problem,
    "mla decode": problems.decode_problem,
    "gated delta net": problems.scan_problem,
    "kda": problems.scan_problem,
    "mamba-2": problems.scan_problem,
    "rows": problems.rows_problem,
    "collective": problems.collective_problem,
}
#: What a row of the document holds.
_COLUMNS: Final = (
    "chip",
    "engine",
    "format",
    "kernel",
    "rows fitted",
    "rows below the roofline, left out",
    "median error",
    "90th percentile error",
    "coefficients, in the order of fields",
)


@dataclass(frozen=True)
class Group:
    """One fitted group: what it is, its coefficients, and its log errors (of all rows, physical or not)."""

    kind: str
    chip: str
    engine: str
    format: str
    kernel: str
    table: Table
    problem: Problem
    values: tuple[float, ...] = ()
    at_bound: tuple[str, ...] = ()
    undetermined: tuple[str, ...] = ()

    @property
    def errors(self) -> Array:
        """log(expected / measured) of every row."""
        return np.log(self.problem.predict(np.asarray(self.values)) / self.problem.measured)

    @property
    def coefficients(self) -> int:
        """How many numbers were fitted."""
        return len(self.problem.names) + len(self.problem.choices)

    def measured(self) -> Measured:
        """As a row of the shipped document."""
        use = self.problem.physical
        errors = np.abs(self.errors[use])
        rows, beside = int(use.sum()), int((~use).sum())
        median, tail = round(float(np.median(errors)), 4), round(float(np.quantile(errors, 0.9)), 4)
        return Measured(self.chip, self.engine, self.format, self.kernel, rows, beside, median, tail, self.values)

    def label(self) -> str:
        """For messages."""
        return f"{self.kind} {self.chip} {self.engine} {self.format} {self.kernel}"


def chip_of(name: str) -> Chip:
    """The datasheet values of a chip by name, from the hardware library."""
    spec, _ = locate_gpu(name)
    machine = Machine.of(spec)
    own = [d for d, served in machine.served_by.items() if served[0].removeprefix("vector.") in (d, "nvfp4")]
    peak = {dtype: float(np.max(machine.tensor[dtype])) for dtype in own}
    if spec.units is None:
        raise UsageError(f"{name}: the number of its units is not known")
    link = spec.links.scale_up or spec.links.pcie if spec.links else None
    linked, rows = link.bandwidth if link else 1.0, least_rows(spec, is_stacked(spec))
    return Chip(spec.name, peak, spec.memory.bandwidth, float(spec.units.count), linked, rows)


def read_groups(folder: Path, chip: Callable[[str], Chip] = chip_of) -> Iterator[Group]:
    """The groups of all tables of a folder, not yet fitted."""
    found = False
    for stem, kind, formats, splits in TABLES:
        path = next((p for suffix in (".parquet", ".csv") if is_file(p := folder / f"{stem}{suffix}")), None)
        if path is None:
            continue
        found = True
        table = read_table(path)
        for key, part in groups(table, ("gpu", "engine", *formats, *splits, "kernel_source")):
            name, engine, *rest = key
            labels = [FORMATS.get(text, text) for text in rest[: len(formats)]]
            kernel = " ".join([*rest[len(formats) : -1], rest[-1]])
            yield Group(kind, name, engine, "/".join(labels) or "bf16", kernel, part, _MAKE[kind](part, chip(name)))
    if not found:
        raise UsageError(f"{folder}: none of {', '.join(stem for stem, *_ in TABLES)} (.parquet or .csv) is there")


def fit_group(group: Group) -> Group | None:
    """The group with its coefficients, or None where it has too few rows to tell them.

    Rows faster than the roofline take no part. The coefficients with choices are settled one after another: each choice
    is tried, the first stays unless another is clearly better.
    """
    problem = group.problem
    use = problem.physical
    if use.sum() < _ROWS_PER_COEFFICIENT * len(problem.names):
        return None
    search = _search(group)
    chosen = [values[0] for values in problem.choices]
    best: tuple[float, Array, Any] | None = None
    for place, choice in ((i, v) for i, values in enumerate(problem.choices or ((),)) for v in values or (None,)):
        tail = [*chosen]
        if choice is not None:
            if place and choice == chosen[place]:
                continue
            tail[place] = choice

        def predict(values: Array, tail: Sequence[float] = tail) -> Array:
            return np.asarray(problem.predict(np.append(values, tail))[use], dtype=np.float64)

        fit = fit_robust(predict, problem.measured[use], search)
        loss = float(np.mean(np.abs(fit.residuals)))
        if best is None or loss < 0.97 * best[0]:
            best, chosen = (loss, np.append(fit.values, tail), fit), tail
    assert best is not None
    _, values, fit = best
    rounded = tuple(float(f"{v:.{_SIGNIFICANT}g}") for v in values)
    at_bound, loose = (tuple(compress(problem.names, which)) for which in (fit.at_bound, fit.undetermined))
    return replace(group, values=rounded, at_bound=at_bound, undetermined=loose)


def _search(group: Group) -> Search:
    """Where the coefficients of a group are looked for: around what the chip's facts let expect, of some kinds."""
    kind, names = group.problem.kind, group.problem.names
    start, low, high = zip(*(RANGES[kind][name] for name in names), strict=True)
    if kind not in EXPECTED:
        return Search(start, low, high)
    usual, belief = zip(*(EXPECTED[kind][name] for name in names), strict=True)
    of, own = (likeness(locate_gpu(chip)[0]) for chip in (_EXPECTED_OF, group.chip))
    grown = transferred(kind, names, usual, of, own)
    inside = [min(max(v, least), most) for v, least, most in zip(grown, low, high, strict=True)]
    return Search(inside, low, high, belief=belief)


def fit_all(folder: Path) -> tuple[list[Group], list[Group]]:
    """All groups of a folder: fitted, and too small to be."""
    fitted: list[Group] = []
    small: list[Group] = []
    for group in read_groups(folder):
        done = fit_group(group)
        (small if done is None else fitted).append(done or group)
    return fitted, small


def document(fitted: Sequence[Group], *, source: str, date: str) -> str:
    """The JSON of coefficients, one line per group."""
    kinds: dict[str, Any] = {}
    for group in fitted:
        entry = kinds.setdefault(group.kind, {"fields": list(group.problem.fields), "rows": []})
        entry["rows"].append(group.measured())
    chips = {name: list(likeness(locate_gpu(name)[0])) for name in dict.fromkeys(group.chip for group in fitted)}
    head = {
        "source": source,
        "fitted": date,
        "by": "roofline.evidence.kernels.fit",
        "columns": _COLUMNS,
        "of a chip": Likeness._fields,
        "chips": chips,
    }
    lines = [json.dumps(head)[:-1] + ', "kinds": {']
    for i, (kind, entry) in enumerate(kinds.items()):
        rows = ",\n".join(json.dumps(row) for row in entry["rows"])
        comma = "," if i < len(kinds) - 1 else ""
        lines.append(f'{json.dumps(kind)}: {{"fields": {json.dumps(entry["fields"])}, "rows": [\n{rows}]}}{comma}')
    return "\n".join([*lines, "}}"]) + "\n"


def folder_options(module: str, about: str | None, output: str, arguments: Sequence[str] | None) -> Namespace:
    """What the command lines of this package take: a folder of tables, where to write, whose they are, and when."""
    parser = ArgumentParser(prog=f"python -m roofline.evidence.kernels.{module}", description=about)
    parser.add_argument("folder", type=Path, help="folder of tables")
    parser.add_argument("-o", "--output", type=Path, required=True, help=output)
    parser.add_argument("--source", required=True, help="whose measurements, version and licence")
    parser.add_argument("--date", required=True, help="of the fit")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line: fit a folder of tables and write the coefficients."""
    options = folder_options("fit", __doc__, "JSON to write", arguments)
    fitted, _ = fit_all(options.folder)
    options.output.write_text(document(fitted, source=options.source, date=options.date), encoding="utf-8")


if __name__ == "__main__":
    main()
