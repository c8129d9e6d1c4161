"""Figures of image models: their keys, labels, memory bars, and how long they take."""

from __future__ import annotations

import time
from typing import Any

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from roofline.report.plots.points import joint_name

import roofline as rl
from roofline.report.plots.geometry import Box
from roofline.report.plots.roofline import memory_figure, roofline_figure
from roofline.report.plots.style import styled

MODELS = ["sdxl", "sd15", "flux.1-dev", "sd3-medium", "sd15-controlnet", "t5-xxl"]


def figure_of(model: str, **options: Any) -> Figure:
    return roofline_figure([rl.estimate(model, gpu="h100", **options)])


@pytest.mark.parametrize("model", MODELS)
def test_the_key_stays_on_the_page_and_names_phases_with_dots(model: str) -> None:
    with styled():
        figure = figure_of(model)
        renderer = FigureCanvasAgg(figure).get_renderer()
        page = figure.bbox
        for legend in figure.axes[0].get_children():
            if type(legend).__name__ == "Legend":
                box = legend.get_window_extent(renderer)
                assert box.x1 <= page.x1 + 0.5
                assert "noise" not in [text.get_text() for text in legend.get_texts()]


@pytest.mark.parametrize("model", MODELS)
def test_labels_do_not_touch_and_names_are_whole(model: str) -> None:
    with styled():
        figure = figure_of(model)
        renderer = FigureCanvasAgg(figure).get_renderer()
        ops = list(figure.findobj(lambda item: item.get_gid() == "op"))
        boxes = []
        for text in ops:
            assert text.get_text().count("(") == text.get_text().count(")")
            extent = text.get_window_extent(renderer)
            boxes.append(Box(extent.x0, extent.y0, extent.x1, extent.y1))
        assert ops
        assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_a_figure_takes_about_a_second() -> None:
    est = rl.estimate("sdxl", gpu="rtx-4090")
    roofline_figure([est])
    start = time.process_time()
    roofline_figure([est])
    assert time.process_time() - start < 2.5


def test_names_with_blocks_are_joined_by_op() -> None:
    assert joint_name(["attn2 (down_blocks.1)", "attn2 (mid_block)"]) == "attn2 (2 blocks)"
    assert joint_name(["attn2 (mid_block)"]) == "attn2 (mid_block)"
    assert joint_name(["a (x)", "a (y)", "b (x)"], brief=True) == "a, b"


def test_memory_of_pictures_is_said_in_pictures() -> None:
    here, away = (rl.estimate("sdxl", gpu="rtx-4090", offload=offload) for offload in ("none", "model"))
    figure = memory_figure(here, away)
    texts = [text.get_text() for text in figure.findobj(lambda item: hasattr(item, "get_text"))]
    assert any(f"pictures of {here.memory.max_side:,} × {here.memory.max_side:,} px" in text for text in texts)
    assert {"no offload", "offload model"} <= set(texts)
    assert not any("token" in text for text in texts)
