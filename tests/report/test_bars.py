"""Bars of a comparison: one for each run, what it is told by, and nothing outside the page."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

import roofline as rl
from roofline.report.plots.bars import bars_figure
from tests.report.figures import texts

pytestmark = pytest.mark.usefixtures("own_settings")


def _bars(figure: Figure) -> list[Rectangle]:
    return [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]


MANY: dict[str, Any] = {"gpu": ["a100", "h100", "l4", "3060", "4090"], "weights": ["bf16", "fp8"], "batch": [1, 4, 8]}


def test_a_bar_is_what_is_expected_and_what_does_not_fit_is_hatched_and_said() -> None:
    found = rl.compare("llama-3.1-70b", gpu=["a100", "h100"], tp=[1, 2, 3])
    figure = bars_figure(found)
    expected = [row.answer.latency.tpot.expected for row in found.rows if row.answer is not None]
    assert [bar.get_width() for bar in _bars(figure)] == pytest.approx(expected)
    assert [bool(bar.get_hatch()) for bar in _bars(figure)] == [True, False, True, False]
    values = [text.get_text() for text in texts(figure, "value")]
    assert values[2] == values[5] == "refused"
    assert values[0].endswith(", does not fit")
    titles = ("A100 SXM4 80GB", "H100 SXM5 80GB")
    named = [text.get_text().replace("\n", " ") for text in texts(figure, "run")]
    assert named == [f"{title}, tp {tp}" for title in titles for tp in (1, 2, 3)]
    assert "Hatched: does not fit" in texts(figure, "note")[0].get_text()


@pytest.mark.parametrize("options", [{"gpu": ["a100", "h100"]}, MANY])
@pytest.mark.parametrize("quantity", [None, "ttft_s", "output_tokens_per_s", "total_bytes"])
def test_every_text_is_on_the_page(options: dict[str, Any], quantity: str | None) -> None:
    figure = bars_figure(rl.compare("mistral-7b", **options), quantity)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    page = figure.bbox
    for kind in ("run", "value", "title", "conditions", "note"):
        for text in texts(figure, kind):
            box = text.get_window_extent(canvas.get_renderer())
            assert box.x0 >= page.x0 - 0.5, text.get_text()
            assert box.x1 <= page.x1 + 0.5, text.get_text()
    names = [text.get_window_extent(canvas.get_renderer()) for text in texts(figure, "run")]
    assert all(above.y0 >= below.y1 - 1.0 for above, below in itertools.pairwise(names))


def test_a_quantity_that_no_run_has_is_refused() -> None:
    found = rl.compare("mistral-7b", gpu=["a100", "h100"])
    with pytest.raises(rl.UsageError, match="did you mean"):
        bars_figure(found, "tpot")
