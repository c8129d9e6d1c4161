"""How an answer shows itself in a notebook: the tables of the command line, as HTML."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from io import StringIO
from typing import TYPE_CHECKING, Any, Final

from roofline.report.tables.console import Console

if TYPE_CHECKING:
    from roofline.analysis.comparing.answer import Comparing
    from roofline.analysis.costs.answer import Costing
    from roofline.analysis.estimate import Answer
    from roofline.analysis.fit.answer import Fitting
    from roofline.analysis.fit.gpus import GPUsFor
    from roofline.analysis.fit.models import ModelsOn
    from roofline.analysis.recommend.answer import Recommendation
    from roofline.analysis.training.answer import TrainAnswer
    from roofline.analysis.training.conventions.answer import Counting
    from roofline.evidence.runs.nearest import Nearest

_WIDTH: Final = 96
_CSS: Final = {
    "bold": "font-weight: bold",
    "dim": "color: #7f7f7f",
    "red": "color: #800000",
    "yellow": "color: #808000",
}


def estimate_html(est: Answer, nearest: list[Nearest], verdict: str) -> str:
    """The verdict and the tables of an estimate as one preformatted block."""
    from roofline.report.tables.estimate import print_estimate

    return _block(lambda console: print_estimate(est, console, nearest, verdict))


def fit_html(fit: Fitting) -> str:
    """The verdict and its tables as one preformatted block."""
    from roofline.report.tables.fit import print_fit

    return _block(lambda console: print_fit(fit, console))


def recommend_html(found: Recommendation) -> str:
    """The verdict and its tables as one preformatted block."""
    from roofline.report.tables.deciding.recommend import print_recommendation

    return _block(lambda console: print_recommendation(found, console))


def cost_html(costing: Costing) -> str:
    """The verdict and its table as one preformatted block."""
    from roofline.report.tables.costs.ways import print_cost

    return _block(lambda console: print_cost(costing, console))


def compare_html(found: Comparing[Any]) -> str:
    """The verdict and its table as one preformatted block."""
    from roofline.report.tables.deciding.compare import print_compare

    return _block(lambda console: print_compare(found, console))


def models_html(found: ModelsOn) -> str:
    """The verdict and the tables of the models that a machine runs."""
    from roofline.report.tables.fitting.models import print_models

    return _block(lambda console: print_models(found, console))


def gpus_html(found: GPUsFor) -> str:
    """The verdict and the table of the accelerators that run a model."""
    from roofline.report.tables.fitting.gpus import print_gpus

    return _block(lambda console: print_gpus(found, console))


def training_html(answer: TrainAnswer) -> str:
    """The verdict and the tables of a training run."""
    from roofline.report.tables.training.answer import print_training

    return _block(lambda console: print_training(answer, console))


def flops_html(found: Counting) -> str:
    """The verdict and the tables of conventions and of scaling laws."""
    from roofline.report.tables.training.flops import print_flops

    return _block(lambda console: print_flops(found, console))


def _block(show: Callable[[Console], None]) -> str:
    """What is printed, as one preformatted block."""
    text = StringIO()
    show(Console(text, _WIDTH, _span))
    return f'<pre style="line-height:1.3;overflow-x:auto">{text.getvalue()}</pre>'


def _span(text: str, style: str) -> str:
    """Text in styles as HTML."""
    css = "; ".join(_CSS[name] for name in style.split())
    return f'<span style="{css}">{escape(text)}</span>' if css and text else escape(text)
