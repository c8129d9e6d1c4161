"""What answers are in Python: frames, times by name, summaries, derivations by name, hints for unknown names."""

from __future__ import annotations

import copy
import pickle
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import roofline as rl
from roofline.answer.names import meant

EST = rl.estimate("mistral-7b", "a100", batch=8, engine="vllm")
PICTURE = rl.estimate("sdxl", "a100")
TRAIN = rl.train("llama-2-7b", gpu="a100", gpus=64)
COMPARED = rl.compare("mistral-7b", gpu=["a100", "h100"])
PLANS = rl.recommend("mistral-7b", ["l4", "h100"], users=50, tokens_per_s=30)
GRID = rl.sweep("mistral-7b", gpu=["a100", "h100"], batch=[1, 8, 64], prompt=[128, 512], engine="vllm")

FRAMES: dict[str, tuple[Any, int]] = {
    "estimate": (EST, len(EST.phases)),
    "phases": (EST.phases, len(EST.phases)),
    "ops": (EST.ops("decode"), len(EST.ops("decode"))),
    "records": (EST.records(), len(EST.phases)),
    "derivations": (EST.explain(), len(EST.explain())),
    "sweep": (GRID, len(GRID)),
    "points": (GRID.top(3, "ttft_s"), 3),
    "comparison": (COMPARED, 2),
    "recommendation": (PLANS, len(PLANS.plans)),
    "plans": (PLANS.plans, len(PLANS.plans)),
    "train": (TRAIN, len(TRAIN.records())),
    "training phases": (TRAIN.phases, len(TRAIN.phases)),
    "fit": (rl.fit("mistral-7b", "a100"), len(list(rl.fit("mistral-7b", "a100").records()))),
    "cost": (rl.cost("mistral-7b", "h100"), len(list(rl.cost("mistral-7b", "h100").records()))),
    "flops": (rl.flops("llama-3-8b"), len(rl.flops("llama-3-8b").counts)),
    "gpus": (rl.list_gpus(), len(rl.list_gpus())),
}


@pytest.mark.parametrize("name", FRAMES)
def test_rows_become_frames_of_either_library(name: str) -> None:
    rows, count = FRAMES[name]
    pandas, polars = rows.to_pandas(), rows.to_polars()
    assert len(pandas) == polars.height == count
    assert list(pandas.columns) == polars.columns
    for column in pandas.columns:
        if pandas[column].dtype.kind == "f":
            theirs = polars[column].cast(float).to_numpy()
            np.testing.assert_array_equal(pandas[column].to_numpy(), theirs)


def test_frames_of_several_answers_have_the_same_types() -> None:
    answers = [rl.estimate("mistral-7b", "a100", batch=batch, prompt=prompt) for batch, prompt in ((1, 512), (7, 1000))]
    for one, other in (
        [answer.to_polars().schema for answer in answers],
        [answer.ops("decode").to_polars().schema for answer in answers],
        [answer.phases.to_polars().schema for answer in answers],
    ):
        assert one == other


@pytest.mark.parametrize(("library", "extra"), [("pandas", "data"), ("polars", "polars")])
@pytest.mark.parametrize("rows", [EST.phases, GRID])
def test_a_library_that_is_missing_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, rows: Any, library: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(rl.UsageError, match=rf"{library} is not installed: pip install 'roofline\[{extra}\]'"):
        getattr(rows, f"to_{library}")()


def test_rows_are_still_lists_and_tuples() -> None:
    assert isinstance(EST.ops(), list) and isinstance(EST.records(), list) and isinstance(EST.phases, tuple)
    assert EST.phases["decode"] is EST.phase("decode") is EST.phases[1]
    assert EST.phases[:1] == (EST.phases[0],)
    assert [op.name for op in EST.ops("decode")] == [row["name"] for row in EST.ops("decode").records()]


def test_answers_with_such_rows_are_values() -> None:
    for twin in (pickle.loads(pickle.dumps(EST)), copy.deepcopy(EST), copy.copy(EST)):
        assert twin == EST and twin.phases["decode"] == EST.phases["decode"]
    assert pickle.loads(pickle.dumps(GRID)).best("ttft_s") == GRID.best("ttft_s")
    assert pickle.loads(pickle.dumps(rl.list_models())).to_pandas().shape == rl.list_models().to_pandas().shape


def test_times_are_where_one_looks_for_them() -> None:
    assert (EST.ttft, EST.tpot, EST.total) == (EST.latency.ttft, EST.latency.tpot, EST.latency.total)
    assert (PICTURE.step, PICTURE.total) == (PICTURE.latency.step, PICTURE.latency.total)
    assert EST.fits is True and rl.estimate("llama-3-70b", "a100").fits is False and TRAIN.fits is True
    many = rl.estimate("mistral-7b", "a100", batch=np.array([1.0, 8.0]))
    assert many.ttft.expected.shape == many.fits.shape == (2,)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            lambda: PICTURE.tpot,
            "is an image model: this run has no tpot .*output token.*; it has step and total",
        ),
        (lambda: EST.step, "is a language model: this run has no step .*; it has ttft, tpot and total"),
        (lambda: EST.tbt, "no attribute 'tbt'; did you mean 'tpot'"),
        (lambda: EST.sumary, "did you mean 'summary'"),
        (lambda: EST.kv_cache_bytes, "it is memory.kv_cache_bytes"),
        (lambda: EST.output_tokens_per_s, "it is throughput.output_tokens_per_s"),
        (lambda: EST.decode, r"it is phases\['decode'\]"),
        (lambda: EST.latency.tbt, "no latency 'tbt'; did you mean 'tpot'"),
        (lambda: EST.latency["ttft"], "did you mean 'ttft_s'"),
        (lambda: EST.throughput.output_token, "did you mean 'output_tokens'"),
        (lambda: EST.memory.wieghts, "no part of memory 'wieghts'; did you mean 'weights_bytes'"),
        (lambda: EST.phase("decod"), "no phase 'decod'; did you mean 'decode'"),
        (lambda: EST.phases["prefil"], "did you mean 'prefill'"),
        (lambda: EST.ops("Decode"), "did you mean 'decode'"),
        (lambda: EST.records()[0]["ttft"], "no column 'ttft'; did you mean 'ttft_s'"),
        (lambda: EST.inputs["batchsize"], "did you mean 'batch'"),
        (lambda: EST.explain("tbt"), "no derivation 'tbt'; did you mean 'tpot'"),
        (lambda: EST.explain("zzz"), "no derivation 'zzz'; there are: "),
        (lambda: GRID["ttft"], "no column 'ttft'; did you mean 'ttft_s'"),
        (lambda: GRID[0, 0, 0]["ttft"], "did you mean 'ttft_s'"),
        (lambda: GRID.where("ttft < 1"), "did you mean 'ttft_s'"),
        (lambda: GRID.best("ttft"), "did you mean 'ttft_s'"),
        (lambda: GRID.plot("batch", "ttft"), "did you mean 'ttft_s'"),
        (lambda: GRID.plot("batch", "ttft_s", by="gpuu"), "did you mean 'gpu'"),
        (lambda: COMPARED.winners["tpot"], "did you mean 'tpot_s'"),
        (lambda: COMPARED.ratio(0, 1, "tpot"), "did you mean 'tpot_s'"),
        (lambda: next(iter(COMPARED.records()))["tpot"], "did you mean 'tpot_s'"),
        (lambda: COMPARED.winer, "did you mean 'winners'"),
        (lambda: TRAIN.phases["backwards"], "did you mean 'backward'"),
        (lambda: TRAIN.records()[0]["mfuu"], "did you mean 'mfu"),
        (lambda: rl.flops("llama-3-8b").count("plam"), "did you mean 'palm'"),
    ],
)
def test_a_name_that_is_not_there_is_answered_with_the_one_that_is_meant(asked: Callable[[], Any], said: str) -> None:
    with pytest.raises(rl.UsageError, match=said) as raised:
        asked()
    assert "\n" not in str(raised.value)


def test_attributes_that_are_not_there_are_what_python_expects() -> None:
    assert not hasattr(EST, "nothing") and getattr(PICTURE, "tpot", None) is None
    with pytest.raises(KeyError):
        EST.latency["nothing"]
    with pytest.raises(AttributeError):
        _ = EST._private


@pytest.mark.parametrize(
    ("said", "name"),
    [
        *(("ttft", "ttft_s"), ("TTFT", "ttft_s"), ("tbt_s", "tpot_s"), ("throughput", "output_tokens_per_s")),
        *(("weights", "weights_bytes"), ("kv", "kv_cache_bytes"), ("totl_s", "total_s"), ("qqq", "")),
    ],
)
def test_what_others_call_a_quantity_is_understood(said: str, name: str) -> None:
    known = ["ttft_s", "tpot_s", "total_s", "output_tokens_per_s", "weights_bytes", "kv_cache_bytes"]
    assert meant(said, known) == name


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("tpot", ["latency.tpot_s", "latency.tpot_expected_s"]),
        ("tpot_s", ["latency.tpot_s", "latency.tpot_expected_s"]),
        (" TPOT ", ["latency.tpot_s", "latency.tpot_expected_s"]),
        ("tpot_expected_s", ["latency.tpot_expected_s"]),
        ("total", ["latency.total_s", "latency.total_expected_s"]),
        ("total_bytes", ["memory.total_bytes"]),
        ("weights", ["memory.weights_bytes"]),
        ("service.ttft_s", ["service.ttft_s"]),
        ("decode.bound", ["decode.bound_s"]),
    ],
)
def test_a_number_is_explained_by_its_name(asked: str, found: list[str]) -> None:
    assert [each.quantity for each in EST.explain(asked)] == found


def test_a_phase_and_a_group_are_explained_whole() -> None:
    everything = EST.explain()
    for group in ("decode", "memory", "latency"):
        assert EST.explain(group) == [each for each in everything if each.quantity.startswith(f"{group}.")]
    assert [each.quantity for each in TRAIN.explain("mfu")] == ["mfu"]
    assert "decode.bound_s" in str(EST.explain("tpot")) and "\n" not in repr(everything)


def test_a_summary_is_a_verdict_and_a_few_figures() -> None:
    for answer in (EST, PICTURE, TRAIN, COMPARED):
        summary = answer.summary()
        told = summary.to_dict()
        assert told["verdict"] == str(answer.verdict) and 4 <= len(told) <= 7
        assert " ".join(summary.split()).startswith(" ".join(str(answer.verdict).split()))
        assert max(map(len, summary.splitlines())) <= 120
    told = EST.summary().to_dict()
    assert told["ttft_s"] == EST.ttft.expected and told["total_bytes"] == EST.memory.total_bytes
    assert str(rl.fit("mistral-7b", "a100").summary())


def test_the_best_point_is_one_that_fits() -> None:
    grid = rl.sweep("mistral-7b", "l4", batch=[1, 8, 4096])
    best = grid.best("output_tokens_per_s")
    assert best["fits"] and best["batch"] == 8
    assert grid.best("output_tokens_per_s", "fits or batch > 1")["batch"] == 4096
    assert grid.best("ttft_s", "batch > 1")["batch"] == 8
    assert grid.best("-batch")["batch"] == 1 and grid.best("+batch")["batch"] == 8
    for wrong, said in (("batch", "say which is better"), ("gpu", "is a text"), ("model", "is a text")):
        with pytest.raises(rl.UsageError, match=said):
            grid.best(wrong)
    with pytest.raises(rl.UsageError, match="none of 3 points"):
        grid.best("ttft_s", "batch > 1e9")


def test_options_of_a_sweep_are_columns_too() -> None:
    assert GRID["batch"].shape == GRID["ttft_s"].shape == GRID.shape
    assert list(GRID["gpu"][:, 0, 0]) == ["a100", "h100"] and GRID[0, 1, 0]["batch"] == 8
