"""Commands that show what there is: list, show, schema."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Final

import typer

from roofline.cli.options import JsonOption
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


def list_(
    what: _WhatArgument, match: _MatchArgument = None, spec_dir: SpecDirOption = None, json: JsonOption = False
) -> None:
    """What there is: models, gpus, nodes, engines, schedulers, precisions. Exit code 1 where nothing matches."""
    _known("WHAT", what, SHELVES)
    rows = list(_rows(what, spec_dir))
    wanted = (match or "").lower()
    kept = [row for row in rows if wanted in _words(row)]
    if json:
        from roofline.report.data import write_json

        write_json([row._asdict() for row in kept])
    elif kept:
        from roofline.report.tables.listing import print_list

        print_list(what, kept, console())
    if not kept:
        _nothing(what, match or "", rows)


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
    sys.stdout.write(read_text(found.path).rstrip() + "\n")


def schema(
    what: Annotated[str, typer.Argument(help="model, gpu, node or engine.", metavar="WHAT")],
) -> None:
    """The JSON Schema of a spec file."""
    from roofline.analysis.schema import schema_of
    from roofline.report.data import write_json

    _known("WHAT", what, FILES)
    write_json(schema_of(what))
