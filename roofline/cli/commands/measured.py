"""Commands about measurements: validate, calibrate."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from roofline.cli.options import CsvOption, JsonOption, with_fields
from roofline.cli.terminal import console, tell

if TYPE_CHECKING:
    from roofline.evidence.fits.calibrate import Calibration

_BY = "engine, gpu, model, metric, devices, source or chip known."
_COLUMNS = "model, gpu, engine, batch, prompt, generate, metric, value"
_SpecDirOption = Annotated[str | None, typer.Option("--spec-dir", help="Folder of further specs.", metavar="DIR")]


@dataclass(frozen=True)
class CheckOptions:
    """What is checked, and what is told of it."""

    runs: Annotated[
        Path | None, typer.Argument(help="CSV of measured runs; default: those that are shipped.", metavar="FILE")
    ] = None
    engine: Annotated[
        str | None,
        typer.Option(help="Check all rows with this engine; default: each row's own.", metavar="NAME|FILE"),
    ] = None
    training: Annotated[bool, typer.Option("--training", help="Steps of training runs, not runs of a model.")] = False
    by: Annotated[str, typer.Option(help=_BY, metavar="PROPERTY")] = "engine"
    worst: Annotated[int, typer.Option(help="How many of the rows that miss most to show.")] = 5
    tolerance: Annotated[
        float | None, typer.Option(help="Largest median error in per cent; beyond it the exit code is 1.")
    ] = None
    spec_dir: _SpecDirOption = None

    def check(self) -> None:
        """Refuse values that mean nothing. Raises UsageError."""
        from roofline.errors import UsageError
        from roofline.evidence.checks.validate import GROUPS
        from roofline.runs.checks import one_of

        if self.training:
            from roofline.evidence.training.validate import GROUPS as OF_TRAINING

            one_of("by", self.by, tuple(OF_TRAINING))
            if self.engine is not None:
                raise UsageError("--engine: rows of training runs are checked with their own frameworks")
        else:
            one_of("by", self.by, tuple(GROUPS))
        if self.tolerance is not None and not (isfinite(self.tolerance) and self.tolerance >= 0.0):
            raise UsageError(f"--tolerance must be a number of per cent from 0, not {self.tolerance:g}")
        if self.worst < 0:
            raise UsageError(f"--worst must be a whole number from 0, not {self.worst}")


@with_fields(CheckOptions)
def validate(options: CheckOptions, json: JsonOption = False, csv: CsvOption = False) -> None:
    """Predictions against measured runs: error per row and group, coverage of the interval, unphysical rows.

    Columns of the file: model, gpu, engine, batch, prompt, generate, metric, value. Metrics: latency_ms, ttft_ms,
    tpot_ms, output_tokens_per_s, prefill_tokens_per_s, served_tpot_ms, step_ms (see docs/measurements.md).
    """
    options.check()
    if options.training:
        _validate_training(options, json, csv)
        return
    from roofline.evidence.checks.validate import validate_runs

    found = validate_runs(options.runs, options.engine, options.spec_dir)
    _note((), found.ignored)
    if json:
        from roofline.report.data import write_json

        write_json({"schema_version": 1, **found.to_dict()})
    elif csv:
        sys.stdout.write(found.to_csv())
    else:
        from roofline.report.tables.measured import print_validation

        print_validation(found, console(), options.by, options.worst)
    if options.tolerance is not None and not found.within(options.tolerance / 100.0):
        raise typer.Exit(1)


_RunsArgument = Annotated[Path, typer.Argument(help=f"CSV of measured runs: {_COLUMNS}.", metavar="FILE")]
_FittedOption = Annotated[
    str | None, typer.Option(help="The engine whose rows to fit; default: the only one in the file.", metavar="NAME")
]
_OutputOption = Annotated[
    Path | None, typer.Option("--output", "-o", help="YAML to write, for `--engine FILE`.", metavar="FILE")
]


def calibrate(
    runs: _RunsArgument,
    engine: _FittedOption = None,
    output: _OutputOption = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the output file.")] = False,
    spec_dir: _SpecDirOption = None,
    json: JsonOption = False,
) -> None:
    """Efficiencies of an engine, fitted to measured runs; what they cannot tell is named.

    Of an engine that is shipped, what the rows cannot tell keeps its values. Rows that are faster than the hardware
    allows are not used.

    Columns of the file: model, gpu, engine, batch, prompt, generate, metric, value. Metrics: latency_ms, ttft_ms,
    tpot_ms, output_tokens_per_s, prefill_tokens_per_s, served_tpot_ms, step_ms (see docs/measurements.md).
    """
    from roofline.cli.writing import check_output, write_whole
    from roofline.evidence.fits.calibrate import fit_file

    if output is not None:
        check_output(output, force, (runs,))
    made = fit_file(runs, engine, spec_dir)
    _note(made.refused, made.ignored)
    if output is not None:
        write_whole(output, made.text)
        tell(f"wrote {output}")
    if json:
        from roofline.report.data import write_json

        write_json(_as_dict(made))
    else:
        from roofline.report.tables.measured import print_fit

        print_fit(made, console())


def _as_dict(made: Calibration) -> dict[str, Any]:
    fitted = made.fitted
    return {
        "schema_version": 1,
        "engine": fitted.engine.to_dict(),
        "rows": made.rows,
        "started_from": made.like,
        "fitted": list(fitted.free),
        "at_bound": [name for name in fitted.at_bound if name in fitted.free],
        "undetermined": list(fitted.undetermined),
        "refused": list(made.refused),
        "ignored_columns": list(made.ignored),
        "errors": [float(error) for error in fitted.errors],
    }


def _validate_training(options: CheckOptions, json: bool, csv: bool) -> None:
    from roofline.evidence.training.validate import validate_training

    found = validate_training(options.runs)
    if json or csv:
        from roofline.report.data import write_csv, write_json

        write_json({"schema_version": 1, **found.to_dict()}) if json else write_csv(found.records())
    else:
        from roofline.report.tables.training.validation import print_training_validation

        print_training_validation(found, console(), options.by, options.worst)
    if options.tolerance is not None and not found.within(options.tolerance / 100.0):
        raise typer.Exit(1)


def _note(lines: Iterable[str], ignored: Sequence[str]) -> None:
    """What of a file was not used, on standard error."""
    for line in lines:
        tell(f"not used: {line}")
    if ignored:
        tell(f"ignored columns: {', '.join(ignored)}")
