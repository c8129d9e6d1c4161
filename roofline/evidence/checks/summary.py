"""How far to trust the expected time: a few lines for the README, a table for the page on accuracy; both generated."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from math import isnan
from pathlib import Path
from typing import Final

from roofline.evidence.checks.figures import WAYS, Figure, LeftOutRows, fitted, kernels
from roofline.evidence.checks.reaching import TIMED
from roofline.evidence.checks.validate import Validation
from roofline.evidence.fits.intervals import LeftOut, coverage
from roofline.evidence.markdown import table
from roofline.evidence.runs.declared import IMAGE_ENGINES

BEGIN: Final = "<!-- accuracy: written by `python -m roofline.evidence.checks.report` -->"
END: Final = "<!-- /accuracy -->"


def renew(path: Path, lines: Iterable[str]) -> None:
    """Writes the section of a page between its two marks."""
    text = path.read_text(encoding="utf-8")
    section = "\n".join(lines)
    begin, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    path.write_text(f"{text[:begin]}\n\n{section}\n{text[end:]}", encoding="utf-8")


def short(validation: Validation, lines: Sequence[LeftOut]) -> Iterator[str]:
    """The same in three lines."""
    everything, left = validation.all, LeftOutRows(lines)
    of_models = [figure for figure in left.figures() if figure.errors and WAYS["model"] in figure.what]
    unseen = ", ".join(f"{_p(figure.median)} % ({figure.what.partition(',')[0]})" for figure in of_models)
    held = [100.0 * figure.covered for figure in of_models if figure.covered is not None]
    yield (
        f"Held against {everything.rows:,} measured runs: a median error of {_p(100.0 * everything.median)} %. Of "
        f"models that the fit had not seen it is {unseen}."
    )
    yield (
        f"Of these, {min(held):.0f} to {max(held):.0f} % lie in the 80 % interval. The roofline alone misses by "
        f"{_p(100.0 * everything.bound_median)} %, with one constant efficiency by "
        f"{_p(100.0 * everything.constant_median)} %."
    )
    told = "Tables by engine, chip, model and source, and the runs that cannot be true as stated"
    yield f"{told}: [accuracy](docs/accuracy.md)."
    yield ""


def accuracy(validation: Validation, lines: Sequence[LeftOut], page: str) -> Iterator[str]:
    """The table, one screen of it, and where the rest is."""
    left = LeftOutRows(lines)
    yield (
        "Errors are |log(expected / measured)| in per cent. *Covered*: the share of measured times in an 80 % interval "
        "that was made without all rows of their group.\n"
    )
    everything = validation.all
    rows = [
        *((*_row(figure)[:-1], "") for figure in fitted(validation)),
        *map(_row, left.figures()),
        *((f"kernels of a chip left out: {k.what}", k.rows, _p(k.other), "", "") for k in kernels(page)),
        ("for comparison: pure roofline", f"{everything.rows:,}", _p(100.0 * everything.bound_median), "", ""),
        ("for comparison: one constant", f"{everything.rows:,}", _p(100.0 * everything.constant_median), "", ""),
    ]
    yield from table(("what", "rows", "median", "90th percentile", "covered"), rows)
    yield _covered(left)
    yield (
        f"{validation.coefficients} coefficients of engines and {_of_kernels(page)} of kernels stand behind these "
        f"figures; {_first_pictures(validation)} rows of pictures are of Stable Diffusion 1."
    )
    yield (
        "What these figures are to reach, what holds them up, by engine, chip, model and source, how far runs of one "
        "condition differ, and rows that cannot be true as stated: [validation](validation.md)."
    )
    yield ""


def _covered(left: LeftOutRows) -> str:
    """The coverage by what was timed, in a sentence."""
    found = coverage(left.lines, left.shipped, left.unseen, lambda line: line.timed)
    told = ", ".join(f"{TIMED.get(each.name, each.name)} {100 * each.unseen:.0f} %" for each in found[:-1])
    return f"Covered by what was timed: {told}.\n"


def _of_kernels(page: str) -> str:
    found = re.search(r"([\d,]+) coefficients in all", page)
    return found.group(1) if found else "?"


def _first_pictures(validation: Validation) -> str:
    """How many of the rows of pictures are of the first model of which many were timed."""
    pictures = [row.model for row in validation.rows if row.engine in IMAGE_ENGINES]
    first = sum(model.startswith("stable-diffusion-v1") for model in pictures)
    return f"{first} of {len(pictures)}"


def _row(figure: Figure) -> tuple[str, ...]:
    covered = "" if figure.covered is None else f"{100.0 * figure.covered:.0f} %"
    return figure.what, f"{len(figure.errors):,}", _p(figure.median), _p(figure.p90), covered


def _p(value: float) -> str:
    return "–" if isnan(value) else f"{value:.1f}"
