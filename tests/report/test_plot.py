"""The figures: what they show, that nothing in them collides, and how they are written."""

from __future__ import annotations

import itertools
import math
from functools import cache

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.path import Path as Outline
from matplotlib.text import Text
from matplotlib.transforms import Affine2D, Bbox

import roofline as rl
from roofline.errors import UsageError
from roofline.report.plots.files import render
from roofline.report.plots.roofline import Shown, memory_figure, roofline_figure
from tests.report.figures import texts

PICTURES = {
    "one": [("mistral-7b", "a100", {"batch": 8})],
    "crowded at the roof": [("mistral-7b", "a100", {"batch": 256, "prompt": 8192})],
    "two": [("mistral-7b", gpu, {"batch": 8}) for gpu in ("a100", "h100")],
    "eager": [("mistral-7b", "h100", {"batch": 8, "fusion": "eager", "prompt": 2048})],
    "experts": [("mixtral-8x7b", "b200-sxm", {"batch": 16, "weights": "fp4", "kv_cache": "fp8"})],
    "tiny": [("tiny-transformer", "a100", {"prompt": 4})],
    "no tensor units": [("opt-350m", "apple-m1", {"batch": 4})],
    "formats": [("mistral-7b", "h100", {"weights": weights, "kv_cache": "fp8"}) for weights in ("fp8", "int4-g128")],
    "no decode": [("gpt2", "t4", {"generate": 0})],
    "seven": [("llama-2-7b", gpu, {"batch": 8}) for gpu in ("a100", "h100", "mi300x", "l4", "b200-sxm", "4090", "t4")],
    "batches": [("mistral-7b", "a100", {"batch": batch}) for batch in (1, 8, 64)],
    "models": [(model, gpu, {"batch": 8}) for model in ("llama-2-7b", "mistral-7b") for gpu in ("a100", "h100")],
}


pytestmark = pytest.mark.usefixtures("own_settings")


@cache
def _picture(name: str) -> Figure:
    return roofline_figure([rl.estimate(model, gpu=gpu, **options) for model, gpu, options in PICTURES[name]])


@cache
def _outlines(name: str) -> dict[str, list[tuple[str, Bbox]]]:
    """Boxes in pixels of everything that is read in a picture, by what it is; slopes' texts are not upright."""
    figure = _picture(name)
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()
    axes = figure.axes[0]
    found: dict[str, list[tuple[str, Bbox]]] = {}
    for kind in ("op", "ridge", "roof", "title", "conditions", "note"):
        found[kind] = [(text.get_text(), Text.get_window_extent(text, renderer)) for text in texts(figure, kind)]
    legends = figure.findobj(matplotlib.legend.Legend)
    found["key"] = [("key", legend.get_window_extent(renderer)) for legend in legends]
    found["tick"] = [
        (label.get_text(), label.get_window_extent(renderer))
        for axis in (axes.xaxis, axes.yaxis)
        for label in axis.get_ticklabels()
        if label.get_text()
    ]
    found["axis"] = [
        (axis.label.get_text(), axis.label.get_window_extent(renderer)) for axis in (axes.xaxis, axes.yaxis)
    ]
    return found


def _dots(figure: Figure) -> list[Bbox]:
    """Boxes in pixels of the drawn dots."""
    axes = figure.axes[0]
    boxes = []
    for dot in axes.collections:
        if dot.get_gid() == "dot":
            (x, y), side = axes.transData.transform(dot.get_offsets())[0], math.sqrt(dot.get_sizes()[0])
            half = side * figure.dpi / 72 / 2
            boxes.append(Bbox.from_extents(x - half, y - half, x + half, y + half))
    return boxes


def _turned(figure: Figure, text: Text) -> Outline:
    """The outline of a turned text in pixels."""
    angle = text.get_rotation()
    text.set_rotation(0)
    box = text.get_window_extent(FigureCanvasAgg(figure).get_renderer())
    text.set_rotation(angle)
    x, y = text.get_transform().transform(text.get_position())
    return Outline(Affine2D().rotate_deg_around(x, y, angle).transform(box.corners()[[0, 1, 3, 2]]), closed=False)


def _shrunk(box: Bbox, by: float = 0.5) -> Bbox:
    return Bbox.from_extents(box.x0 + by, box.y0 + by, box.x1 - by, box.y1 - by)


@pytest.mark.parametrize("name", PICTURES)
def test_no_label_touches_another_nor_leaves_the_page(name: str) -> None:
    figure = _picture(name)
    everything = [(kind, text, _shrunk(box)) for kind, boxes in _outlines(name).items() for text, box in boxes]
    for (kind, text, box), (other_kind, other, second) in itertools.combinations(everything, 2):
        assert not box.overlaps(second), f"{kind} {text!r} on {other_kind} {other!r}"
    page = figure.bbox
    for kind, text, box in everything:
        assert page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1, (kind, text)


@pytest.mark.parametrize("name", PICTURES)
def test_labels_of_ops_and_ridges_stay_in_the_axes_and_off_the_dots(name: str) -> None:
    figure = _picture(name)
    outlines, dots, frame = _outlines(name), _dots(figure), figure.axes[0].bbox
    slopes = [_turned(figure, text) for text in texts(figure, "slope")]
    assert dots and slopes
    for text, box in outlines["op"] + outlines["ridge"]:
        assert frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1, text
        assert not any(_shrunk(box).overlaps(dot) for dot in dots), text
        assert not any(slope.intersects_bbox(_shrunk(box), filled=True) for slope in slopes), text
    for dot in dots:
        assert not any(box.overlaps(dot) for _, box in outlines["key"] + outlines["roof"])


def test_at_the_bound_dots_lie_on_the_roofline() -> None:
    est = rl.estimate("mistral-7b", gpu="a100", batch=8)
    machine = est.machine
    places = _places(roofline_figure([est], shown=Shown(at="bound")))
    assert len(places) == 7
    for intensity, rate in places:
        roof = min(machine["peak_flops"], intensity * machine["bandwidth_bytes_per_s"])
        assert rate == pytest.approx(roof, rel=1e-9)


def test_dots_stand_at_the_expected_rate_and_drop_from_the_bound() -> None:
    est = rl.estimate("mistral-7b", gpu="a100", batch=8)
    axes = roofline_figure([est]).axes[0]
    rows = {float(row.intensity): row for row in est.ops("prefill") if row.flops}
    drops = {line.get_xdata()[0]: tuple(line.get_ydata()) for line in axes.lines if line.get_gid() == "drop"}
    row = next(row for row in rows.values() if row.name == "attention")
    rate, bound = row.flops / row.expected_s, row.flops / row.bound_s
    assert any(place == pytest.approx((row.intensity, rate)) for place in _places(axes.figure))
    assert next(ends for x, ends in drops.items() if x == pytest.approx(row.intensity)) == pytest.approx((rate, bound))


def test_with_the_ideal_engine_dots_stand_at_their_bound_and_the_note_says_so() -> None:
    est = rl.estimate("mistral-7b", gpu="a100", engine="ideal")
    figure = roofline_figure([est])
    assert not [line for line in figure.axes[0].lines if line.get_gid() == "drop"]
    assert "bound (engine ideal)" in _note(figure)
    assert "expected of engine generic" in _note(_picture("one"))


def test_areas_of_the_dots_are_shares_of_the_time_of_the_whole_run() -> None:
    est = rl.estimate("mistral-7b", gpu="a100", batch=256, prompt=2048, generate=32)
    total = sum(float(phase.repeat * phase.times.expected) for phase in est.phases)
    row = next(row for row in est.ops("prefill") if row.name == "attention")
    sizes = [dot.get_sizes()[0] for dot in roofline_figure([est]).axes[0].collections if dot.get_gid() == "dot"]
    assert any(size == pytest.approx(320 * row.expected_s / total) for size in sizes)
    assert min(sizes) == 9.0


def _places(figure: Figure) -> list[tuple[float, float]]:
    return [tuple(dot.get_offsets()[0]) for dot in figure.axes[0].collections if dot.get_gid() == "dot"]


def _note(figure: Figure) -> str:
    return texts(figure, "note")[0].get_text().replace("\n", " ")


def test_roofs_and_ridges_say_what_the_machine_says() -> None:
    figure = _picture("two")
    roofs = [text.get_text() for text in texts(figure, "roof")]
    assert "A100 SXM4 80GB\nbf16/fp16 312 TFLOP/s" in roofs
    assert "H100 SXM5 80GB\nbf16/fp16 989.5 TFLOP/s" in roofs
    assert "tf32 156 TFLOP/s, ridge 77" in roofs
    assert "fp8 1.979 PFLOP/s, ridge 591" in roofs
    assert {text.get_text() for text in texts(figure, "ridge")} == {"ridge 153\nFLOP/byte", "ridge 295\nFLOP/byte"}
    assert {text.get_text() for text in texts(figure, "slope")} == {"2.04 TB/s", "3.35 TB/s", "L2 cache 5.40 TB/s"}


def test_a_fallback_is_drawn_under_the_roof_that_serves_it() -> None:
    figure = roofline_figure([rl.estimate("gpt2", gpu="t4", weights="bf16")])
    assert "fp16 65 TFLOP/s" in [text.get_text() for text in texts(figure, "roof")]


def test_the_note_says_what_is_not_drawn_and_how_much_of_the_time_that_is() -> None:
    est = rl.estimate("mistral-7b", gpu="a100", batch=64, prompt=8192, generate=8)
    total = sum(float(phase.repeat * phase.times.expected) for phase in est.phases)
    rows = [(row, float(phase.repeat)) for phase in est.phases for row in est.ops(phase.name)]
    silent = sum(float(row.expected_s) * repeat for row, repeat in rows if not row.flops)
    note = _note(roofline_figure([est]))
    assert f"Not drawn, together {100 * silent / total:.0f} % of the time: element-wise ops, norms" in note or (
        f"Not drawn, together {100 * silent / total:.1f} % of the time: element-wise ops, norms" in note
    )


def test_estimates_on_one_machine_share_its_roofs_and_have_a_key() -> None:
    figure = _picture("batches")
    assert sum("bf16/fp16" in text.get_text() for text in texts(figure, "roof")) == 1
    keys = [text.get_text() for legend in figure.findobj(matplotlib.legend.Legend) for text in legend.get_texts()]
    assert {"batch 1", "batch 8", "batch 64", "prefill", "decode"} <= set(keys)


def test_one_machine_under_two_names_is_drawn_once() -> None:
    twice = [rl.estimate("gpt2", gpu=gpu) for gpu in ("a100", "a100-sxm-80gb", "l4")]
    assert len(texts(memory_figure(*twice), "name")) == 2
    dots = [c for c in roofline_figure(twice).axes[0].collections if c.get_gid() == "dot"]
    once = [c for c in roofline_figure(twice[1:]).axes[0].collections if c.get_gid() == "dot"]
    assert len(dots) == len(once)


def test_nothing_and_grids_are_refused() -> None:
    with pytest.raises(UsageError, match="at least one estimate"):
        roofline_figure([])
    grid = rl.estimate("mistral-7b", gpu="a100", batch=np.array([1, 2]))
    for draw in (lambda: roofline_figure([grid]), lambda: memory_figure(grid)):
        with pytest.raises(UsageError, match="plot the sweep"):
            draw()


def test_memory_bars_add_up_and_end_at_what_may_be_used() -> None:
    est = rl.estimate("mistral-7b", gpu="a100", batch=8)
    figure = memory_figure(est)
    parts = [text.get_text() for text in texts(figure, "part")]
    assert parts[0] == "weights 14.5 GB" and parts[1].startswith("KV-cache 670 MB") and parts[-1].startswith("free")
    bars = [c.get_paths()[0].get_extents() for c in figure.axes[0].collections if c.get_paths()[0].get_extents().x1 > 1]
    assert bars[0].x1 == est.memory.weights_bytes
    assert max(bar.x1 for bar in bars) == est.memory.usable_bytes
    assert f"batch {est.memory.max_batch:,}" in texts(figure, "limits")[0].get_text()


def test_memory_that_does_not_fit_says_by_how_much() -> None:
    figure = memory_figure(*(rl.estimate("llama-3-70b", gpu=gpu) for gpu in ("a100", "h200")))
    assert [text.get_text() for text in texts(figure, "name")] == ["A100 SXM4 80GB", "H200 SXM 141GB"]
    first = texts(figure, "verdict")[0].get_text()
    assert first.startswith("needs 142 GB, 85.4 GB usable: 56.") and first.endswith("GB too much")
    assert sum(c.get_hatch() is not None for c in figure.axes[0].collections) >= 1
    assert b"pattern" in render(figure, "svg")
