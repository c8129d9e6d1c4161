"""The figure of a sweep: its curves, their names, and what cannot be drawn."""

from __future__ import annotations

import itertools

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from roofline.errors import UsageError
from roofline.report.plots.files import render
from roofline.report.plots.roofline import sweep_figure
from roofline.report.plots.style import log_ticks
from tests.report.figures import texts

pytestmark = pytest.mark.usefixtures("own_settings")


def _shrunk(box: Bbox, by: float = 0.5) -> Bbox:
    return Bbox.from_extents(box.x0 + by, box.y0 + by, box.x1 - by, box.y1 - by)


def _row(gpu: str, speed: float, batch: int) -> dict[str, object]:
    """A run on a machine of so many times the speed."""
    results = {"output_tokens_per_s": 100.0 * speed * batch**0.8, "tpot_s": batch**0.2 / (100 * speed)}
    memory = {"total_bytes": 1e9 * batch, "fits": batch <= 64}
    return {"model": "m", "gpu": gpu, "batch": batch, "prompt": 512} | results | memory


SPEEDS = {"a100": 1.0, "h100": 1.7, "l4": 0.15}
ROWS = [_row(gpu, speed, batch) for gpu, speed in SPEEDS.items() for batch in (1, 4, 16, 64, 256)]


def test_a_sweep_has_a_named_curve_for_each_setting_and_hollow_points_where_it_does_not_fit() -> None:
    figure = sweep_figure(ROWS)
    assert [text.get_text() for text in texts(figure, "curve")] == ["a100", "h100", "l4"]
    lines = figure.axes[0].get_lines()
    assert list(lines[0].get_xdata()) == [1, 4, 16, 64, 256]
    assert [list(line.get_xdata()) for line in lines if line.get_markerfacecolor() == "#ffffff"] == [[256]] * 3
    assert texts(figure, "conditions")[0].get_text() == "m · prompt 512"


def test_long_names_of_curves_are_wrapped_and_formats_said_once() -> None:
    formats = [
        {"weights": weights, "activations": other, "kv_cache": other}
        for weights, other in (("bf16", "bf16"), ("fp16", "fp16"), ("int4-g128", "bf16"))
    ]
    figure = sweep_figure([row | own for row, own in itertools.product(ROWS, formats)])
    figure.draw_without_rendering()
    curves = texts(figure, "curve")
    assert "a100, bf16" in [text.get_text() for text in curves]
    boxes = [Text.get_window_extent(text, FigureCanvasAgg(figure).get_renderer()) for text in curves]
    assert max(box.x1 for box in boxes) <= figure.bbox.x1
    assert not any(a.overlaps(b) for a, b in itertools.combinations(map(_shrunk, boxes), 2))


def test_a_sweep_may_show_one_result_over_another_along_the_batch() -> None:
    figure = sweep_figure(reversed(ROWS), x="tpot_s")
    assert "batch grows from 1 to 256" in texts(figure, "note")[0].get_text()
    xs = list(figure.axes[0].get_lines()[0].get_xdata())
    assert xs == sorted(xs)


@pytest.mark.parametrize(
    ("rows", "options", "words"),
    [
        ([], {}, "no rows"),
        (ROWS, {"y": "output_token_per_s"}, "output_tokens_per_s"),
        ([{"batch": 1, "output_tokens_per_s": 1.0}, {"batch": 1, "output_tokens_per_s": 2.0}], {}, "two values"),
        ([{"batch": 1, "output_tokens_per_s": None}], {}, "no row"),
        ([{"batch": 0, "output_tokens_per_s": 1.0}, {"batch": 1, "output_tokens_per_s": 0.0}], {}, "no row"),
        ([{"batch": 1, "prompt": p, "output_tokens_per_s": 1.0} for p in range(30)], {}, "too many"),
    ],
)
def test_a_sweep_that_cannot_be_drawn_says_why(
    rows: list[dict[str, object]], options: dict[str, str], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        sweep_figure(rows, **options)


def test_a_sweep_of_one_point_is_drawn() -> None:
    assert render(sweep_figure(ROWS[:1]), "png")


@pytest.mark.parametrize(("low", "high"), [(1, 1e6), (3, 40), (4.5, 4.9), (1e-30, 1e30), (0.2, 60), (1.01, 1.02)])
def test_a_logarithmic_axis_has_two_to_twelve_ticks(low: float, high: float) -> None:
    major, _ = log_ticks(low, high)
    assert 2 <= len(major) <= 12
    assert all(low <= tick <= high for tick in major)
