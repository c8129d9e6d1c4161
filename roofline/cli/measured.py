"""Commands about measurements: validate, calibrate."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from roofline.cli.options import CsvOption, JsonOption, console

_BY = "engine, gpu, model, metric, devices, source or chip known."


def validate(
    runs: Annotated[
        Path | None, typer.Argument(help="CSV of measured runs; default: those that are shipped.", metavar="FILE")
    ] = None,
    engine: Annotated[
        str | None, typer.Option(help="Check all rows with this engine; default: each row's own.", metavar="NAME|FILE")
    ] = None,
    by: Annotated[str, typer.Option(help=_BY, metavar="PROPERTY")] = "engine",
    worst: Annotated[int, typer.Option(help="How many of the rows that miss most to show.")] = 5,
    tolerance: Annotated[
        float | None, typer.Option(help="Largest median error in per cent; beyond it the exit code is 1.")
    ] = None,
    spec_dir: Annotated[str | None, typer.Option("--spec-dir", help="Folder of further specs.", metavar="DIR")] = None,
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """Predictions against measured runs: error per row and group, coverage of the interval, unphysical rows.

    Columns of the file: model, gpu, engine, batch, prompt, generate, metric, value. Metrics: latency_ms, ttft_ms,
    tpot_ms, output_tokens_per_s, prefill_tokens_per_s, served_tpot_ms, step_ms (see docs/measurements.md).
    """
    from roofline.analysis.measured.validate import GROUPS, validate_runs
    from roofline.analysis.options import one_of

    one_of("by", by, tuple(GROUPS))
    found = validate_runs(_file(runs), engine, spec_dir)
    if json:
        from roofline.report.data import write_json

        write_json({"schema_version": 1, **found.to_dict()})
    elif csv:
        sys.stdout.write(found.to_csv())
    else:
        from roofline.report.measured import print_validation

        print_validation(found, console(), by, worst)
    if tolerance is not None and not found.within(tolerance / 100.0):
        raise typer.Exit(1)


def calibrate(
    runs: Annotated[
        Path, typer.Argument(help="CSV of measured runs: model, gpu, engine, batch, prompt, generate, metric, value.",
                             metavar="FILE")
    ],
    engine: Annotated[
        str | None, typer.Option(help="The engine whose rows to fit; default: the only one in the file.",
                                 metavar="NAME")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="YAML to write, for `--engine FILE`.", metavar="FILE")
    ] = None,
    spec_dir: Annotated[str | None, typer.Option("--spec-dir", help="Folder of further specs.", metavar="DIR")] = None,
    json: JsonOption = False,
) -> None:  # fmt: skip
    """Efficiencies of an engine, fitted to measured runs; what they cannot tell is named.

    Columns of the file: model, gpu, engine, batch, prompt, generate, metric, value. Metrics: latency_ms, ttft_ms,
    tpot_ms, output_tokens_per_s, prefill_tokens_per_s, served_tpot_ms, step_ms (see docs/measurements.md).
    """
    from roofline.analysis.measured.engine_files import fit_file

    fitted, text, refused, rows = fit_file(_file(runs), engine, spec_dir)
    for line in refused:
        sys.stderr.write(f"not used: {line}\n")
    if output is not None:
        output.write_text(text, encoding="utf-8")
        sys.stderr.write(f"wrote {output}\n")
    if json:
        from roofline.report.data import write_json

        write_json({"schema_version": 1, "engine": fitted.engine._asdict(), "rows": rows, "fitted": list(fitted.free),
                    "at_bound": list(fitted.at_bound), "undetermined": list(fitted.undetermined),
                    "errors": [float(error) for error in fitted.errors]})  # fmt: skip
    else:
        from roofline.report.measured import print_fit

        print_fit(fitted, rows, console())


def _file(path: Path | None) -> Path | None:
    from roofline.errors import UsageError

    if path is not None and not path.is_file():
        raise UsageError(f"{path}: no such file")
    return path
