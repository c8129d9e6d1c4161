"""Interactive pages: whole, the same every time, without network; what they show is what the figure shows."""

from __future__ import annotations

import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

import roofline as rl
from roofline.errors import UsageError
from roofline.report.plots.files import checked_path, save_figure
from roofline.report.plots.hover import hover
from roofline.report.plots.layout import Words, compose, new_figure
from roofline.report.plots.page import Page
from roofline.report.plots.style import PALETTES, log_axis, styled
from roofline.report.plots.web.chart import Chart, chart_of
from roofline.report.plots.web.html import html_page

pytest.importorskip("plotly", reason="the extra web is not there")


def _figure(theme: str = "light") -> Figure:
    """One of everything, on a logarithmic axis."""
    with styled(theme):
        figure, axes = new_figure(300, 150)
        axes.set_xlim(1, 1000)
        axes.set_ylim(0, 10)
        log_axis(axes, "x", "Length (tokens)")
        axes.grid(visible=True)
        (line,) = axes.plot([1, 10, 1000], [1, 2, 10], color="#0072B2", lw=2)
        hover(line, ["a\n1 < 2", "b", "c"])
        axes.scatter([10.0, 100.0], [4, 5], s=[16, 64], marker="s", color="#D55E00")
        bar = axes.barh([7], [90], left=[10], height=1, color="#009E73")
        hover(bar.patches[0], ["bar\n90 tokens"])
        axes.text(100, 5, "within", ha="left", gid="op")
        axes.annotate("beside", (1, 0.5), (1.1, 0.5), xycoords="axes fraction", arrowprops={"arrowstyle": "-"})
        compose(figure, axes, Words("A title & more", "conditions", "A note."), 40, 0)
    return figure


@pytest.fixture(scope="module")
def chart() -> Chart:
    return chart_of(_figure())


def _traces(chart: Chart, kind: str) -> list[dict[str, Any]]:
    return [trace for trace in chart.data if kind in trace]


def test_a_line_goes_through_the_data_of_the_figure(chart: Chart) -> None:
    line = next(trace for trace in chart.data if trace["mode"] == "lines" and "fill" not in trace)
    assert line["x"] == pytest.approx([1, 10, 1000])
    assert line["y"] == pytest.approx([1, 2, 10])
    assert line["line"] == {"color": "rgba(0,114,178,1)", "width": 2.0}
    assert line["hovertext"] == ["<b>a</b><br>1 &lt; 2", "<b>b</b>", "<b>c</b>"]


def test_dashes_stay_what_they_are() -> None:
    styles = {"-": None, "--": "dash", ":": "dot", "-.": "dashdot", (0, (1, 2)): "dot", (0, (5, 1.6)): "dash"}
    with styled():
        figure, axes = new_figure(100, 50)
        for style in styles:
            axes.plot([0, 1], [0, 1], ls=style)
        compose(figure, axes, Words("", "", ""), 10, 0)
    assert [trace["line"].get("dash") for trace in chart_of(figure).data] == list(styles.values())


def test_marks_have_their_places_shapes_and_diameters(chart: Chart) -> None:
    (dots,) = (trace for trace in chart.data if trace["mode"] == "markers")
    assert dots["x"] == pytest.approx([10, 100])
    assert dots["marker"]["symbol"] == "square"
    assert dots["marker"]["size"] == pytest.approx([4, 8])
    assert dots["hoverinfo"] == "skip"


def test_a_bar_is_an_area_with_its_words_all_over(chart: Chart) -> None:
    (bar,) = _traces(chart, "fill")
    assert sorted(set(np.round(bar["x"], 6))) == pytest.approx([10, 100])
    assert (bar["text"], bar["hoveron"]) == ("<b>bar</b><br>90 tokens", "fills")


def test_axes_keep_their_ranges_ticks_and_place(chart: Chart) -> None:
    x, y = chart.layout["xaxis"], chart.layout["yaxis"]
    assert (x["type"], x["range"]) == ("log", [0, 3])
    assert dict(zip(x["tickvals"], x["ticktext"], strict=True)) == {1: "1", 10: "10", 100: "100", 1000: "1,000"}
    assert (y["type"], y["range"]) == ("linear", [0, 10])
    assert x["domain"][0] * chart.width == pytest.approx(40)
    assert (x["domain"][1] - x["domain"][0]) * chart.width == pytest.approx(300)
    assert (y["domain"][1] - y["domain"][0]) * chart.height == pytest.approx(150)


def test_words_in_the_axes_move_with_their_data_and_others_stay_on_the_page(chart: Chart) -> None:
    words = {word["text"]: word for word in chart.layout["annotations"]}
    assert set(words) == {"within", "beside", "Length (tokens)"}
    assert words["within"]["xref"] == "x"
    assert words["within"]["x"] == pytest.approx(2, abs=0.01)
    assert words["beside"]["xref"] == "paper"
    assert words["beside"]["x"] * chart.width == pytest.approx(40 + 1.1 * 300, abs=1)
    (stalk,) = chart.layout["shapes"]
    ends = [float(part.split(",")[0]) * chart.width for part in stalk["path"][1:].split("L")]
    assert min(ends) < 345 < max(ends) + 30


def test_the_words_around_a_figure_are_text_of_the_page() -> None:
    page = html_page(_figure())
    assert "<title>A title &amp; more</title>" in page
    assert "<h1>A title &amp; more</h1>" in page
    assert "<p>conditions</p>" in page
    assert "<p>A note.</p>" in page
    assert "A note" not in page.partition("const chart")[2]


@pytest.mark.parametrize("theme", PALETTES)
def test_a_page_has_the_colours_of_its_theme(theme: str) -> None:
    chart, page = chart_of(_figure(theme)), html_page(_figure(theme))
    assert chart.layout["paper_bgcolor"] == PALETTES[theme].ground
    assert f"background: {PALETTES[theme].ground}" in page
    assert f"color-scheme: {theme}" in page


def test_a_page_holds_all_that_it_needs_and_is_the_same_every_time(tmp_path: Path) -> None:
    pages = [
        save_figure(rl.estimate("mistral-7b", gpu="a100").plot(), tmp_path / name) for name in ("a.html", "b.html")
    ]
    data = [page.read_bytes() for page in pages]
    assert data[0] == data[1]
    own = re.sub(r"<script>/\*\*.*?</script>", "", data[0].decode(), flags=re.DOTALL)
    assert len(own) < 200_000
    assert not re.search(r"\b(src|href)=|https?://|@import", own)


@pytest.mark.parametrize(
    "draw",
    [
        lambda: rl.estimate("sdxl", gpu="4090").plot(),
        lambda: rl.estimate("llama-3-8b", gpu="a100").plot(kind="memory", over="context", theme="dark"),
        lambda: rl.estimate("llama-3-8b", gpu="a100", batch=512).plot(kind="memory"),
        lambda: rl.estimate("llama-3-8b", gpu="a100").plot(kind="time"),
        lambda: rl.estimate("llama-3-8b", gpu="a100").plot(kind="levels"),
        lambda: rl.estimate("llama-3-8b", gpu="a100").plot(kind="throughput"),
        lambda: rl.compare("llama-3-8b", gpu=["a100", "l4"]).plot(),
        lambda: rl.train("llama-3-8b", gpu="a100").plot("memory"),
    ],
    ids=["roofline", "over", "memory", "time", "levels", "throughput", "bars", "training"],
)
def test_every_kind_is_a_chart_that_plotly_takes_and_tells_values(draw: Any) -> None:
    from plotly.graph_objects import Figure as Taken

    figure = draw()
    chart = chart_of(figure)
    assert isinstance(figure, Page)
    Taken(data=chart.data, layout=chart.layout)  # refuses a property that there is not
    assert any(trace["hoverinfo"] == "text" for trace in chart.data)
    json.dumps([chart.data, chart.layout], allow_nan=False)


def test_a_text_cannot_end_the_script() -> None:
    with styled():
        figure, axes = new_figure(100, 50)
        axes.text(0.1, 0.5, "</script><b>x</b>")
        compose(figure, axes, Words("<i>", "", ""), 10, 0)
    page = html_page(figure)
    assert "</script><b>" not in page
    assert "<title>&lt;i&gt;</title>" in page


def test_without_plotly_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def lacking(name: str, package: str | None = None) -> Any:
        return None if name == "plotly" else find_spec(name, package)

    monkeypatch.setattr("roofline.report.plots.web.html.find_spec", lacking)
    with pytest.raises(UsageError, match=r"pip install 'roofline\[web\]'"):
        checked_path(tmp_path / "a.html")
    assert checked_path(tmp_path / "a.svg")
