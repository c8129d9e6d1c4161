"""The README's section on how far to trust the expected time, from the shipped measurements, errors and pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from roofline.evidence.checks.validate import Checked, Validation
from roofline.evidence.fits.intervals import LeftOut, coverage, shipped_interval, usual
from roofline.evidence.markdown import table
from roofline.evidence.runs.declared import IMAGE_ENGINES

BEGIN: Final = "<!-- accuracy: written by `python -m roofline.evidence.checks.report` -->"
END: Final = "<!-- /accuracy -->"
#: Median error from which on a model is named.
_POOR: Final = 0.18
#: Ways of leaving rows out, in words.
_WAYS: Final = {
    "model": "a model left out of the fit",
    "gpu": "a chip left out, with its kernels' measurements",
    "source": "a source left out",
}


def renew_readme(path: Path, validation: Validation, lines: Sequence[LeftOut], kernels: Path) -> None:
    """Writes the section between its two marks."""
    text = path.read_text(encoding="utf-8")
    section = "\n".join(accuracy(validation, lines, kernels.read_text(encoding="utf-8")))
    begin, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    path.write_text(f"{text[:begin]}\n\n{section}\n{text[end:]}", encoding="utf-8")


def accuracy(validation: Validation, lines: Sequence[LeftOut], kernels: str) -> Iterator[str]:
    """The table, and what it does not say."""
    yield "Medians of |log(expected / measured)| in per cent; *wanted* is what this project set out to reach.\n"
    rows = [*_runs(validation, lines), *_kernels(kernels)]
    yield from table(("what", "rows", "median", "mean", "wanted"), rows)
    text = [line for line in lines if line.engine not in IMAGE_ENGINES]
    fitted = f"{validation.coefficients} coefficients of engines and {_count_of_kernels(kernels)} of kernels"
    yield f"{fitted} stand behind these figures."
    yield _covered(text, "Of language-model rows", frozenset())
    yield _covered([line for line in lines if line.engine in IMAGE_ENGINES], "Of image-model rows", IMAGE_ENGINES)
    yield _too_fast(validation)
    yield _few(validation)
    yield ""


def _runs(validation: Validation, lines: Sequence[LeftOut]) -> Iterator[tuple[str, ...]]:
    everything = validation.all
    yield "pure roofline, all runs", f"{everything.rows:,}", _p(everything.bound_median), "", ""
    constant = "roofline over the one constant that suits all runs best"
    yield constant, f"{everything.rows:,}", _p(everything.constant_median), "", ""
    kinds: tuple[tuple[str, Callable[[Checked], bool], str], ...] = (
        ("language models in static batches", lambda r: r.engine not in IMAGE_ENGINES and not _served(r), ""),
        ("language models behind a server", _served, ""),
        ("image models", lambda r: r.engine in IMAGE_ENGINES, "12"),
    )
    wanted = {"model": "8 (mean 15)", "gpu": "12 (mean 15)", "source": ""}
    for name, holds, goal in kinds:
        yield _row(f"{name}, engines as fitted", [row.error for row in validation.rows if holds(row)], goal)
    often = set(usual(lines))
    for images in (False, True):
        what = "image" if images else "language"
        for out, words in _WAYS.items():
            of_way = [x for x in lines if x.out == out and (x.engine in IMAGE_ENGINES) == images]
            kept = [x.error for x in of_way if x in often]
            yield _row(f"{what} models, {words}", kept, "" if images else wanted[out])
            if len(kept) < len(of_way):
                yield _row("… with groups that hold nearly all rows of their engine", [x.error for x in of_way], "")
    errors = [x.error for x in lines if x.out == "engine"]
    yield _row("language models, an engine left out: expected as `generic`", errors, "")


def _too_fast(validation: Validation) -> str:
    below, beneath = len(validation.below_floor), len(validation.below_bound)
    return (
        f"{below or 'No'} rows are faster than their floor (served rows that were, as stated, are set apart: "
        f"docs/measurements.md); {beneath} are faster than the roofline of their ops, listed by name."
    )


def _few(validation: Validation) -> str:
    """Which groups the medians hide: the worst models, and on which most rows of pictures are."""
    pictures = [row for row in validation.rows if row.engine in IMAGE_ENGINES]
    first = sum(row.model.startswith("stable-diffusion-v1") for row in pictures)
    poor = [group for group in validation.by(lambda row: row.model) if group.median > _POOR]
    worst = ", ".join(f"{group.name} {_p(group.median)} % of {group.rows} rows" for group in poor)
    flux = sum(row.model.startswith("flux") for row in pictures)
    told = f"{first} of the {len(pictures)} rows of pictures are of Stable Diffusion 1, {flux or 'none'} of FLUX."
    return f"{told} Worst are {worst}."


def _served(row: Checked) -> bool:
    return row.metric == "served_tpot_ms"


def _row(what: str, errors: Sequence[float], goal: str) -> tuple[str, ...]:
    size = np.abs(errors)
    return what, f"{len(size):,}", _p(float(np.median(size))), _p(float(np.mean(size))), goal


def _kernels(page: str) -> Iterator[tuple[str, ...]]:
    """The rows of the page on kernels that have a figure to reach."""
    table = page.partition("## Figures to reach")[2].partition("## ")[0]
    for line in re.findall(r"(?m)^\| (?!kernels|-)(.*) \|$", table):
        name, rows, target, median, _, other, goal = (cell.strip() for cell in line.split("|"))
        yield f"kernels: {name}", rows, median, "", target
        yield "… of a chip left out", rows, other, "", goal


def _count_of_kernels(page: str) -> str:
    found = re.search(r"([\d,]+) coefficients in all", page)
    return found.group(1) if found else "?"


def _covered(lines: Sequence[LeftOut], whose: str, images: frozenset[str]) -> str:
    *ways, every = coverage(lines, shipped_interval, lambda line: line.out, images)
    each = ", ".join(f"{100 * way.unseen:.0f} % without their {_NAMES.get(way.name, way.name)}" for way in ways)
    return (
        f"{whose} left out of the fit, {100 * every.shipped:.0f} % lie in the 80 % interval as shipped, and "
        f"{100 * every.unseen:.0f} % in one derived without the row's own group: {each}."
    )


_NAMES: Final = {"gpu": "chip"}


def _p(value: float) -> str:
    return f"{100 * value:.1f}"
