"""Where the time goes, memory along a size, levels and curves: sums are those of the answers, words are in the page."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

import roofline as rl
from roofline.analysis.levels import levels
from roofline.analysis.spent import time_spent
from roofline.analysis.sweeping.memory import memory_along
from roofline.errors import UsageError
from roofline.report.plots.hover import hover_texts
from tests.report.figures import texts

pytestmark = pytest.mark.usefixtures("own_settings")

RUNS: dict[str, Any] = {
    "a language model": ("mistral-7b", "a100", {"batch": 8}),
    "experts over eight GPUs": ("deepseek-v3", "h200", {"gpus": 8}),
    "stages": ("llama-3-70b", "h100", {"pp": 8, "batch": 16}),
    "ideal": ("llama-3-8b", "h100", {"engine": "ideal"}),
    "pictures": ("sdxl", "4090", {}),
    "an encoder": ("bge-large-en", "a10", {}),
    "offloaded": ("llama-3-70b", "4090", {"offload": "weights", "weights": "int4-g128"}),
    "hears": ("whisper-large-v3", "a100", {}),
    "scans": ("mamba-2.8b", "a100", {}),
}


def _estimate(name: str) -> rl.Estimate:
    model, gpu, options = RUNS[name]
    return rl.estimate(model, gpu=gpu, **options)


@pytest.mark.parametrize("name", RUNS)
def test_parts_and_causes_sum_to_the_expected_time_of_every_phase_and_of_the_run(name: str) -> None:
    est = _estimate(name)
    spent = time_spent(est)
    for each in spent:
        for way, parts in each.by.items():
            assert sum(parts.values()) == pytest.approx(float(each.times.expected), rel=1e-6), (each.name, way)
            assert min(parts.values()) > 0
            assert list(parts.values()) == sorted(parts.values(), reverse=True)
        assert "cause" in each.by
    assert [each.name for each in spent[: len(est.phases)]] == [phase.name for phase in est.phases]


def test_a_decode_step_of_a_small_batch_goes_into_weights_and_the_feed_forward_part() -> None:
    decode = next(each for each in time_spent(_estimate("a language model")) if each.name == "decode")
    assert next(iter(decode.by["cause"])) == "weights"
    assert next(iter(decode.by["block"])) == "feed-forward"


def test_what_is_one_block_is_told_by_kinds_of_op() -> None:
    prefill = time_spent(rl.estimate("deepseek-v3", gpu="h200", gpus=8, engine="ideal"))[0]
    assert "experts" in prefill.by["op"]
    assert "mixers" not in time_spent(_estimate("a language model"))[0].by["block"]


@pytest.mark.parametrize(
    ("name", "over"),
    [
        ("a language model", "context"),
        ("a language model", "batch"),
        ("pictures", "side"),
        ("pictures", "batch"),
        ("an encoder", "context"),
    ],
)
def test_memory_along_a_size_is_that_of_single_runs_and_meets_what_fits(name: str, over: str) -> None:
    est = _estimate(name)
    found = memory_along(est, over)
    model, gpu, options = RUNS[name]
    at = len(found.places) // 2
    place = int(found.places[at])
    grown: dict[str, dict[str, Any]] = {
        "context": {"prompt": place - int(est.inputs.get("generate") or 0)},
        "batch": {"batch": place},
        "side": {"height": place, "width": place},
    }
    single = rl.estimate(model, gpu=gpu, **{**options, **grown[over]})
    assert float(found.lines[0].total[at]) == pytest.approx(float(single.memory.total_bytes))
    for line in found.lines:
        assert np.all(np.diff(found.places) > 0)
        if line.last is not None and found.places[0] <= line.last < found.places[-1]:
            below, above = found.places <= line.last, found.places > line.last
            assert np.all(line.total[below] <= found.usable)
            assert np.any(line.total[above] > found.usable)


def test_a_window_is_a_cache_that_stops_growing_and_fits_at_any_context() -> None:
    found = memory_along(rl.estimate("mistral-7b", gpu="a100"), "context")
    assert found.lines[0].last is None
    assert found.lines[0].total[-1] == found.lines[0].total[-2]


@pytest.mark.parametrize(
    ("model", "options", "over", "words"),
    [
        ("sdxl", {}, "context", "it has batch and side"),
        ("llama-3-8b", {}, "side", "it has context and batch"),
        ("llama-3-8b", {}, "contxt", "Did you mean 'context'"),
        ("llama-3-8b", {"users": 8, "engine": "vllm"}, "context", "give --batch"),
    ],
)
def test_memory_along_what_is_not_there_is_refused(model: str, options: Any, over: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        rl.estimate(model, gpu="a100", **options).plot(kind="memory", over=over)


def _drawn(name: str, kind: str, **options: Any) -> Figure:
    return _estimate(name).plot(kind, **options)


PICTURES = {
    "time": lambda: _drawn("a language model", "time"),
    "time of experts": lambda: _drawn("experts over eight GPUs", "time"),
    "time of pictures": lambda: _drawn("pictures", "time", theme="dark"),
    "context": lambda: _drawn("a language model", "memory", over="context", values=[8, 64, 256]),
    "batch": lambda: _drawn("a language model", "memory", over="batch"),
    "side": lambda: _drawn("pictures", "memory", over="side"),
    "batch of pictures": lambda: _drawn("pictures", "memory", over="batch"),
    "levels": lambda: _drawn("a language model", "levels"),
    "levels of pictures": lambda: _drawn("pictures", "levels"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_words_are_within_the_page_and_off_each_other(name: str) -> None:
    figure = PICTURES[name]()
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()
    written = [text for text in figure.findobj(Text) if text.get_text().strip() and text.get_visible()]
    labels = {text: Text.get_window_extent(text, renderer) for text in written if text.get_gid()}
    page = figure.bbox
    for text, box in labels.items():
        assert page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1, text.get_text()
    for (one, first), (other, second) in itertools.combinations(labels.items(), 2):
        assert not first.padded(-1).overlaps(second.padded(-1)), (one.get_text(), other.get_text())


def test_where_a_line_meets_the_capacity_is_said_with_the_last_that_fits() -> None:
    est = rl.estimate("llama-3-8b", gpu="a100", batch=32)
    said = [text.get_text() for text in texts(est.plot(kind="memory", over="context"), "crossing")]
    assert f"batch 32\nfits up to {est.memory.max_context:,}" in said


def test_what_fits_nowhere_says_so_in_its_heading() -> None:
    figure = rl.estimate("llama-3-70b", gpu="4090").plot(kind="memory", over="context")
    assert texts(figure, "title")[0].get_text().endswith("(does not fit)")
    assert "does not fit anywhere" in texts(figure, "note")[0].get_text().replace("\n", " ")


def test_levels_show_the_numbers_of_the_command() -> None:
    rows = levels("llama-3-8b", "a100", prompt=4096)
    figure = rl.estimate("llama-3-8b", gpu="a100", prompt=4096).plot(kind="levels")
    said = [text.get_text() for text in texts(figure, "value")]
    assert [text.get_text() for text in texts(figure, "level")] == [row["level"] for row in rows]
    assert said[: len(rows)] == [f"{row['kernels']:,.0f}" for row in rows]
    assert all(row["expected_s"] >= row["bound_s"] for row in rows)


def test_runs_side_by_side_share_a_scale_in_each_phase() -> None:
    from roofline.report.plots.charts.time import time_figure

    figure = time_figure(*(rl.estimate("mistral-7b", gpu=gpu, batch=8) for gpu in ("a100", "h100")))
    assert [text.get_text() for text in texts(figure, "run")] == ["A100 SXM4 80GB", "H100 SXM5 80GB"] * 3
    widths = [bar.get_width() for bar in figure.axes[0].patches]
    assert max(widths) < figure.axes[0].get_xlim()[1]
    assert all(hover_texts(bar) for bar in figure.axes[0].patches)


def test_more_bars_than_a_page_holds_are_refused() -> None:
    from roofline.report.plots.charts.time import time_figure

    runs = [rl.estimate("mistral-7b", gpu=gpu, batch=batch) for gpu in ("a100", "h100", "l4") for batch in (1, 2, 4)]
    with pytest.raises(UsageError, match="bars are too many for one picture"):
        time_figure(*runs)


def test_a_kind_takes_its_own_options_alone() -> None:
    est = rl.estimate("llama-3-8b", gpu="a100")
    for given, words in (
        ({"kind": "tiem"}, "Did you mean 'time'"),
        ({"kind": "time", "over": "context"}, "plot takes no 'over' with kind 'time'"),
        ({"kind": "bars"}, "roofline.compare"),
        ({"kind": "throughput", "batches": [8]}, "needs several"),
        ({"kind": "memory", "over": "context", "values": [1, 2, 3, 4, 5]}, "takes at most 4 values"),
        ({"kind": "time", "ax": object()}, "is a page of its own"),
        ({"kind": "time", "theme": "drak"}, "Did you mean 'dark'"),
    ):
        with pytest.raises(UsageError, match=words):
            est.plot(**given)


def test_curves_are_drawn_over_the_batches_that_are_asked() -> None:
    figure = rl.estimate("llama-3-8b", gpu="a100").plot(kind="throughput", batches=[1, 8, 64])
    assert list(figure.axes[0].get_lines()[0].get_xdata()) == [1, 8, 64]
