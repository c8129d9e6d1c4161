"""How an answer shows itself in a notebook: what the command line prints, as HTML, and what it rests on, folded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from roofline.report.notebook.page import Page, page_of

if TYPE_CHECKING:
    from roofline.analysis.comparing.answer import Comparing
    from roofline.analysis.costs.answer import Costing
    from roofline.analysis.estimate import Answer
    from roofline.analysis.fit.answer import Fitting
    from roofline.analysis.fit.gpus import GPUsFor
    from roofline.analysis.fit.models import ModelsOn
    from roofline.analysis.recommend.answer import Recommendation
    from roofline.analysis.sweeping.rows import Rows
    from roofline.analysis.training.answer import TrainAnswer
    from roofline.analysis.training.conventions.answer import Counting
    from roofline.answer.derivation import Derivation
    from roofline.answer.phase import OpRow
    from roofline.evidence.runs.nearest import Nearest


def estimate_html(est: Answer, nearest: list[Nearest], verdict: str) -> str:
    """The verdict and the tables of an estimate, its assumptions and sources folded."""
    from roofline.report.tables.estimate import print_estimate

    def show(page: Page) -> None:
        print_estimate(est, page, nearest, verdict)
        page.notes("Assumed", est.assumptions)
        page.notes("Sources", est.sources)

    return page_of(show)


def fit_html(fit: Fitting) -> str:
    """The verdict and its tables."""
    from roofline.report.tables.fit import print_fit

    return page_of(lambda page: print_fit(fit, page))


def recommend_html(found: Recommendation) -> str:
    """The verdict and its tables."""
    from roofline.report.tables.deciding.recommend import print_recommendation

    return page_of(lambda page: print_recommendation(found, page))


def cost_html(costing: Costing) -> str:
    """The verdict and its table."""
    from roofline.report.tables.costs.ways import print_cost

    return page_of(lambda page: print_cost(costing, page))


def compare_html(found: Comparing[Any]) -> str:
    """The verdict and its table."""
    from roofline.report.tables.deciding.compare import print_compare

    return page_of(lambda page: print_compare(found, page))


def models_html(found: ModelsOn) -> str:
    """The verdict and the tables of the models that a machine runs."""
    from roofline.report.tables.fitting.models import print_models

    return page_of(lambda page: print_models(found, page))


def gpus_html(found: GPUsFor) -> str:
    """The verdict and the table of the accelerators that run a model."""
    from roofline.report.tables.fitting.gpus import print_gpus

    return page_of(lambda page: print_gpus(found, page))


def training_html(answer: TrainAnswer) -> str:
    """The verdict and the tables of a training run; all that was assumed, and sources, folded."""
    from roofline.report.tables.training.answer import print_training

    def show(page: Page) -> None:
        print_training(answer, page)
        page.notes("All that was assumed", answer.assumptions)
        page.notes("Sources", answer.sources)

    return page_of(show)


def flops_html(found: Counting) -> str:
    """The verdict and the tables of conventions and of scaling laws."""
    from roofline.report.tables.training.flops import print_flops

    return page_of(lambda page: print_flops(found, page))


def ops_html(est: Answer, rows: Sequence[OpRow]) -> str:
    """The ledger of each phase, as `roofline ops` has it, in the order of the rows."""
    from roofline.report.tables.ops import print_legend, print_ops

    phases = dict.fromkeys(row.phase for row in rows)

    def show(page: Page) -> None:
        own = {phase: [row for row in rows if row.phase == phase] for phase in phases}
        print_legend(est, [print_ops(est, phase, some, "op", page) for phase, some in own.items()], page)

    return page_of(show)


def derivations_html(found: Sequence[Derivation]) -> str:
    """Where numbers come from, one after the other."""
    from roofline.report.tables.explanation import print_derivation

    def show(page: Page) -> None:
        for each in found:
            print_derivation(each, page)

    return page_of(show)


def sweep_html(rows: Rows, varied: Sequence[str], options: Sequence[str], said: Sequence[str]) -> str:
    """The first points of a sweep below what is said of it: the options that vary, and the figures."""
    from roofline.report.tables.deciding.sweep import SHOWN, print_sweep
    from roofline.report.tables.room import MOST_BARS, room_of_rows

    def show(page: Page) -> None:
        for place, line in enumerate(said):
            page.print(line, style="" if place else "bold")
        some = rows.take(slice(0, SHOWN))
        page.print(room_of_rows(islice(rows.records(), MOST_BARS), varied))
        title = f"The first {SHOWN} of {len(rows):,} points" if len(rows) > SHOWN else f"{len(rows):,} points"
        print_sweep(some, varied, options, title, page)

    return page_of(show)


def rows_html(title: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows of any kind as a table."""
    from roofline.report.tables.rows import print_rows

    return page_of(lambda page: print_rows(title, rows, page))


def summary_html(verdict: str, figures: Sequence[tuple[str, str]]) -> str:
    """A verdict and a few figures."""
    from roofline.report.tables.grid import grid

    def show(page: Page) -> None:
        page.print(verdict, style="bold")
        page.print(grid("", (("", "left"), ("", "right")), figures))

    return page_of(show)


def listing_html(what: str, rows: Sequence[Any]) -> str:
    """What there is of a kind, as `roofline list` prints it."""
    from roofline.report.tables.listing import print_list

    return page_of(lambda page: print_list(what, rows, page))
