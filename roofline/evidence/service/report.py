"""The tables of docs/serving.md about first tokens: what each server takes itself, and how far off first tokens are.

python -m roofline.evidence.service.report -o docs/serving.md

With `--engines roofline/engines` the fitted times are written into the engines' files first.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from roofline.evidence.kernels.tables import Array
from roofline.evidence.markdown import table
from roofline.evidence.service.first import (
    FITTED,
    SERVERS,
    FirstToken,
    Prepared,
    errors,
    fit_server,
    left_out,
    prepared,
    read_first_tokens,
    taking_part,
)
from roofline.machine.engine import GENERIC
from roofline.specs.engine import EngineSpec
from roofline.specs.files.document import read_document
from roofline.specs.files.engines import ENGINES
from roofline.specs.files.reader import validate
from roofline.specs.server import Server

_GROUPS: Final[dict[str, Callable[[FirstToken], str]]] = {
    "chip": lambda row: row.gpu,
    "model": lambda row: row.model,
    "source": lambda row: row.source,
    "version": lambda row: row.version,
}
BEGIN: Final = "<!-- first tokens: written by `python -m roofline.evidence.service.report` -->"
END: Final = "<!-- /first tokens -->"
#: The block of an engine as a server, and what follows it.
_BLOCK: Final = re.compile(r"(?s)\A(server:\n(?:  [^\n]*\n)+)")
_NONE: Final = (0.0,) * len(FITTED)


def server_of(engine: str, folder: Path = ENGINES) -> Server:
    """What an engine's file says of it as a server, as the file is now."""
    server = validate(read_document(folder / f"{engine}.yaml"), EngineSpec).server
    assert server is not None
    return server


def times_of(engine: str, folder: Path = ENGINES) -> tuple[float, ...]:
    """The server's own times as its file states them, in the order of FITTED [s]."""
    server = server_of(engine, folder)
    return tuple(float(getattr(server, name)) for name in FITTED)


def fitted_table(rows: Sequence[Prepared]) -> Iterator[str]:
    """What each server takes itself, fitted, and as its file states it."""
    body = []
    for name in (*SERVERS, GENERIC):
        own = _own(rows, name)
        found, said = fit_server(own), times_of(name)
        body.append((name, str(len(own)), *(f"{_ms(a)} ({_ms(b)})" for a, b in zip(found, said, strict=True))))
    yield from table(("engine", "rows", *FITTED), body)


def error_table(rows: Sequence[Prepared]) -> Iterator[str]:
    """Errors of first tokens: of the steady load, with the start of the bench, with the server's own times as shipped,
    and with those of a fit without a group; and the coverage of the interval.
    """
    head = ("engine", "rows", "steady load", "and the first wave", "and the server's own time")
    body = []
    for name in SERVERS:
        own, said = _own(rows, name), times_of(name)
        spread = server_of(name).overhead_interval
        steady = np.asarray([np.log(row.steady / row.row.seconds) for row in own])
        inside = np.mean([row.covered(said, spread) for row in own])
        shown = (steady, errors(own, _NONE), errors(own, said), *(left_out(own, key) for key in _GROUPS.values()))
        body.append((name, str(len(own)), *map(_shown, shown), f"{100 * inside:.0f} %"))
    yield from table((*head, *(f"{name} left out" for name in _GROUPS), "in the 80 % interval"), body)


def engines_left_out(rows: Sequence[Prepared]) -> str:
    """What times fitted to the other servers say of each."""
    found = left_out(rows, lambda row: row.engine)
    return f"By the times of the other two servers: {_shown(found)}; without any: {_shown(errors(rows, _NONE))}."


def _own(rows: Sequence[Prepared], engine: str) -> list[Prepared]:
    return [row for row in rows if engine in (GENERIC, row.row.engine)]


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.2g} ms" if seconds else "–"


def _shown(found: Array) -> str:
    """Median and ninth decile of the absolute error."""
    if not len(found):
        return "–"
    middle, most = np.quantile(np.abs(found), (0.5, 0.9))
    return f"{100 * middle:.0f}/{100 * most:.0f} %"


def _apart(rows: Sequence[FirstToken]) -> Iterator[str]:
    """Why rows take no part, with their numbers."""
    for (engine, why), number in sorted(Counter((row.engine, row.apart) for row in rows if row.apart).items()):
        yield f"* {engine}, {number} rows: {why}"


def renew_engines(folder: Path, rows: Sequence[Prepared]) -> None:
    """Writes the fitted times into the `server:` blocks of the engines' files."""
    for name in (*SERVERS, GENERIC):
        path = folder / f"{name}.yaml"
        text = path.read_text(encoding="utf-8")
        begin = text.index("server:\n")
        head, block, rest = text[:begin], *_BLOCK.split(text[begin:], maxsplit=1)[1:]
        kept = [line for line in block.splitlines() if line.split(":")[0].strip() not in FITTED]
        times = [
            f"  {key}: {_said(time)}" for key, time in zip(FITTED, fit_server(_own(rows, name)), strict=True) if time
        ]
        path.write_text(head + "\n".join([kept[0], *times, *kept[1:]]) + "\n" + rest, encoding="utf-8")


def _said(seconds: float) -> str:
    """A time as a file says it."""
    return f"{seconds * 1e3:.2g} ms" if seconds >= 1e-4 else f"{seconds * 1e6:.2g} us"


def renew(path: Path, rows: Sequence[Prepared], every: Sequence[FirstToken]) -> None:
    """Writes the tables between their two marks."""
    text = path.read_text(encoding="utf-8")
    lines = [*error_table(rows), *fitted_table(rows), engines_left_out(rows), "", "Set apart:", "", *_apart(every)]
    begin, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    path.write_text(f"{text[:begin]}\n\n" + "\n".join(lines) + f"\n\n{text[end:]}", encoding="utf-8")


def main() -> None:
    """Command line: renew the tables, and the engines' files."""
    parser = argparse.ArgumentParser(prog="python -m roofline.evidence.service.report", description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True, help="page whose tables to renew")
    parser.add_argument("--engines", type=Path, help="folder of engine files whose times to renew")
    options, every = parser.parse_args(), read_first_tokens()
    rows = [prepared(row) for row in taking_part(every)]
    if options.engines is not None:
        renew_engines(options.engines, rows)
    renew(options.output, rows, every)


if __name__ == "__main__":
    main()
