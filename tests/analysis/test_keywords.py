"""Options as keywords: their names, one value each, and what helps a person who mistypes one."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import roofline as rl
from roofline import keywords
from roofline.cli.commands.answers import estimate as command
from roofline.cli.keywords import source
from roofline.keywords import Grid, Options
from roofline.runs.names import SAME
from roofline.runs.options import KEYWORDS
from roofline.runs.registry import kinds


def test_keywords_are_the_options_of_the_command_line() -> None:
    others = ("model", "gpu", "debug", "json", "csv", "must_fit")
    shown = inspect.signature(command).parameters
    shared = {name: parameter.default for name, parameter in shown.items() if name not in others}
    assert set(Options.__annotations__) == set(Grid.__annotations__) == set(shared)
    assert {name: option.default for name, option in KEYWORDS.items()} == shared
    assert set(SAME.values()) <= set(shared)
    assert not set(SAME) & set(shared)


def test_the_keywords_are_written_from_the_declaration() -> None:
    """`python -m roofline.cli.keywords` writes them."""
    text = Path(keywords.__file__).read_text(encoding="utf-8")
    assert source(text) == text


def test_options_are_taken_by_kinds_of_run_that_there_are() -> None:
    names = {kind.name for kind in kinds()}
    assert {name for option in KEYWORDS.values() for name in option.kinds} == names
    measured = {size for kind in kinds() for size in kind.sizes}
    # no run with pictures or sound in its prompts was measured; users of a measured run are its batch
    beside_text = {"images", "frames", "seconds", "users"}
    assert measured | beside_text == {option.name for option in KEYWORDS.values() if option.size}


@pytest.mark.parametrize("function", [rl.estimate, rl.sweep])
def test_help_shows_every_keyword(function: Any) -> None:
    signature = inspect.signature(function)
    own = ["executor"] if "executor" in signature.parameters else []
    assert list(signature.parameters) == ["model", "gpu", *Options.__annotations__, *own]
    signature.bind("mistral-7b", gpu="a100", batch=8)
    words = function.__doc__.replace(",", " ").split()
    assert [name for name in Options.__annotations__ if name not in words] == []


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("step", "steps"),
        ("cfg", "guidance"),
        ("batchsize", "batch"),
        ("kv_cach", "kv_cache"),
        ("max_new_tokens", "generate"),
    ],
)
@pytest.mark.parametrize("function", [rl.estimate, rl.sweep])
def test_an_unknown_keyword_names_the_one_meant(function: Any, wrong: str, meant: str) -> None:
    for model in ("mistral-7b", "sd15"):
        with pytest.raises(rl.UsageError, match=f"^unknown option {wrong}; did you mean {meant}\\?$"):
            function(model, gpu="a100", **{wrong: 2})


def test_an_unknown_keyword_like_no_other_lists_all() -> None:
    with pytest.raises(rl.UsageError, match=r"^unknown option zzzz; there are: batch, users, prompt, "):
        rl.estimate("mistral-7b", gpu="a100", zzzz=1)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    "given",
    [
        {"batch": [1, 2]},
        {"prompt": range(3)},
        {"steps": (20, 30)},
        {"gpu": ["a100", "h100"]},
        {"height": [512]},
        {"weights": ["fp8", "bf16"]},
        {"tp": np.array([1, 2])},
        {"model": ["a", "b"]},
    ],
)
def test_several_values_are_for_a_sweep(given: dict[str, Any]) -> None:
    name = next(iter(given))
    with pytest.raises(rl.UsageError, match=f"^{name} takes one value here, .*; roofline.sweep takes several$"):
        rl.estimate(**({"model": "mistral-7b", "gpu": "a100"} | given))


def test_numbers_of_numpy_are_single_values() -> None:
    est = rl.estimate("mistral-7b", gpu="a100", batch=np.int64(8), prompt=np.float64(512))  # type: ignore[typeddict-item]
    assert est.latency.total == rl.estimate("mistral-7b", gpu="a100", batch=8).latency.total


def test_a_spec_is_one_value_of_a_sweep() -> None:
    spec, gpu = rl.load_model("mistral-7b"), rl.load_gpu("a100")
    grid = rl.sweep(spec, gpu=[gpu, rl.load_gpu("h100")], batch=[1, 2])
    assert grid.shape == (2, 2)
    one = rl.estimate(spec, gpu=gpu, batch=2).latency.total.expected
    assert grid[0, 1]["total_s"] == pytest.approx(one, rel=1e-12)


def test_an_answer_over_a_grid_says_so() -> None:
    est = rl.estimate("mistral-7b", gpu="a100", batch=np.asarray([1, 2, 8]))
    assert est.latency.tpot.expected.shape == (3,)
    said = "a grid of sizes; roofline.sweep has its points one by one"
    assert str(est) == f"Mistral 7B v0.1 on NVIDIA A100 SXM4 80GB: {said}"
    assert est._repr_html_() is None
    with pytest.raises(rl.UsageError, match="--batch has no values"):
        rl.estimate("mistral-7b", gpu="a100", batch=np.asarray([]))
