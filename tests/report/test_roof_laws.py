"""What holds of every roofline plot: labels few, each once, on nothing else, and nothing beyond the page."""

from __future__ import annotations

import itertools
from functools import cache
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

import roofline as rl
from roofline.report.plots.geometry import Box, Segment
from roofline.report.plots.hover import hover_texts
from roofline.report.plots.roofline import Shown, roofline_figure
from tests.report.figures import texts

BATCHES = {"batch": [1, 4, 16, 64, 256]}
#: Runs of a picture: model, accelerators, options; and what it shows.
CASES: dict[str, tuple[str, list[str], dict[str, Any], Shown]] = {
    "dense": ("mistral-7b", ["a100", "h100"], {"batch": 8}, Shown()),
    "bound": ("mistral-7b", ["a100"], {"batch": 8}, Shown(at="bound")),
    "pictures": ("sdxl", ["a100"], {}, Shown()),
    "pictures at the bound": ("sdxl", ["rtx-4090"], {}, Shown(at="bound")),
    "laptop": ("sd15", ["rtx-4060-laptop"], {}, Shown()),
    "flux": ("flux.1-dev", ["h100"], {}, Shown()),
    "tensor parallel": ("llama-3-70b", ["h100"], {"tp": 8}, Shown()),
    "latent attention": ("deepseek-v3", ["h200"], {"tp": 8}, Shown()),
    "8 bit": ("mistral-7b", ["h100"], {"weights": "fp8", "activations": "fp8", "batch": 32}, Shown()),
    "small": ("gpt2", ["t4"], {}, Shown()),
    "scan": ("mamba-2.8b", ["a100"], {}, Shown()),
    "sound": ("whisper-large-v3", ["l4"], {}, Shown()),
    "eager": ("llama-2-7b", ["h100"], {"fusion": "eager", "engine": "pytorch-eager"}, Shown()),
    "offload": ("llama-2-7b", ["rtx-4090"], {"offload": "weights=0.5"}, Shown()),
    "four": ("llama-2-7b", ["a100", "h100", "mi300x", "l4"], {"batch": 8}, Shown()),
    "path": ("mistral-7b", ["a100", "h100"], {}, Shown(trail=BATCHES)),
    "context": ("mistral-7b", ["a100"], {}, Shown(trail={"context": [512, 4096, 32768]}, op="attention")),
}

pytestmark = pytest.mark.usefixtures("own_settings")


@cache
def picture(name: str) -> Figure:
    model, gpus, options, shown = CASES[name]
    return roofline_figure([rl.estimate(model, gpu=gpu, **options) for gpu in gpus], shown=shown)


def _boxes(figure: Figure) -> list[tuple[str, Box]]:
    """The words in the axes and beside them, in pixels; those in slopes are not upright."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()
    found = []
    for text in texts(figure, "op", "ridge", "roof"):
        box = Text.get_window_extent(text, renderer)
        found.append((text.get_text(), Box(box.x0 + 0.5, box.y0 + 0.5, box.x1 - 0.5, box.y1 - 0.5)))
    return found


def _leaders(axes: Axes) -> list[Segment]:
    lines = [line for line in axes.lines if line.get_gid() == "leader"]
    ends = [line.get_transform().transform(np.column_stack(line.get_data())) for line in lines]
    return [(tuple(first), tuple(last)) for first, last in ends]


@pytest.mark.parametrize("name", CASES)
def test_no_label_lies_on_another_and_no_leader_on_a_label(name: str) -> None:
    boxes, leaders = _boxes(picture(name)), _leaders(picture(name).axes[0])
    for (text, box), (other, second) in itertools.combinations(boxes, 2):
        assert not box.overlaps(second), f"{text!r} on {other!r}"
    for leader in leaders:
        crossed = [text for text, box in boxes if box.meets(leader, -1.0)]
        assert not crossed, crossed


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_beyond_the_page(name: str) -> None:
    figure = picture(name)
    renderer, page = FigureCanvasAgg(figure).get_renderer(), figure.bbox
    figure.draw_without_rendering()
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text():
            box = text.get_window_extent(renderer)
            assert page.x0 <= box.x0 and box.x1 <= page.x1 + 0.5, text.get_text()
            assert page.y0 <= box.y0 and box.y1 <= page.y1 + 0.5, text.get_text()


@pytest.mark.parametrize("name", CASES)
def test_there_are_twelve_labels_at_most_and_none_twice(name: str) -> None:
    figure = picture(name)
    labels = [text.get_text() for text in texts(figure, "op")]
    if CASES[name][3].trail is None:
        assert 1 <= len(labels) <= 12
        assert len(set(labels)) == len(labels), labels


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_above_what_its_roof_allows(name: str) -> None:
    for line in picture(name).axes[0].lines:
        if line.get_gid() == "drop":
            rate, bound = line.get_ydata()
            assert rate < bound


@pytest.mark.parametrize("name", CASES)
def test_every_dot_says_what_it_is_where_a_pointer_rests(name: str) -> None:
    marks = [each for each in picture(name).axes[0].collections if each.get_gid() in ("dot", "step")]
    assert marks
    for mark in marks:
        told = hover_texts(mark)
        assert len(told) == len(mark.get_offsets())
        assert all("FLOP" in text and "bound" in text and "expected" in text for text in told)


def test_a_convolution_is_told_by_its_resolution() -> None:
    labels = " ".join(text.get_text() for text in texts(picture("pictures"), "op"))
    assert "resnet.conv 128×128" in labels.replace("\n", " ")


def test_marks_of_text_encoders_are_no_larger_than_their_part_of_the_time() -> None:
    figure = picture("pictures")
    told = [hover_texts(each)[0] for each in figure.axes[0].collections if each.get_gid() == "dot"]
    assert not any("text_encode" in text for text in told)
    assert "lesser kernels" in texts(figure, "note")[0].get_text().replace("\n", " ")


def test_exchanges_that_take_much_of_the_time_stand_beside_the_roofs() -> None:
    est = rl.estimate("llama-3-70b", gpu="h100", tp=8, generate=1, prompt=4096)
    rows = est.ops("prefill")
    share = sum(row.expected_s for row in rows if row.kind == "collective") / sum(row.expected_s for row in rows)
    words = [text.get_text() for text in roofline_figure([est]).findobj(Text)]
    assert f"transfers over links: {100 * share:.0f} %" in words
    assert "NVLink4 450 GB/s" in words


def test_a_run_without_matrix_flops_is_drawn_by_its_vector_flops(monkeypatch: pytest.MonkeyPatch) -> None:
    est = rl.estimate("gpt2", gpu="a100")
    only = [row for row in est.ops("decode") if not row.flops]
    monkeypatch.setattr(type(est), "ops", lambda self, phase=None, **more: only)
    figure = roofline_figure([est])
    assert "hollow: vector FLOPs" in [text.get_text() for text in figure.findobj(Text)]
    assert texts(figure, "op")


def test_a_run_without_flops_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    est = rl.estimate("gpt2", gpu="a100")
    only = [row for row in est.ops("decode") if not row.flops and not row.vector_flops]
    monkeypatch.setattr(type(est), "ops", lambda self, phase=None, **more: only)
    with pytest.raises(rl.UsageError, match="no kernel of this run has FLOPs"):
        roofline_figure([est])


def test_more_runs_than_colours_are_refused() -> None:
    runs = [rl.estimate("gpt2", gpu="a100", batch=batch) for batch in range(1, 21)]
    with pytest.raises(rl.UsageError, match="20 runs in one roofline plot"):
        roofline_figure(runs)


def test_a_run_that_does_not_fit_says_so_in_the_heading() -> None:
    def heading(*gpus: str) -> str:
        figure = roofline_figure([rl.estimate("llama-3-70b", gpu=gpu) for gpu in gpus])
        return texts(figure, "title")[0].get_text().replace("\n", " ")

    assert heading("a100").endswith("does not fit in memory")
    assert heading("a100", "h200").endswith("does not fit in memory on A100 SXM4 80GB")
    assert "fit" not in heading("h200")


def test_what_measured_kernels_reach_is_a_second_roof_below_the_first() -> None:
    figure = picture("dense")
    named = [text.get_text() for text in texts(figure, "roof")]
    assert sum(text.startswith("best kernels") for text in named) == 2
    lines = [line for line in figure.axes[0].lines if line.get_gid() == "reached"]
    assert len(lines) == 4
    assert all(max(line.get_ydata()) < 989.5e12 for line in lines)
