"""Measured points and paths of ops on a roofline plot, what is refused, and plots in somebody's own axes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from typer.testing import CliRunner

import roofline as rl
from roofline.cli.app import app
from roofline.errors import RooflineError
from roofline.report.plots.roof.ledger import resolution
from roofline.report.plots.roofline import Shown, roofline_figure
from tests.report.figures import texts

pytestmark = pytest.mark.usefixtures("own_settings")


def measured(path: Path, *rows: str, gpus: tuple[str, ...] = ("a100",)) -> Figure:
    path.write_text("\n".join(rows), encoding="utf-8")
    runs = [rl.estimate("mistral-7b", gpu=gpu, batch=8) for gpu in gpus]
    return roofline_figure(runs, shown=Shown(measured=path))


def stars(figure: Figure) -> list[tuple[float, float]]:
    return [tuple(c.get_offsets()[0]) for c in figure.axes[0].collections if c.get_gid() == "measured"]


def test_points_stand_where_the_file_says(tmp_path: Path) -> None:
    figure = measured(
        tmp_path / "p.csv",
        "name,intensity,flops,bytes,rate,tflops,time_ms",
        "one,100,,,2e14,,",
        "two,,4e12,2e10,,150,",
        "three,,4e12,2e10,,,20",
    )
    assert np.array(stars(figure)) == pytest.approx(np.array([(100, 2e14), (200, 1.5e14), (200, 2e14)]))
    assert {"one", "two", "three"} <= {text.get_text() for text in texts(figure, "op")}


def test_a_timed_op_stands_at_its_intensity_and_its_flops_over_the_time(tmp_path: Path) -> None:
    row = next(row for row in rl.estimate("mistral-7b", gpu="a100", batch=8).ops("decode") if row.name == "down_proj")
    figure = measured(tmp_path / "p.csv", "op,phase,time_ms", "down_proj,decode,2.4")
    assert stars(figure) == [pytest.approx((row.intensity, row.flops / 2.4e-3))]


def test_measured_runs_stand_at_the_intensity_of_what_was_timed(tmp_path: Path) -> None:
    figure = measured(
        tmp_path / "runs.csv",
        "model,gpu,engine,batch,prompt,generate,metric,value",
        "mistral-7b,a100,my-server,8,128,64,tpot_ms,11.9",
        "mistral-7b,a100,my-server,8,512,64,ttft_ms,231",
        "mistral-7b,h100,my-server,8,512,64,ttft_ms,231",
        "gpt2,a100,my-server,8,512,64,ttft_ms,231",
    )
    decode = rl.estimate("mistral-7b", gpu="a100", batch=8, prompt=128, generate=64).phase("decode")
    prefill = rl.estimate("mistral-7b", gpu="a100", batch=8, prompt=512, generate=64).phase("prefill")
    first, second = stars(figure)
    assert first == pytest.approx((decode.intensity, decode.flops / 11.9e-3), rel=1e-6)
    assert second == pytest.approx((prefill.intensity, prefill.flops / 231e-3), rel=1e-6)
    assert "2 rows of the file are about other runs" in texts(figure, "note")[0].get_text().replace("\n", " ")


def test_a_point_above_every_roof_is_told(tmp_path: Path) -> None:
    figure = measured(tmp_path / "p.csv", "name,intensity,rate", "wrong,100,9e14")
    assert "above every roof: 1" in texts(figure, "note")[0].get_text().replace("\n", " ")


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (["name,intensity,rat", "a,1,2"], "line 1: no column is called 'rat'; 'rate' may be meant"),
        (["name,intensity,rate,rate", "a,1,2,3"], "line 1: column rate twice"),
        (["name,intensity,rate", "a,,3"], "line 2: intensity is not given"),
        (["name,intensity,rate", "a,10,"], "line 2: rate is not given, nor a time"),
        (["name,intensity,rate", "", "a,10,3e12x"], "line 3: rate is '3e12x', not a number"),
        (["name,intensity,rate", "a,10,nan"], "line 2: rate is 'nan', not a positive number"),
        (["name,intensity,rate,time_ms", "a,10,3e12,4"], "line 2: time_ms is given beside rate"),
        (["name,intensity,time_ms", "a,10,4"], "line 2: time_ms is a time, and flops is not given"),
        (["name,op,time_ms", "a,down_proj,4"], "line 2: phase is not given, and down_proj is an op of prefill, decode"),
        (
            ["name,op,phase,time_ms", "a,down_prj,decode,4"],
            "line 2: op 'down_prj' is no op of this phase. Did you mean",
        ),
        (["name,op,phase,time_ms", "a,attention_norm,decode,4"], "line 2: op 'attention_norm' has no matrix FLOPs"),
        (["name,phase,time_ms", "a,prefil,4"], "line 2: phase 'prefil' is none of prefill, decode"),
        (["name,gpu,intensity,rate", "a,h100,10,4"], "line 2: gpu is 'h100', which is not in the plot"),
        (["name,intensity,rate", "a,10,4,5"], "line 2: 4 cells under 3 columns"),
        (["name,intensity,rate"], "no rows below the line"),
        (["model,gpu,engine,batch,prompt,generate,metric,value", "gpt2,l4,x,1,1,8,tpot_ms,9"], "none of its 1 rows"),
    ],
)
def test_a_row_that_cannot_be_drawn_is_refused_with_its_place(tmp_path: Path, rows: list[str], told: str) -> None:
    with pytest.raises(rl.UsageError) as error:
        measured(tmp_path / "p.csv", *rows)
    assert str(tmp_path / "p.csv") in str(error.value)
    assert told in str(error.value)


def test_with_several_gpus_a_point_says_whose_it_is(tmp_path: Path) -> None:
    with pytest.raises(rl.UsageError, match="line 2: gpu is not given, and the plot has several GPUs"):
        measured(tmp_path / "p.csv", "name,intensity,rate", "a,10,4e12", gpus=("a100", "h100"))


def test_a_path_is_one_op_at_each_value() -> None:
    est = rl.estimate("mistral-7b", gpu="a100")
    figure = roofline_figure([est], shown=Shown(trail={"batch": [64, 1, 8]}, op="down_proj"))
    steps = [c.get_offsets() for c in figure.axes[0].collections if c.get_gid() == "step"]
    assert len(steps) == 2
    for place, batch in zip(steps[1], (1, 8, 64), strict=True):
        rows = rl.estimate("mistral-7b", gpu="a100", batch=batch).ops("decode")
        row = next(row for row in rows if row.name == "down_proj")
        assert tuple(place) == pytest.approx((row.intensity, row.flops / row.expected_s))
    labels = [text.get_text().replace("\n", " ") for text in texts(figure, "op")]
    assert "down_proj, decode, batch 1" in labels and "64" in labels
    assert "batch" not in texts(figure, "conditions")[0].get_text()


def test_the_path_of_a_context_is_that_of_a_step_at_that_context() -> None:
    est = rl.estimate("mistral-7b", gpu="a100", batch=4)
    figure = roofline_figure([est], shown=Shown(trail={"context": [256, 4096]}, op="attention"))
    steps = next(c.get_offsets() for c in figure.axes[0].collections if c.get_gid() == "step" and len(c.get_offsets()))
    assert len(steps) == 2


@pytest.mark.parametrize(
    ("trail", "op", "told"),
    [
        ({"batch": [8]}, None, "has 1 value: a path needs two at least"),
        ({"batch": [8, 8]}, None, "has 1 value"),
        ({"batch": list(range(1, 101))}, None, "100 values: a path shows 64 at most"),
        ({"batch": [1, 2], "prompt": [1, 2]}, None, "over one size, such as batch=1:256:x2, not over 2"),
        ({"bach": [1, 2]}, None, "'bach' is none. Did you mean 'batch'?"),
        ({"weights": ["fp8", "int8"]}, None, "is none"),
        ({"batch": [1, 2]}, "down_pro", "no op 'down_pro' with matrix FLOPs in this run. Did you mean 'down_proj'?"),
        ({"height": [512, 1024]}, None, "goes with image models"),
    ],
)
def test_a_path_that_leads_nowhere_is_refused(trail: dict[str, Any], op: str | None, told: str) -> None:
    with pytest.raises(rl.UsageError) as error:
        roofline_figure([rl.estimate("mistral-7b", gpu="a100")], shown=Shown(trail=trail, op=op))
    assert told in str(error.value)


def test_a_plot_in_own_axes_returns_them_and_keeps_its_words_inside() -> None:
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(5, 4), dpi=100)
    assert rl.estimate("mistral-7b", gpu="a100", batch=8).plot(ax=axes, title="") is axes
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()
    found = [text for text in axes.findobj(Text) if text.get_gid() in ("op", "roof", "ridge")]
    boxes = [Text.get_window_extent(text, renderer) for text in found]
    assert len(found) > 4
    for index, box in enumerate(boxes):
        assert axes.bbox.x0 - 1 <= box.x0 and box.x1 <= axes.bbox.x1 + 1
        assert not any(box.overlaps(other) for other in boxes[:index])
    assert axes.get_title(loc="left") == ""
    pyplot.close(figure)


def test_axes_in_which_nothing_could_be_read_are_refused() -> None:
    figure = Figure(figsize=(1, 1))
    with pytest.raises(rl.UsageError, match="hold no roofline plot"):
        rl.estimate("gpt2", gpu="a100").plot(ax=figure.add_subplot())


def test_a_keyword_that_plot_does_not_take_is_named() -> None:
    with pytest.raises(rl.UsageError, match="no 'mesured'"):
        rl.estimate("gpt2", gpu="a100").plot(mesured="x.csv")  # type: ignore[call-overload]
    with pytest.raises(rl.UsageError, match="--at must be one of expected, bound"):
        rl.estimate("gpt2", gpu="a100").plot(at="top")  # type: ignore[call-overload]


RUN = ("plot", "--model", "gpt2", "--gpu", "t4")


def refusal(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert isinstance(result.exception, RooflineError), result.exception
    return str(result.exception)


def test_the_command_takes_the_same(tmp_path: Path) -> None:
    path = tmp_path / "x.svg"
    words = [*RUN, "-o", str(path), "--trail", "batch=1:64:x4", "--at", "bound"]
    assert CliRunner().invoke(app, words).exception is None
    assert path.exists()


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--trail", "batch=8"), "a path needs two at least"),
        (("--trail", "batch"), "--trail is a size and its values"),
        (("--trail", "batch=8:1"), "runs backward"),
        (("--op", "down_proj"), "--op says whose path --trail follows"),
        (("--kind", "memory", "--at", "bound"), "--at goes with --kind roofline"),
        (("--measured", "none.csv"), "no such file"),
    ],
)
def test_the_command_says_what_is_wrong(tmp_path: Path, more: tuple[str, ...], told: str) -> None:
    assert told in refusal(*RUN, "-o", str(tmp_path / "x.svg"), *more)
    assert not list(tmp_path.iterdir())


def test_an_unknown_ending_is_refused_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("roofline.api.estimate.estimate", lambda *a, **k: pytest.fail("asked"))
    assert "must end in one of" in refusal(*RUN, "-o", "x.gif")


def test_a_resolution_is_written_as_height_and_width() -> None:
    assert resolution(4096) == "64×64"
    assert resolution(96 * 48, 2.0) == "96×48"
    assert resolution(4097) == "4,097 px"
