"""A sweep draws any two of its columns."""

from __future__ import annotations

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

import roofline as rl


def texts(figure: object) -> set[str]:
    assert isinstance(figure, Figure)
    return {text.get_text() for text in figure.findobj(Text)}


GRID = rl.sweep("mistral-7b", gpu=["a100", "h100"], batch=[1, 8, 64], prompt=[128, 512], engine="vllm")


def test_each_setting_that_varies_names_a_line() -> None:
    figure = GRID.plot("batch", "output_tokens_per_s")
    assert {"a100, prompt 128", "a100, prompt 512", "h100, prompt 128", "h100, prompt 512"} <= texts(figure)


def test_one_line_for_each_value_of_a_column() -> None:
    figure = GRID.where("prompt == 128").plot("batch", "tpot_s", by="gpu")
    assert {"a100", "h100"} <= texts(figure)


def test_a_column_that_is_left_out_must_not_vary() -> None:
    with pytest.raises(rl.UsageError, match="rows differ in prompt too: name that in `by`"):
        GRID.plot("batch", "tpot_s", by="gpu")


def test_one_result_is_drawn_over_another_along_the_batch() -> None:
    figure = GRID.plot("ttft_s", "output_tokens_per_s")
    assert any("Along each curve the batch grows from 1 to 64" in text for text in texts(figure))


def test_without_a_batch_a_curve_runs_along_what_varies() -> None:
    grid = rl.sweep("mistral-7b", "a100", users=[1, 4, 16], engine="vllm")
    figure = grid.plot("served_ttft_s", "served_output_tokens_per_s")
    assert any("Along each curve the number of users grows from 1 to 16" in text for text in texts(figure))
    assert "Output tokens per second by time to first token, steady load" in texts(figure)
    assert isinstance(grid.plot("users", "served_tpot_s"), Figure)


def test_axes_of_ones_own_are_drawn_into_and_given_back() -> None:
    axes = Figure().add_subplot()
    assert GRID.plot("batch", "ttft_s", ax=axes) is axes
    legend = axes.get_legend()
    assert legend is not None and len(legend.get_texts()) == 4
    assert axes.get_title() == "Time to first token by batch"


def test_a_theme_is_light_or_dark() -> None:
    dark = GRID.plot(theme="dark")
    assert isinstance(dark, Figure) and dark.get_facecolor() != (1.0, 1.0, 1.0, 1.0)
    with pytest.raises(rl.UsageError, match="light, dark"):
        GRID.plot(theme="purple")


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (("gpu", "ttft_s"), "gpu is a text, which `by` can name curves after"),
        (("batch", "gpu"), "gpu is a text"),
        (("batch", "ttft"), "did you mean 'ttft_s'"),
    ],
)
def test_what_cannot_be_drawn_is_told(columns: tuple[str, str], said: str) -> None:
    with pytest.raises(rl.UsageError, match=said):
        GRID.plot(*columns)


def test_very_many_points_are_no_picture() -> None:
    grid = rl.sweep("mistral-7b", "a100", batch=range(1, 400), prompt=range(1, 400))
    with pytest.raises(rl.UsageError, match="too many for a picture"):
        grid.plot("batch", "ttft_s")


def test_a_sweep_reads_as_a_sentence() -> None:
    assert str(GRID).startswith("12 points: 2 gpu × 3 batch × 2 prompt; model mistral-7b, engine vllm. Most output")
    assert repr(GRID.top(2, "ttft_s")).startswith("2 points by ")
    assert "\n" not in repr(GRID)
    assert str(GRID.where("ttft_s < 0")) == "0 points by nothing."


def test_a_theme_goes_with_a_figure_of_its_own() -> None:
    with pytest.raises(rl.UsageError, match="axes that are given keep theirs"):
        GRID.plot("batch", "tpot_s", by=["gpu", "prompt"], ax=Figure().subplots(), theme="dark")
