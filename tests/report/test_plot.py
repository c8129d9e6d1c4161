"""The figures: what they show, that nothing in them collides, and how they are written."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.path import Path as Outline
from matplotlib.text import Text
from matplotlib.transforms import Affine2D, Bbox

import roofline as rl
from roofline.errors import UsageError
from roofline.report.plots.files import render
from roofline.report.plots.geometry import Anchor, Box
from roofline.report.plots.labels import Scene, Wish, place, spread
from roofline.report.plots.points import joint_name
from roofline.report.plots.roofline import checked_path, memory_figure, roofline_figure, save_figure, sweep_figure
from roofline.report.plots.style import log_ticks, styled

PICTURES = {
    "one": [("mistral-7b", "a100", {"batch": 8})],
    "crowded at the roof": [("mistral-7b", "a100", {"batch": 256, "prompt": 8192})],
    "two": [("mistral-7b", gpu, {"batch": 8}) for gpu in ("a100", "h100")],
    "eager": [("mistral-7b", "h100", {"batch": 8, "fusion": "eager", "prompt": 2048})],
    "experts": [("mixtral-8x7b", "b200-sxm", {"batch": 16, "weights": "fp4", "kv_cache": "fp8"})],
    "tiny": [("tiny-transformer", "a100", {"prompt": 4, "generate": 2})],
    "no tensor units": [("opt-350m", "apple-m1", {"batch": 4})],
    "formats": [("mistral-7b", "h100", {"weights": weights, "kv_cache": "fp8"}) for weights in ("fp8", "int4-g128")],
    "no decode": [("gpt2", "t4", {"generate": 0})],
    "seven": [("llama-2-7b", gpu, {"batch": 8}) for gpu in ("a100", "h100", "mi300x", "l4", "b200-sxm", "4090", "t4")],
    "batches": [("mistral-7b", "a100", {"batch": batch}) for batch in (1, 8, 64)],
    "models": [(model, gpu, {"batch": 8}) for model in ("llama-2-7b", "mistral-7b") for gpu in ("a100", "h100")],
}


@pytest.fixture(autouse=True)
def _own_settings() -> Iterator[None]:
    """Texts are measured as they are drawn."""
    with styled():
        yield


@cache
def _picture(name: str) -> Figure:
    return roofline_figure([rl.estimate(model, gpu=gpu, **options) for model, gpu, options in PICTURES[name]])


def _texts(figure: Figure, *kinds: str) -> list[Text]:
    return [text for text in figure.findobj(Text) if text.get_gid() in kinds]


@cache
def _outlines(name: str) -> dict[str, list[tuple[str, Bbox]]]:
    """Boxes in pixels of everything that is read in a picture, by what it is; slopes' texts are not upright."""
    figure = _picture(name)
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()
    axes = figure.axes[0]
    found: dict[str, list[tuple[str, Bbox]]] = {}
    for kind in ("op", "ridge", "roof", "title", "conditions", "note"):
        found[kind] = [(text.get_text(), Text.get_window_extent(text, renderer)) for text in _texts(figure, kind)]
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
    slopes = [_turned(figure, text) for text in _texts(figure, "slope")]
    assert dots and slopes
    for text, box in outlines["op"] + outlines["ridge"]:
        assert frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1, text
        assert not any(_shrunk(box).overlaps(dot) for dot in dots), text
        assert not any(slope.intersects_bbox(_shrunk(box), filled=True) for slope in slopes), text
    for dot in dots:
        assert not any(box.overlaps(dot) for _, box in outlines["key"] + outlines["roof"])


@pytest.mark.parametrize("name", ["one", "two", "seven", "tiny", "batches"])
def test_every_dot_is_named_or_counted(name: str) -> None:
    figure = _picture(name)
    assert _texts(figure, "op")
    assert "without a label" not in _texts(figure, "note")[0].get_text()


def test_dots_lie_on_the_roofline() -> None:
    est = rl.estimate("mistral-7b", gpu="a100", batch=8)
    machine = est.machine
    axes = roofline_figure([est]).axes[0]
    places = [tuple(dot.get_offsets()[0]) for dot in axes.collections if dot.get_gid() == "dot"]
    assert len(places) == 7
    for intensity, rate in places:
        roof = min(machine["peak_flops"], intensity * machine["bandwidth_bytes_per_s"])
        assert rate == pytest.approx(roof, rel=1e-9)


def test_areas_of_the_dots_are_shares_of_the_time_of_the_phase() -> None:
    est = rl.estimate("mistral-7b", gpu="a100", batch=8)
    rows = {row.name: float(row.bound_s) for row in est.ops("prefill")}
    share = sum(rows[name] for name in ("gate_proj", "up_proj", "down_proj")) / sum(rows.values())
    sizes = [dot.get_sizes()[0] for dot in roofline_figure([est]).axes[0].collections if dot.get_gid() == "dot"]
    assert any(size == pytest.approx(230 * share) for size in sizes)
    assert min(sizes) == 10.0


def test_roofs_and_ridges_say_what_the_machine_says() -> None:
    figure = _picture("two")
    roofs = [text.get_text() for text in _texts(figure, "roof")]
    assert "A100 SXM4 80GB\nbf16/fp16 312 TFLOP/s" in roofs
    assert "H100 SXM5 80GB\nbf16/fp16 989.5 TFLOP/s" in roofs
    assert "tf32 156 TFLOP/s, ridge 77" in roofs
    assert "fp8 1.979 PFLOP/s, ridge 591" in roofs
    assert {text.get_text() for text in _texts(figure, "ridge")} == {"ridge 153\nFLOP/byte", "ridge 295\nFLOP/byte"}
    assert {text.get_text() for text in _texts(figure, "slope")} == {"2.04 TB/s", "3.35 TB/s"}


def test_a_fallback_is_drawn_under_the_roof_that_serves_it() -> None:
    figure = roofline_figure([rl.estimate("gpt2", gpu="t4", weights="bf16")])
    assert "fp16 65 TFLOP/s" in [text.get_text() for text in _texts(figure, "roof")]


def test_ops_without_matrix_flops_are_named_with_their_part_of_the_time() -> None:
    est = rl.estimate("mistral-7b", gpu="a100", batch=8)
    rows = est.ops("prefill")
    silent = sum(float(row.bound_s) for row in rows if not row.flops) / sum(float(row.bound_s) for row in rows)
    note = _texts(roofline_figure([est]), "note")[0].get_text().replace("\n", " ")
    assert f"element-wise ops, norms, look-ups ({100 * silent:.1f} % of prefill's time" in note


def test_estimates_on_one_machine_share_its_roofs_and_have_a_key() -> None:
    figure = _picture("batches")
    assert sum("bf16/fp16" in text.get_text() for text in _texts(figure, "roof")) == 1
    keys = [text.get_text() for legend in figure.findobj(matplotlib.legend.Legend) for text in legend.get_texts()]
    assert {"batch 1", "batch 8", "batch 64", "prefill", "decode"} <= set(keys)


def test_one_machine_under_two_names_is_drawn_once() -> None:
    twice = [rl.estimate("gpt2", gpu=gpu) for gpu in ("a100", "a100-sxm-80gb", "l4")]
    assert len(_texts(memory_figure(*twice), "name")) == 2
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


def test_a_figure_is_the_same_file_every_time_whatever_the_users_settings(tmp_path: Path) -> None:
    est = rl.estimate("mistral-7b", gpu="a100", batch=8)
    first = save_figure(est.plot(), tmp_path / "a.svg").read_bytes()
    with matplotlib.rc_context({"font.size": 20, "savefig.bbox": "tight", "lines.linewidth": 9, "svg.hashsalt": None}):
        second = save_figure(est.plot(), tmp_path / "b.svg").read_bytes()
        assert matplotlib.rcParams["font.size"] == 20
    assert first == second
    assert b"<dc:date>" not in first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.svg", "b.svg"]


@pytest.mark.parametrize(("kind", "start"), [("pdf", b"%PDF"), ("png", b"\x89PNG")])
def test_a_figure_is_written_as_its_name_ends_without_a_date(kind: str, start: bytes, tmp_path: Path) -> None:
    data = save_figure(_picture("one"), tmp_path / f"a.{kind.upper()}").read_bytes()
    assert data.startswith(start)
    assert b"CreationDate" not in data


def test_what_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    for path, words in (
        ("roofline.gif", r"must end in one of \.png, \.svg, \.pdf"),
        ("roofline", r"must end in one of"),
        (tmp_path / "none" / "a.svg", "there is no folder"),
        (tmp_path / ("x" * 400 + ".svg"), "cannot write a figure"),
        ("nul\0.svg", "cannot write a figure"),
    ):
        with pytest.raises(UsageError, match=words):
            save_figure(Figure(), path)
    (tmp_path / "folder.svg").mkdir()
    with pytest.raises(UsageError, match="it is a folder"):
        checked_path(tmp_path / "folder.svg")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.svg"
    target.write_text("old")

    def full(self: Path, data: bytes) -> int:
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(UsageError, match="No space left"):
        save_figure(Figure(), target)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_figures_show_themselves_in_a_notebook() -> None:
    data, size = rl.estimate("gpt2", gpu="a100").plot()._repr_png_()  # type: ignore[attr-defined]
    assert data.startswith(b"\x89PNG")
    assert size["width"] == 780


def test_matplotlib_is_loaded_for_a_figure_only_and_pyplot_never() -> None:
    code = (
        "import sys, roofline.report.plots.roofline as plot, roofline as rl\n"
        "assert 'matplotlib' not in sys.modules\n"
        "plot.roofline_figure([rl.estimate('gpt2', gpu='a100')])\n"
        "assert 'matplotlib' in sys.modules and 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_memory_bars_add_up_and_end_at_the_capacity() -> None:
    est = rl.estimate("mistral-7b", gpu="a100", batch=8)
    figure = memory_figure(est)
    parts = [text.get_text() for text in _texts(figure, "part")]
    assert parts[0] == "weights 14.5 GB" and parts[1].startswith("KV-cache 670 MB") and parts[-1].startswith("free")
    bars = [c.get_paths()[0].get_extents() for c in figure.axes[0].collections if c.get_paths()[0].get_extents().x1 > 1]
    assert bars[0].x1 == est.memory.weights_bytes
    assert max(bar.x1 for bar in bars) == est.memory.capacity_bytes
    assert f"batch {est.memory.max_batch:,}" in _texts(figure, "limits")[0].get_text()


def test_memory_that_does_not_fit_says_by_how_much() -> None:
    figure = memory_figure(*(rl.estimate("llama-3-70b", gpu=gpu) for gpu in ("a100", "h200")))
    assert [text.get_text() for text in _texts(figure, "name")] == ["A100 SXM4 80GB", "H200 SXM 141GB"]
    first = _texts(figure, "verdict")[0].get_text()
    assert first.startswith("141 GB of 80.0 GB: 61.") and first.endswith("GB too much")
    assert sum(c.get_hatch() is not None for c in figure.axes[0].collections) >= 1
    assert b"pattern" in render(figure, "svg")


ROWS = [
    {"model": "m", "gpu": gpu, "batch": batch, "prompt": 512, "output_tokens_per_s": 100.0 * speed * batch**0.8,
     "tpot_s": batch**0.2 / (100 * speed), "total_bytes": 1e9 * batch, "fits": batch <= 64}
    for gpu, speed in (("a100", 1.0), ("h100", 1.7), ("l4", 0.15))
    for batch in (1, 4, 16, 64, 256)
]  # fmt: skip


def test_a_sweep_has_a_named_curve_for_each_setting_and_hollow_points_where_it_does_not_fit() -> None:
    figure = sweep_figure(ROWS)
    assert [text.get_text() for text in _texts(figure, "curve")] == ["a100", "h100", "l4"]
    lines = figure.axes[0].get_lines()
    assert list(lines[0].get_xdata()) == [1, 4, 16, 64, 256]
    assert [list(line.get_xdata()) for line in lines if line.get_markerfacecolor() == "white"] == [[256]] * 3
    assert _texts(figure, "conditions")[0].get_text() == "m · prompt 512"


def test_long_names_of_curves_are_wrapped_and_formats_said_once() -> None:
    formats = [
        {"weights": weights, "activations": other, "kv_cache": other}
        for weights, other in (("bf16", "bf16"), ("fp16", "fp16"), ("int4-g128", "bf16"))
    ]
    figure = sweep_figure([row | own for row, own in itertools.product(ROWS, formats)])
    figure.draw_without_rendering()
    curves = _texts(figure, "curve")
    assert "a100, bf16" in [text.get_text() for text in curves]
    boxes = [Text.get_window_extent(text, FigureCanvasAgg(figure).get_renderer()) for text in curves]
    assert max(box.x1 for box in boxes) <= figure.bbox.x1
    assert not any(a.overlaps(b) for a, b in itertools.combinations(map(_shrunk, boxes), 2))


def test_a_sweep_may_show_one_result_over_another_along_the_batch() -> None:
    figure = sweep_figure(reversed(ROWS), x="tpot_s")
    assert "batch grows from 1 to 256" in _texts(figure, "note")[0].get_text()
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


def test_joint_names_share_their_suffix() -> None:
    assert joint_name(["q_proj", "k_proj", "head"]) == "q/k_proj, head"
    assert joint_name(["attention"]) == "attention"
    assert joint_name([f"x{i}_proj" for i in range(40)]).endswith("x7_proj, 32 more")


@pytest.mark.parametrize(("low", "high"), [(1, 1e6), (3, 40), (4.5, 4.9), (1e-30, 1e30), (0.2, 60), (1.01, 1.02)])
def test_a_logarithmic_axis_has_two_to_twelve_ticks(low: float, high: float) -> None:
    major, _ = log_ticks(low, high)
    assert 2 <= len(major) <= 12
    assert all(low <= tick <= high for tick in major)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.floats(10, 390), st.floats(10, 190), st.floats(1, 8)), min_size=1, max_size=10))
def test_placed_labels_keep_clear_of_each_other_of_dots_and_edges(spots: list[tuple[float, float, float]]) -> None:
    dots = tuple(Anchor(*spot) for spot in spots)
    scene = Scene(Box(0, 0, 400, 200), dots=dots)
    wishes = [Wish(40, 9, (dot,)) for dot in dots]
    placed = [spot for spot in place(wishes, scene) if spot is not None]
    assert len(placed) == len(wishes)
    for spot in placed:
        assert spot.box.within(scene.bounds)
        assert not any(spot.box.overlaps(dot.box) for dot in dots)
    assert not any(a.box.overlaps(b.box) for a, b in itertools.combinations(placed, 2))


def test_a_label_for_which_there_is_no_room_is_left_out() -> None:
    scene = Scene(Box(0, 0, 50, 20), dots=(Anchor(25, 10, 3),))
    assert place([Wish(60, 9, scene.dots)], scene) == [None]


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(1, 8)), min_size=1, max_size=12))
def test_spread_labels_follow_one_another_within_the_edges(wanted: list[tuple[float, float]]) -> None:
    centres = spread([at for at, _ in wanted], [height for _, height in wanted], 0, 100)
    spans = sorted((c - h / 2, c + h / 2) for c, (_, h) in zip(centres, wanted, strict=True))
    assert spans[0][0] >= -1e-9 and spans[-1][1] <= 100 + 1e-9
    assert all(first[1] <= second[0] + 1e-9 for first, second in itertools.pairwise(spans))


def test_labels_that_are_far_apart_stay_where_they_are() -> None:
    assert spread([10, 50, 90], [5, 5, 5], 0, 100) == [10, 50, 90]
