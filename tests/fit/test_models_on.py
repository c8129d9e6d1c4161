"""`roofline fit --gpu NAME` without a model: what it lists is what `roofline fit` says of each model."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from typer.testing import CliRunner

import roofline as rl
from roofline.analysis.evaluate import memory_of
from roofline.analysis.fit.shelf import GROUPS
from roofline.analysis.fit.ways import ELSEWHERE, MISSES, WHOLE
from roofline.cli.app import app
from roofline.errors import UsageError
from roofline.runs.ask import ask
from roofline.specs.files.library import bundled

#: Seconds of processor time for all models; a few on one core of 2024.
_MOST_SECONDS = 20.0


@cache
def everything() -> tuple[rl.FittingModels, float]:
    start = process_time()
    found = rl.fit(gpu="3060")
    return found, process_time() - start


def samples() -> Iterator[Any]:
    """Of each group and way the first and the last."""
    models = everything()[0].models
    for key in dict.fromkeys((model.group, model.way) for model in models):
        alike = [model for model in models if (model.group, model.way) == key]
        yield from {id(each): each for each in (alike[0], alike[-1])}.values()


@cache
def alone(model: str) -> rl.Fit:
    return rl.fit(model, gpu="3060")


def run(*arguments: str, code: int = 0, columns: int = 100) -> str:
    result = CliRunner(env={"COLUMNS": str(columns), "TERM": "dumb"}).invoke(app, ["fit", *arguments])
    assert result.exit_code == code, (result.output, result.exception)
    return result.stdout


def test_all_models_are_looked_at_in_a_few_seconds() -> None:
    found, seconds = everything()
    assert seconds < _MOST_SECONDS
    assert len(found.models) > 400
    assert sum(found.ways.values()) == len(found.models)


def test_what_is_listed_is_what_fit_says_of_the_model_with_the_options_of_its_row() -> None:
    for model in samples():
        assert model.trial is not None
        asked = ask(model.model.name, "3060", model.trial.options)
        memory = memory_of(asked, {})
        assert memory.fits == model.fits == (model.way != MISSES), model.model.name
        assert float(memory.total_bytes) == model.trial.held()["total_bytes"]


def test_what_is_not_whole_in_memory_is_not_so_as_released() -> None:
    for model in samples():
        assert alone(model.model.name).fits == (model.way == WHOLE[0]), model.model.name


def test_the_format_is_the_widest_that_fits() -> None:
    for model in samples():
        if model.way == WHOLE[2]:
            widest = alone(model.model.name).remedies.widest
            assert widest is not None
            assert widest.options == model.trial.options


def test_a_part_goes_elsewhere_only_where_no_format_fits_and_no_more_than_must() -> None:
    moe = next(
        m for m in everything()[0].models if m.way == ELSEWHERE and "experts=" in str(m.trial and m.trial.options)
    )
    assert rl.fit(moe.model.name, gpu="3060").remedies.widest is None
    assert moe.trial is not None
    share, layers = (int(n) for n in moe.trial.options["offload"].partition("=")[2].removesuffix("@cpu").split("/"))
    less = {**moe.trial.options, "offload": f"experts={share - 1}/{layers}@cpu"}
    assert not rl.fit(moe.model.name, gpu="3060", **less).fits


def test_the_largest_context_that_is_listed_fits_and_one_token_more_does_not() -> None:
    tried = 0
    for model in samples():
        most = model.limits["max_context"]
        if most is not None and model.group == "text" and model.model.max_context and most < 10**6:
            options = {**model.trial.options, "generate": 128}
            assert rl.estimate(model.model.name, gpu="3060", prompt=most - 128, **options).memory.fits
            assert not rl.estimate(model.model.name, gpu="3060", prompt=most - 127, **options).memory.fits
            tried += 1
    assert tried


def test_the_pace_is_that_of_the_estimate() -> None:
    for model in samples():
        if model.fits:
            est = rl.estimate(model.model.name, gpu="3060", **model.trial.options)
            tpot, total = est.latency.tpot, est.latency.total
            expected = (
                1 / tpot.expected if tpot is not None else est.throughput.tokens and est.throughput.tokens.expected
            )
            assert model.pace.times.expected == pytest.approx(total.expected if model.group == "image" else expected)


def test_models_come_by_group_then_whole_ones_then_others_each_from_the_largest() -> None:
    models = everything()[0].models
    assert [m.order for m in models] == sorted(m.order for m in models)
    assert [g for g in GROUPS if g in {m.group for m in models}] == list(dict.fromkeys(m.group for m in models))
    whole = [m.parameters for m in models if m.group == "text" and m.way in WHOLE]
    assert whole == sorted(whole, reverse=True)


def test_the_verdict_counts_every_model_and_names_the_largest() -> None:
    found = everything()[0]
    assert found.verdict.startswith(
        f"Of {len(found.models)} models one GeForce RTX 3060 12GB runs {found.ways[WHOLE[0]]} "
    )
    largest = next(m for m in found.models if m.group == "text" and m.way in WHOLE)
    assert largest.model.title in found.verdict


def test_json_csv_and_exit_code() -> None:
    d = json.loads(run("--gpu", "3060", "--match", "gpt-oss", "--json"))
    assert next(iter(d)) == "verdict"
    assert {"inputs", "fits", "counts", "models", "machines", "assumptions", "warnings", "sources"} <= set(d)
    assert d["counts"]["models"] == len(d["models"]) == 2
    assert [m["model"] for m in d["models"]] == ["gpt-oss-120b", "gpt-oss-20b"]
    assert d["machines"][0]["gpu"] == "rtx-3060-12gb"
    rows = list(csv.DictReader(io.StringIO(run("--gpu", "3060", "--match", "gpt-oss", "--csv"))))
    assert [row["model"] for row in rows] == ["gpt-oss-120b", "gpt-oss-20b"]
    assert float(rows[0]["pace_expected"]) == d["models"][0]["pace"]["expected"]
    none = json.loads(run("--gpu", "rtx-a2000-6gb", "--match", "kimi-k2", "--engine", "vllm", "--json", code=1))
    assert not none["fits"]
    assert none["models"][0]["missing_bytes"] > 0


def test_the_options_of_a_row_are_those_of_the_command_line() -> None:
    row = next(csv.DictReader(io.StringIO(run("--gpu", "3060", "--match", "gpt-oss-20b", "--csv"))))
    assert row["options"].startswith("--")
    run("--gpu", "3060", "--model", row["model"], *row["options"].split(), "--json")


def test_some_are_shown_at_first_and_all_on_demand() -> None:
    some = run("--gpu", "a100", "--match", "qwen")
    every = run("--gpu", "a100", "--match", "qwen", "--all")
    assert "--all shows the rest" in some
    assert len(every.splitlines()) > len(some.splitlines())
    names = [m.model.name for m in rl.fit(gpu="a100", match="qwen").models]
    assert all(name in every for name in names)


def test_formats_are_those_that_the_engine_reads() -> None:
    found = rl.fit(gpu="3060", match="llama-3.1-8b", engine="llama.cpp")
    assert found.models[0].trial is not None
    assert found.models[0].trial.question.precision.weights.name == "q8_0"


def test_options_of_a_run_apply_and_what_a_kind_does_not_take_is_told() -> None:
    few, many = (rl.fit(gpu="3060", match="llama-3.1-8b", batch=batch).models[0] for batch in (1, 64))
    assert few.trial is not None
    assert many.trial is not None
    assert many.trial.question.run.batch == 64
    found = rl.fit(gpu="3060", match="s", prompt=700, kind=None)
    assert "--prompt says nothing of image models: they are asked without it" in found.assumptions
    assert any(warn.code == "context-exceeds-maximum" for warn in found.warnings)


def test_what_is_asked_to_stay_with_the_host_is_not_said_to_be_whole_in_memory() -> None:
    found = rl.fit(gpu="3060", kind="image", match="sdxl", offload="model")
    assert set(found.ways) == {ELSEWHERE}
    assert "Whole in memory" not in found.verdict


def test_several_gpus_and_another_size_of_memory() -> None:
    alone, two = (rl.fit(gpu="3060", match="mistral-7b-v0.1", gpus=gpus) for gpus in (1, 2))
    assert alone.models[0].way == "narrower format"
    assert two.models[0].way == "as released"
    large = rl.fit(gpu="m4-max", match="llama-3.1-70b", memory="128GB")
    assert large.models[0].fits


def test_a_model_that_refuses_is_listed_with_its_reason() -> None:
    found = rl.fit(gpu="3060", match="gpt2", gpus=8)
    refused = [m for m in found.models if m.way == "refused"]
    assert refused
    assert all("heads" in m.refusal for m in refused)
    assert f"{len(refused)} cannot be run as asked" in found.verdict
    assert refused[0].refusal in " ".join(
        run("--gpu", "3060", "--match", "gpt2", "--gpus", "8", "--all", columns=400).split()
    )


def test_a_file_that_cannot_be_read_is_listed_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("family: transformer\nname: broken\nhidden: many\n", encoding="utf-8")
    (tmp_path / "brown.yaml").write_text((bundled("models") / "gpt2.yaml").read_text(), encoding="utf-8")
    found = rl.fit(gpu="3060", match="bro", kind="text", spec_dir=str(tmp_path))
    broken = next(m for m in found.models if m.model.name == "broken")
    assert broken.way == "refused"
    assert "broken.yaml:" in broken.refusal


def test_it_shows_itself() -> None:
    found = rl.fit(gpu="3060", match="gpt-oss")
    assert str(found) == found.verdict
    assert "gpt-oss-20b" in found._repr_html_()
    assert [row["model"] for row in found.records()] == ["gpt-oss-120b", "gpt-oss-20b"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "no model and no GPU given"),
        ({"gpu": "any"}, "goes with --model"),
        ({"gpu": "3060", "draft": "mtp"}, "--draft goes with one model"),
        ({"gpu": "3060", "draft_tokens": 2}, "--draft-tokens goes with one model"),
        ({"gpu": "3060", "kind": "txt"}, "--kind must be one of"),
        ({"gpu": "3060", "kind": "image", "prompt": 4}, "--prompt goes with language models"),
        ({"gpu": "3060", "kind": "text", "height": 512}, "--height goes with image models"),
        ({"gpu": "3060", "match": "zzqq"}, "no model has that in its name"),
        ({"gpu": "3060", "match": "sdxl", "kind": "encoder"}, "no model of that kind"),
        ({"gpu": "3060", "match": "gpt2", "batch": 0}, "--batch must be a whole number"),
        ({"gpu": "3060", "match": "gpt2", "weights": "fp9"}, "no precision named 'fp9'"),
        ({"gpu": "3060", "match": "gpt2", "batch": [1, 2]}, "takes one value here"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        rl.fit(**options)
    assert words in str(caught.value)


@pytest.mark.parametrize("flag", [["--kind", "text"], ["--match", "a"], ["--all"]])
def test_what_chooses_among_models_is_refused_beside_one(flag: list[str]) -> None:
    result = CliRunner().invoke(app, ["fit", "-m", "gpt2", "-g", "3060", *flag])
    assert f"{flag[0]} chooses among all models" in str(result.exception)
