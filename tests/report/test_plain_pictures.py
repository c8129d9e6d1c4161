"""A picture says what a reader would otherwise get wrong: marks, shared points, the rest that is left out, warnings."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from matplotlib.figure import Figure
from matplotlib.legend import Legend

import roofline as rl
from roofline.analysis.levels import levels
from roofline.report.plots.charts.time import time_figure
from roofline.report.plots.hover import hover_texts
from roofline.report.plots.roofline import Shown, roofline_figure
from tests.report.figures import texts

pytestmark = pytest.mark.usefixtures("own_settings")


def note(figure: Figure) -> str:
    return texts(figure, "note")[0].get_text().replace("\n", " ")


def test_phases_of_all_runs_have_a_mark_of_their_own() -> None:
    figure = roofline_figure([rl.estimate(model, gpu="a100") for model in ("mistral-7b", "sdxl")])
    phases = ("prefill", "decode", "denoise", "vae_decode")
    marks = {
        text.get_text(): handle.get_marker()
        for legend in figure.axes[0].findobj(Legend)
        for handle, text in zip(legend.legend_handles, legend.get_texts(), strict=True)
        if text.get_text() in phases
    }
    assert set(marks) == set(phases)
    assert set(Counter(marks.values()).values()) == {1}


def test_what_is_left_out_is_the_rest_where_some_of_it_is_shown() -> None:
    said = note(roofline_figure([rl.estimate("gpt2", gpu="t4")]))
    assert "look-ups; the rest of " in said
    assert {"norms", "element-wise ops"} <= set(said.partition("the rest of ")[2].rstrip(".").split(", "))


def test_values_of_a_path_that_share_a_point_are_named_together_with_the_reason() -> None:
    est = rl.estimate("mistral-7b", gpu="a100")
    figure = roofline_figure([est], shown=Shown(trail={"batch": [2**power for power in range(9)]}))
    assert "16 to 256" in [text.get_text() for text in texts(figure, "op")]
    assert f"prompts go through the layers {est.inputs['chunk']:,.0f} tokens at a time" in note(figure)
    apart = roofline_figure([est], shown=Shown(trail={"batch": [1, 4, 16]}))
    assert "share a point" not in note(apart)


def test_a_dot_within_one_of_another_phase_is_named_with_its_own() -> None:
    said = [text.get_text() for text in texts(roofline_figure([rl.estimate("gpt2", gpu="t4")]), "op")]
    assert "head, prefill" in said


@pytest.mark.parametrize("kind", ["roofline", "time", "memory", "levels", "latency"])
def test_a_context_beyond_the_models_is_told_in_the_note(kind: str) -> None:
    est = rl.estimate("llama-3-8b", gpu="a100", prompt=10_000)
    told = next(warn.text for warn in est.warnings if warn.code == "context-exceeds-maximum")
    figure = est.plot(kind, batches=[1, 2]) if kind == "latency" else est.plot(kind)
    assert f"Beware: {told}" in note(figure)


def test_colours_of_blocks_of_causes_and_of_phases_are_others_and_stay_in_one_order() -> None:
    figure = time_figure(*(rl.estimate("mistral-7b", gpu=gpu, batch=8) for gpu in ("a100", "h100")))
    rows: dict[float, list[str]] = {}
    colours: dict[str, set[tuple[float, ...]]] = {}
    for bar in figure.axes[0].patches:
        name = hover_texts(bar)[0].partition("\n")[0]
        rows.setdefault(round(bar.get_y(), 3), []).append(name)
        colours.setdefault(name, set()).add(tuple(bar.get_facecolor()))
    assert all(len(each) == 1 for each in colours.values()), "a name has one colour"
    assert len({next(iter(each)) for each in colours.values()}) == len(colours), "a colour has one name"
    order = {pair for names in rows.values() for pair in pairwise(names)}
    assert not any((after, before) in order for before, after in order)


def test_levels_are_explained_and_what_is_no_run_does_not_win() -> None:
    figure = rl.estimate("sdxl", gpu="4090").plot("levels")
    words = [text.get_text() for text in texts(figure, "key")]
    rows = levels("sdxl", "4090")
    assert words[::2] == [row["level"] for row in rows]
    assert all(len(text) > 20 for text in words[1::2])
    bold = {text.get_text() for text in texts(figure, "value") if text.get_weight() == "bold"}
    least = min(row["kernels"] for row in rows if row["level"] != "operands")
    assert f"{least:,.0f}" in bold and f"{rows[-1]['kernels']:,.0f}" not in bold


def test_curves_name_models_by_their_titles_and_no_size_that_is_nothing() -> None:
    figure = rl.estimate("mistral-7b", gpu="a100").plot("latency", batches=[1, 8])
    said = texts(figure, "conditions")[0].get_text()
    assert said.startswith("Mistral 7B v0.1 · A100 SXM4 80GB · ")
    assert " 0 " not in said


def test_bars_name_what_they_share_by_titles() -> None:
    said = texts(rl.compare("mistral-7b", gpu=["a100", "h100"]).plot(), "conditions")[0].get_text()
    assert "Mistral 7B v0.1" in said and "KV-cache" in said
