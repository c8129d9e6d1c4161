"""The commands. Each imports what it needs when it runs, so that the program starts in a blink."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from roofline import __version__
from roofline.cli.options import CsvOption, JsonOption, ModelOptions, with_options

if TYPE_CHECKING:
    from rich.console import Console

    from roofline.analysis.result import Warn

app = typer.Typer(
    name="roofline",
    help="FLOPs, memory and roofline-bound time of language and image models, computed from their shapes.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


def _console() -> Console:
    from rich.console import Console

    return Console(soft_wrap=False)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"roofline {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


@app.command()
@with_options(ModelOptions)
def estimate(options: ModelOptions, json: JsonOption = False, csv: CsvOption = False) -> None:
    """How fast, how much memory, bound by what."""
    from roofline.analysis.estimate import estimate as run

    est = run(**options.question())
    if json:
        from roofline.report.data import write_json

        write_json(est.to_dict())
    elif csv:
        from roofline.report.data import write_csv

        write_csv(est.records())
    else:
        from roofline.report.text import print_estimate

        print_estimate(est, _console())
        return
    _note_warnings(est.warnings)


def _note_warnings(warnings: list[Warn]) -> None:
    for warn in warnings:
        sys.stderr.write(f"warning {warn.code}: {warn.text}\n")


@app.command()
@with_options(ModelOptions)
def ops(
    options: ModelOptions,
    phase: Annotated[str | None, typer.Option(help="prefill or decode; default: all.")] = None,
    by: Annotated[str, typer.Option(help="One row per op, kind or block.", metavar="op|kind|block")] = "op",
    sort: Annotated[
        str, typer.Option(help="order, time, flops, bytes, params, intensity or name.", metavar="COLUMN")
    ] = "order",
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """The op ledger of a phase: per op FLOPs, bytes, intensity, time and bound."""
    from roofline.analysis.estimate import estimate as run
    from roofline.analysis.ledger import GROUPINGS, SORTS, group_rows, sort_rows
    from roofline.analysis.options import one_of

    one_of("by", by, GROUPINGS)
    one_of("sort", sort, SORTS)
    est = run(**options.question())
    names = [est.phase(phase).name] if phase else [p.name for p in est.phases]
    tables = {name: sort_rows(group_rows(est.ops(name), by), sort) for name in names}
    if json or csv:
        from roofline.report.data import write_csv, write_json

        rows = [{"phase": name} | row.to_dict() for name, members in tables.items() for row in members]
        if json:
            write_json({"schema_version": 1, "inputs": est.inputs, "ops": rows})
        else:
            write_csv(rows)
        _note_warnings(est.warnings)
        return
    from roofline.report.ops import print_ops
    from roofline.report.text import print_warnings

    console = _console()
    for name, rows_of_phase in tables.items():
        print_ops(est, name, rows_of_phase, by, console)
    print_warnings(est, console)


@app.command()
@with_options(ModelOptions)
def explain(
    options: ModelOptions,
    only: Annotated[
        str | None, typer.Option(help="Only the numbers whose name contains this text, for example kv_cache.")
    ] = None,
    terms: Annotated[int, typer.Option(help="Terms to show of each sum.", min=0)] = 6,
    json: JsonOption = False,
) -> None:
    """The derivation of the numbers: formula, substituted values, spec lines, sources."""
    from roofline.analysis.estimate import estimate as run
    from roofline.analysis.explain import explain as derive
    from roofline.errors import UsageError

    est = run(**options.question())
    found = derive(est)
    if only is not None:
        names = [d.quantity for d in found]
        found = [d for d in found if only in d.quantity]
        if not found:
            raise UsageError(f"--only {only!r} is in none of: {', '.join(names)}")
    if json:
        from roofline.report.data import write_json

        write_json({"schema_version": 1, "inputs": est.inputs, "derivations": [d.to_dict() for d in found]})
        return
    from roofline.report.explanation import print_explanation

    print_explanation(est, found, _console(), terms)


SpecDirOption = Annotated[str | None, typer.Option("--spec-dir", help="A folder of your own specs.", metavar="DIR")]


@app.command("list")
def list_(
    what: Annotated[str, typer.Argument(help="models, gpus, engines or precisions.", metavar="WHAT")],
    match: Annotated[str | None, typer.Argument(help="Only names that contain this text.", metavar="[TEXT]")] = None,
    spec_dir: SpecDirOption = None,
    json: JsonOption = False,
) -> None:
    """What there is: models, gpus, engines, precisions."""
    from roofline.analysis import catalogue
    from roofline.analysis.options import one_of

    one_of("what", what, ("models", "gpus", "engines", "precisions"))
    if what == "engines":
        _print_lines([name for name in catalogue.list_engines() if (match or "") in name], json)
        return
    sources: dict[str, Callable[[], Iterable[Any]]] = {
        "models": lambda: catalogue.model_rows(spec_dir),
        "gpus": lambda: catalogue.gpu_rows(spec_dir),
        "precisions": catalogue.precision_rows,
    }
    wanted = (match or "").lower()
    kept = [row for row in sources[what]() if wanted in " ".join([row.name, *getattr(row, "aliases", ())]).lower()]
    if json:
        from dataclasses import asdict

        from roofline.report.data import write_json

        write_json([asdict(row) for row in kept])
        return
    from roofline.report import listing

    tables: dict[str, Callable[[list[Any], Console], None]] = {
        "models": listing.print_models, "gpus": listing.print_gpus, "precisions": listing.print_precisions,
    }  # fmt: skip
    tables[what](kept, _console())


def _print_lines(lines: list[str], json: bool) -> None:
    if json:
        from roofline.report.data import write_json

        write_json(lines)
    else:
        for line in lines:
            typer.echo(line)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A model, GPU, engine or precision, or an alias of one.")],
    spec_dir: SpecDirOption = None,
    json: JsonOption = False,
) -> None:
    """One spec as it stands in its file, and where it was found."""
    from roofline.analysis.catalogue import find_anything

    what, found, values = find_anything(name, spec_dir)
    if json:
        from roofline.report.data import write_json

        write_json({"what": what, "file": str(found.path) if found else None, "values": values})
        return
    console = _console()
    if found is None:
        for key, value in values.items():
            console.print(f"{key}: {value}", highlight=False)
        return
    from roofline.report.listing import print_spec
    from roofline.specs.document import read_text

    note = [f"{name} is an alias of {found.name}"] if found.alias and found.alias.lower() != found.name else []
    print_spec(found.path, read_text(found.path), note, console)


@app.command()
def schema(
    what: Annotated[str, typer.Argument(help="model, gpu or engine.", metavar="WHAT")],
) -> None:
    """The JSON Schema of a spec file."""
    from roofline.analysis.options import one_of
    from roofline.analysis.schema import schema_of
    from roofline.report.data import write_json

    write_json(schema_of(one_of("what", what, ("model", "gpu", "engine"))))
