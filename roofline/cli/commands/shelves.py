"""Commands that show what there is: list, show, schema."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Final

import typer

from roofline.cli.options import CsvOption, JsonOption, with_run
from roofline.cli.terminal import console, tell

#: What `list` lists, and what has a file format.
SHELVES: Final = ("models", "gpus", "nodes", "engines", "schedulers", "precisions")
FILES: Final = ("model", "gpu", "node", "engine")
SpecDirOption = Annotated[str | None, typer.Option("--spec-dir", help="A folder of your own specs.", metavar="DIR")]


_WhatArgument = Annotated[str, typer.Argument(help=f"{', '.join(SHELVES[:-1])} or {SHELVES[-1]}.", metavar="WHAT")]
_MatchArgument = Annotated[
    str | None,
    typer.Argument(help="Only rows whose name, aliases, title or kind contain this text.", metavar="[TEXT]"),
]


_ForOption = Annotated[
    str | None,
    typer.Option("--for", help="gpus: which of them run this model, how fast, for how much.", metavar="MODEL"),
]
_SortOption = Annotated[
    str | None,
    typer.Option("--sort", help="With --for, by what. Default: value.", metavar="value|speed|price|memory|name"),
]


@with_run
def list_(
    options: dict[str, Any],
    what: _WhatArgument,
    match: _MatchArgument = None,
    for_: _ForOption = None,
    sort: _SortOption = None,
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """What there is: models, gpus, nodes, engines, schedulers, precisions. Exit code 1 where nothing matches.

    `gpus --for MODEL` tells of each accelerator on how many of it the model runs, how fast, and how much a dollar of
    rent makes; the options of a run go with it. Exit code 1 where none runs it.
    """
    _known("WHAT", what, SHELVES)
    spec_dir = options["spec_dir"]
    if for_ is None:
        _refuse_without_model(options, sort)
    elif what != "gpus":
        raise _usage(f"--for goes with `roofline list gpus`, and this lists {what}")
    rows = list(_rows(what, spec_dir))
    wanted = (match or "").lower()
    kept = [row for row in rows if wanted in _words(row)]
    if for_ is not None and kept:
        _list_for(
            for_, options, [row.name for row in kept] if match else None, sort, "json" if json else "csv" if csv else ""
        )
        return
    if json or csv:
        from roofline.report.data import write_csv, write_json

        data = [row._asdict() for row in kept]
        if json:
            write_json(data)
        else:
            write_csv([{name: _joined(value) for name, value in row.items()} for row in data])
    elif kept:
        from roofline.report.tables.listing import print_list

        print_list(what, kept, console())
    if not kept:
        _nothing(what, match or "", rows)


def _joined(value: Any) -> Any:
    return " ".join(value) if type(value) in (list, tuple) else value


def _usage(text: str) -> Exception:
    from roofline.errors import UsageError

    return UsageError(text)


def _refuse_without_model(options: dict[str, Any], sort: str | None) -> None:
    """Raises UsageError for what says something of a run where no model is named."""
    from roofline.runs.options import OPTIONS

    given = [option.flag for name, option in OPTIONS.items() if option.is_given(options.get(name))]
    for flag in given + (["--sort"] if sort is not None else []):
        raise _usage(f"{flag} goes with `roofline list gpus --for MODEL`")


def _list_for(model: str, options: dict[str, Any], names: list[str] | None, sort: str | None, form: str) -> None:
    """The accelerators for a model, those of some names where any are given; exit code 1 where none runs it."""
    from roofline.api.fitting import gpus_for
    from roofline.cli.commands.answers import written

    found: Any = gpus_for(model, sort=sort or "value", **options)
    found = found if names is None else found.only(names)
    if not written(found, form == "json", form == "csv"):
        from roofline.report.tables.fitting.gpus import print_gpus

        print_gpus(found, console())
    if not found.fits:
        raise typer.Exit(1)


def _rows(what: str, spec_dir: str | None) -> Iterable[Any]:
    from roofline.analysis.catalogue import shelves

    sources: dict[str, Callable[[], Iterable[Any]]] = {
        "models": lambda: shelves.model_rows(spec_dir),
        "gpus": lambda: shelves.gpu_rows(spec_dir),
        "nodes": lambda: shelves.node_rows(spec_dir),
        "engines": shelves.engine_rows,
        "schedulers": shelves.scheduler_rows,
        "precisions": shelves.precision_rows,
    }
    return sources[what]()


def _words(row: Any) -> str:
    """What a text is searched in."""
    parts = [row.name, *getattr(row, "aliases", ()), getattr(row, "title", ""), getattr(row, "kind", "")]
    parts += ["trains models"] if getattr(row, "trains", False) else []
    return "\n".join(parts).lower()


def _nothing(what: str, match: str, rows: list[Any]) -> None:
    """Say that nothing matches, and what would; exit code 1."""
    from roofline.errors import nearest

    names = [name for row in rows for name in (row.name, *getattr(row, "aliases", ()))]
    close = nearest(match, names)
    hint = f" Nearest: {', '.join(close)}." if close else ""
    tell(f"roofline: none of {len(rows)} {what} contains {match[:60]!r}.{hint}")
    raise typer.Exit(1)


def _known(name: str, value: str, known: tuple[str, ...]) -> None:
    """Refuse an argument that is none of the known words, in the words of `one_of`."""
    from roofline.errors import UsageError
    from roofline.runs.checks import one_of

    try:
        one_of(name, value, known)
    except UsageError as error:
        raise UsageError(str(error).removeprefix("--")) from None


def show(
    name: Annotated[
        str, typer.Argument(help="A model, GPU, node, engine or precision, or an alias of one; a .gguf or config.json.")
    ],
    spec_dir: SpecDirOption = None,
    json: JsonOption = False,
) -> None:
    """One spec as it stands in its file, or as a file is imported, ready to be changed; its path on standard error."""
    from roofline.analysis.catalogue.anything import find_anything

    what, found, values = find_anything(name, spec_dir)
    if json:
        from roofline.report.data import write_json

        write_json({"what": what, "file": str(found.path) if found else None, "values": values})
        return
    if what == "model" and found is None:
        from roofline.importers.model_file import model_text

        sys.stdout.write(model_text(values))
        return
    if found is None:
        sys.stdout.writelines(f"{key}: {value}\n" for key, value in values.items())
        return
    from roofline.specs.files.document import read_text

    tell(f"{found.path}")
    if found.alias and found.alias.lower() != found.name:
        tell(f"{name} is an alias of {found.name}")
    if what == "engine":
        _tell_of_versions(found.name)
    sys.stdout.write(read_text(found.path).rstrip() + "\n")


def _tell_of_versions(name: str) -> None:
    """Which engine a version is of, and which others there are, on standard error."""
    from roofline.machine.engine import read_engine
    from roofline.machine.engine_lookup import other_versions
    from roofline.specs.engine import INHERITED

    spec = read_engine(name)
    if spec.of is not None:
        tell(f"what it does not say of {', '.join(INHERITED)} is that of {spec.of}")
    others = ", ".join(each.told(each.engine) for each in other_versions(name))
    if others:
        tell(f"other versions: {others}")


def schema(
    what: Annotated[str, typer.Argument(help="model, gpu, node or engine.", metavar="WHAT")],
) -> None:
    """The JSON Schema of a spec file."""
    from roofline.analysis.schema import schema_of
    from roofline.report.data import write_json

    _known("WHAT", what, FILES)
    write_json(schema_of(what))
