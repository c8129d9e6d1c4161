"""Commands that show what there is: list, show, schema."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from roofline.cli.options import JsonOption, console

if TYPE_CHECKING:
    from rich.console import Console

SpecDirOption = Annotated[str | None, typer.Option("--spec-dir", help="A folder of your own specs.", metavar="DIR")]


def list_(
    what: Annotated[str, typer.Argument(help="models, gpus, nodes, engines or precisions.", metavar="WHAT")],
    match: Annotated[str | None, typer.Argument(help="Only names that contain this text.", metavar="[TEXT]")] = None,
    spec_dir: SpecDirOption = None,
    json: JsonOption = False,
) -> None:
    """What there is: models, gpus, nodes, engines, precisions."""
    from roofline.analysis import catalogue
    from roofline.analysis.options import one_of

    one_of("what", what, ("models", "gpus", "nodes", "engines", "precisions"))
    if what == "engines":
        _print_lines([name for name in catalogue.list_engines() if (match or "") in name], json)
        return
    sources: dict[str, Callable[[], Iterable[Any]]] = {
        "models": lambda: catalogue.model_rows(spec_dir),
        "gpus": lambda: catalogue.gpu_rows(spec_dir),
        "nodes": lambda: catalogue.node_rows(spec_dir),
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
        "models": listing.print_models, "gpus": listing.print_gpus, "nodes": listing.print_nodes,
        "precisions": listing.print_precisions,
    }  # fmt: skip
    tables[what](kept, console())


def _print_lines(lines: list[str], json: bool) -> None:
    if json:
        from roofline.report.data import write_json

        write_json(lines)
    else:
        for line in lines:
            typer.echo(line)


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
    out = console()
    if found is None:
        for key, value in values.items():
            out.print(f"{key}: {value}", highlight=False)
        return
    from roofline.report.listing import print_spec
    from roofline.specs.document import read_text

    note = [f"{name} is an alias of {found.name}"] if found.alias and found.alias.lower() != found.name else []
    print_spec(found.path, read_text(found.path), note, out)


def schema(
    what: Annotated[str, typer.Argument(help="model, gpu or engine.", metavar="WHAT")],
) -> None:
    """The JSON Schema of a spec file."""
    from roofline.analysis.options import one_of
    from roofline.analysis.schema import schema_of
    from roofline.report.data import write_json

    write_json(schema_of(one_of("what", what, ("model", "gpu", "engine"))))
