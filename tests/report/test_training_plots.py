"""Pictures of a training run: bars stand one behind the other, the capacity is marked, all words are on the page."""

from __future__ import annotations

from typing import Any

import pytest
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.transforms import Bbox

import roofline as rl
from roofline.report.plots.training.pictures import training_figure
from tests.report.figures import texts

pytestmark = pytest.mark.usefixtures("own_settings")

RUNS: list[dict[str, Any]] = [
    {"model": "gpt2", "gpu": "a100", "sequence": 512},
    {"model": "llama-3.1-8b", "gpu": "rtx-4090", "sequence": 2048},
    {"model": "llama-2-7b", "gpu": "a100", "gpus": 64, "tp": 2, "pp": 4, "global_batch": 512},
]


@pytest.mark.parametrize("asked", RUNS)
@pytest.mark.parametrize("kind", ["memory", "step"])
def test_every_text_is_on_the_page(asked: dict[str, Any], kind: str) -> None:
    figure = rl.train(**asked).plot(kind)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    for name in ("part", "value", "mark", "title", "conditions", "note"):
        for text in texts(figure, name):
            box = text.get_window_extent(canvas.get_renderer())
            assert box.x0 >= figure.bbox.x0 - 0.5 and box.x1 <= figure.bbox.x1 + 0.5, text.get_text()


def test_parts_end_where_the_total_does_and_the_capacity_is_marked() -> None:
    answer = rl.train("llama-2-7b", gpu="a100", gpus=8, zero=3, sequence=1024)
    figure = training_figure(answer, "memory")
    bars = [patch for patch in figure.axes[0].patches if not patch.get_hatch()]
    total = bars[-1]
    assert total.get_width() == pytest.approx(float(answer.memory.total_bytes))
    last = bars[-2]
    assert last.get_x() + last.get_width() == pytest.approx(float(answer.memory.total_bytes), rel=0.01)
    named = [text.get_text() for text in texts(figure, "mark") if text.get_text()]
    assert len(named) == 1 and named[0].startswith("capacity 85.9 GB, of which 85.4 GB may be used")


def test_what_does_not_fit_is_hatched_and_said() -> None:
    figure = training_figure(rl.train("llama-3.1-8b", gpu="rtx-4090", sequence=2048), "memory")
    assert any(patch.get_hatch() for patch in figure.axes[0].patches)
    assert "do not fit" in texts(figure, "note")[0].get_text()


def test_no_colour_comes_twice_and_a_step_that_does_not_fit_says_so() -> None:
    answer = rl.train("llama-2-7b", gpu="a100", gpus=64, tp=2, zero=3, global_batch=512)
    bars = [patch.get_facecolor() for patch in training_figure(answer).axes[0].patches]
    assert len(bars) > 7 and len(set(bars)) == len(bars)
    lonely = rl.train("llama-2-7b", gpu="a100")
    assert "does not fit" in texts(training_figure(lonely, "step"), "title")[0].get_text()
    assert "Per GPU" not in texts(training_figure(lonely), "note")[0].get_text()


@pytest.mark.parametrize("sequence", [512, 1024, 2048, 4096])
def test_the_line_of_the_bound_runs_through_no_words(sequence: int) -> None:
    figure = rl.train("gpt2-medium", gpu="a100", sequence=min(sequence, 1024), micro_batch=sequence // 256).plot("step")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    axes = figure.axes[0]
    ends = [axes.transData.transform(line.get_xydata()) for line in axes.lines]
    lines = [Bbox([each.min(axis=0) - [0.01, 0], each.max(axis=0)]) for each in ends]
    for text in texts(figure, "value"):
        box = text.get_window_extent(canvas.get_renderer())
        assert not any(box.overlaps(line) for line in lines), text.get_text()
        bar = max(patch.get_window_extent().x1 for patch in axes.patches if abs(_middle(patch) - _middle(text)) < 4)
        assert box.x0 - bar < 2 * text.get_size() * figure.dpi / 72, "words are beside their bar"


def _middle(drawn: Artist) -> float:
    """The height of its middle, in pixels."""
    box = drawn.get_window_extent()
    return (box.y0 + box.y1) / 2


def test_another_kind_is_refused() -> None:
    with pytest.raises(rl.UsageError, match="memory, step"):
        rl.train("gpt2", gpu="a100", sequence=512).plot("roofline")
