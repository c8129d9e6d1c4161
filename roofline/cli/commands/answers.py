"""Commands that evaluate one question: estimate, ops, explain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from roofline.cli.options import CsvOption, JsonOption, ModelOptions, with_options
from roofline.cli.terminal import console, tell

if TYPE_CHECKING:
    from collections.abc import Iterable

    from roofline.answer.derivation import Derivation
    from roofline.answer.phase import Warn


MustFit = Annotated[bool, typer.Option("--must-fit", help="Exit code 1 where it does not fit.")]


@with_options()
def estimate(
    options: ModelOptions, must_fit: MustFit = False, json: JsonOption = False, csv: CsvOption = False
) -> None:
    """How fast, how much memory, bound by what."""
    from roofline.api.estimate import estimate as run

    est = run(options.model, options.gpu, **options.options)
    if json:
        from roofline.report.data import write_json

        write_json(est.to_dict())
    elif csv:
        from roofline.report.data import write_csv

        write_csv([{"phase" if key == "name" else key: value for key, value in row.items()} for row in est.records()])
    else:
        from roofline.evidence.runs.nearest import nearest
        from roofline.report.tables.estimate import print_estimate

        print_estimate(est, console(), nearest(est, 1), est.verdict)
    if json or csv:
        note_warnings(est.warnings)
    if must_fit and not est.memory.fits:
        raise typer.Exit(1)


def written(found: Any, json: bool, csv: bool) -> bool:
    """Write an answer for programs, with its warnings beside it; whether that was asked for."""
    from roofline.report.data import write_csv, write_json

    if json:
        write_json(found.to_dict())
    elif csv:
        write_csv(list(found.records()))
    else:
        return False
    note_warnings(found.warnings)
    return True


def note_warnings(warnings: list[Warn]) -> None:
    """Warnings beside an answer for programs, on standard error."""
    for warn in warnings:
        tell(f"warning {warn.code}: {warn.text}")


def derivations_of(found: Iterable[Derivation], only: str | None) -> list[Derivation]:
    """The numbers that have a text in their name; all where there is none.

    Raises UsageError where no name has it, with the nearest names and what names begin with.
    """
    from roofline.errors import UsageError, nearest

    every = list(found)
    chosen = [each for each in every if only is None or only in each.quantity]
    if chosen or only is None:
        return chosen
    names = [each.quantity for each in every]
    close = nearest(only, dict.fromkeys(name.rpartition(".")[2] for name in names))
    hint = f" Nearest: {', '.join(close)}." if close else ""
    begins = ", ".join(dict.fromkeys(name.partition(".")[0] for name in names))
    raise UsageError(f"--only {only[:60]!r} is in the name of no number.{hint} They are of: {begins}")


_PHASE = (
    "One phase alone, by its name in the tables: prefill, decode, draft; text_encode, denoise, vae_decode of pictures; "
    "vision_encode, audio_encode … Left out, or all: every one."
)
_SORT = "time (expected), order (of execution), bound, reached, flops, bytes, params, intensity or name."
_TOP = (
    "Only the N rows that take longest, and the rest as one. Default: 25 of each phase in tables, all in JSON and CSV."
)
#: Rows of a phase that a table has where no number is asked for.
_SHOWN = 25


@with_options()
def ops(
    options: ModelOptions,
    phase: Annotated[str | None, typer.Option(help=_PHASE, metavar="NAME|all")] = None,
    by: Annotated[str, typer.Option(help="One row per op, kind or block.", metavar="op|kind|block")] = "op",
    split: Annotated[
        bool, typer.Option("--split", help="One row per projection, also where the engine multiplies several as one.")
    ] = False,
    top: Annotated[str | None, typer.Option(help=_TOP, metavar="N|all")] = None,
    sort: Annotated[str, typer.Option(help=_SORT, metavar="COLUMN")] = "time",
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """The op ledger: per op FLOPs, bytes, what bounds it, its expected time, and the share of its roof that it reaches.

    Rows are kernels as the engine launches them; the last ones are what takes time beside them.
    """
    from roofline.analysis.ledger import GROUPINGS, SORTS, group_rows, sort_rows, top_rows
    from roofline.api.estimate import estimate as run
    from roofline.runs.checks import one_of

    one_of("by", by, GROUPINGS)
    sort = one_of("sort", sort.lower(), SORTS)
    most = _most(top, usual=None if json or csv else _SHOWN)
    est = run(options.model, options.gpu, **options.options)
    asked = est.every_phase if phase in (None, "all") else [est.phase(phase)]
    tables = {each.name: group_rows(est.ops(each.name, split=split), by) for each in asked}
    if json or csv:
        from roofline.report.data import write_csv, write_json

        sorted_ = (sort_rows(rows, sort) for rows in tables.values())
        found = [row.to_dict() for rows in sorted_ for row in (rows if most is None else top_rows(rows, most, by))]
        if json:
            write_json({"schema_version": 1, "inputs": est.inputs, "ops": found})
        else:
            write_csv(found)
        note_warnings(est.warnings)
        return
    from roofline.report.tables.estimate import print_warnings
    from roofline.report.tables.ops import Shown, print_ledger
    from roofline.runs.telling.notes import taken_as

    out = console()
    print_ledger(est, tables, Shown(by, sort, most, top is not None), out)
    for line in taken_as(est.question):
        out.print(line, style="dim")
    print_warnings(est.warnings, out)


def _most(top: str | None, usual: int | None) -> int | None:
    """How many rows `--top` asks for; None: all of them. Raises UsageError for what is no number."""
    from roofline.errors import UsageError

    if top is None or top.strip().lower() == "all":
        return usual if top is None else None
    try:
        most = int(top)
    except ValueError:
        most = 0
    if most < 1:
        raise UsageError(f"--top must be a whole number from 1 or all, not {top[:40]!r}")
    return most


@with_options()
def explain(
    options: ModelOptions,
    only: Annotated[
        str | None, typer.Option(help="Only the numbers whose name contains this text, for example kv_cache.")
    ] = None,
    terms: Annotated[int, typer.Option(help="Terms to show of each sum.", min=0)] = 6,
    json: JsonOption = False,
) -> None:
    """The derivation of the numbers: formula, substituted values, spec lines, sources."""
    from roofline.api.estimate import estimate as run

    est = run(options.model, options.gpu, **options.options)
    found = derivations_of(est.explain(), only)
    if json:
        from roofline.report.data import write_json

        evidence = [row._asdict() for row in est.nearest]
        derivations = [d.to_dict() for d in found]
        write_json({"schema_version": 1, "inputs": est.inputs, "derivations": derivations, "evidence": evidence})
        return
    from roofline.report.tables.explanation import print_explanation

    print_explanation(est, found, est.nearest, console(), terms, some=only is not None)
