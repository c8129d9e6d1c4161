"""`roofline train`: exit codes, JSON, CSV, refusals with what to do, notes of what has no effect."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import roofline as rl
from roofline.cli.app import app

SMALL = ("--model", "gpt2", "--gpu", "a100", "--sequence", "512")
LARGE = ("--model", "llama-2-7b", "--gpu", "a100", "--sequence", "1024")


def run(*arguments: str, columns: int = 80) -> Any:
    return CliRunner(env={"COLUMNS": str(columns), "TERM": "dumb"}).invoke(app, ["train", *arguments])


def refusal(*arguments: str) -> str:
    result = run(*arguments)
    assert isinstance(result.exception, rl.RooflineError), result.output
    return str(result.exception)


def told(*arguments: str) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code in (0, 1), result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_the_sentence_comes_first_and_the_exit_code_says_whether_it_fits() -> None:
    fits = run(*SMALL)
    assert fits.exit_code == 0
    assert fits.stdout.startswith("GPT-2")
    assert "MFU" in fits.stdout.partition("\n\n")[0]
    misses = run("--model", "llama-2-70b", "--gpu", "rtx-4090", "--engine", "ideal")
    assert misses.exit_code == 1
    assert "too much" in misses.stdout.partition("\n\n")[0]


def test_json_has_what_the_contract_names() -> None:
    found = told(*LARGE, "--gpus", "8", "--zero", "3", "--global-batch", "64", "--tokens", "2e12")
    for name in ("verdict", "inputs", "parameters", "flops", "memory", "phases", "step", "bubble_s", "mfu", "hfu"):
        assert name in found
    assert {"total", "trainable", "active"} <= set(found["parameters"])
    assert set(found["step"]) == {"floor", "bound", "expected", "low", "high"}
    assert found["run"]["gpu_hours"]["expected"] == pytest.approx(found["run"]["seconds"]["expected"] * 8 / 3600)
    assert found["run"]["steps"] * 64 * 1024 == pytest.approx(2e12)
    rate = found["throughput"]["tokens_per_s"]["expected"]
    assert found["throughput"]["tokens_per_s_per_gpu"]["expected"] == pytest.approx(rate / 8)
    assert {"ledger_full", "ledger_causal", "six_n", "palm", "megatron"} <= set(found["flops"]["per_token"])
    memory = found["memory"]
    parts = ("weights", "gradients", "master", "optimizer", "activations", "gathered", "loss", "buffers", "runtime")
    assert set(parts) | {"total", "capacity", "fits"} <= set(memory)
    assert memory["total"] == memory["total_bytes"] and memory["weights"] == memory["weights_bytes"]
    assert found["mfu"]["causal"] < found["mfu"]["full"]


def test_json_names_every_remedy_with_its_effect() -> None:
    found = told("--model", "llama-3.1-8b", "--gpu", "rtx-4090", "--sequence", "2048")
    assert found["remedies"]
    for remedy in found["remedies"]:
        assert {"change", "total_bytes", "fits"} <= set(remedy)
        assert (remedy["step_s"] is not None) == remedy["fits"]


def test_json_of_the_command_is_that_of_python() -> None:
    found = told(*SMALL, "--micro-batch", "4")
    assert found == json.loads(json.dumps(rl.train("gpt2", gpu="a100", sequence=512, micro_batch=4).to_dict()))


def test_csv_has_a_row_for_each_phase_with_the_memory_beside() -> None:
    result = run(*SMALL, "--recompute", "full", "--csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    names = [row["phase"] for row in rows]
    assert names[0] == "forward" and "backward" in names and "optimizer" in names
    assert len({row["memory_total_bytes"] for row in rows}) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--tokens", "0"), "--tokens must be a number from 1 to 1e+18, not 0"),
        (("--tokens", "1e9", "--steps", "4"), "give one of the two"),
        (("--gpus", "8", "--global-batch", "12"), "the nearest are 8 or 16"),
        (("--gpus", "64", "--pp", "64"), "more than the 32 layers"),
        (("--gpus", "7", "--tp", "2"), "6 or 8"),
        (("--lora", "0"), "--lora must be a whole number from 1"),
        (("--base", "nf4"), "--lora RANK"),
        (("--lora", "8", "--targets", "foo_proj"), "foo_proj"),
        (("--optimizer", "adamx"), "adamw"),
        (("--sequence", "0"), "--sequence must be a whole number from 1"),
        (("--micro-batch", "0"), "--micro-batch must be a whole number from 1"),
        (("--recompute", "some"), "none, selective, full"),
        (("--zero", "5"), "0, 1, 2 or 3"),
        (("--precision", "fp4x"), "nvfp4"),
        (("--engine", "nope"), "no engine named 'nope'"),
        (("--engine", "vllm"), "engine vllm trains nothing"),
        (("--height", "512"), "--height goes with image models"),
        (("--encode",), "--encode goes with image models"),
        (("--vpp", "2"), "name these with --pp"),
        (("--schedule", "gpipe"), "name its stages with --pp"),
        (("--ep", "2"), "llama-2-7b has no routed experts"),
        (("--gpus", "8", "--ep", "8"), "llama-2-7b has no routed experts"),
        (("--tp", "3"), "use 1, 2, 4, 8, 16, 32"),
        (("--gpus", "10", "--tp", "4"), "groups of 4 (tp 4): use 8 or 12"),
        (("--gpus", "16", "--node", "hgx-h100"), "has h100-sxm, not a100"),
        (("--fsdp", "--zero", "1"), "--fsdp is --zero 3"),
        (("--kind", "step"), "--output"),
        (("--output", "x.txt"), "must end in one of"),
        (("--explain", "--csv"), "--json"),
        (("--only", "nothing"), "is in the name of no number"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_is_refused_with_what_to_do(arguments: tuple[str, ...], words: str) -> None:
    base = [each for each in LARGE if each not in ("--sequence", "1024")] if "--sequence" in arguments else LARGE
    assert words in refusal(*base, *arguments)


def test_tokens_are_not_asked_of_pictures() -> None:
    assert "--sequence goes with language models" in refusal(
        "-m", "stable-diffusion-1.5", "-g", "a100", "--sequence", "9"
    )
    assert "--samples" in refusal("-m", "stable-diffusion-1.5", "-g", "a100", "--tokens", "9")


PICTURES = ("--model", "sdxl", "--gpu", "rtx-4060-ti-16gb", "--lora", "16")


def test_adapters_of_a_denoiser_are_told_in_pictures() -> None:
    found = told(*PICTURES, "--samples", "1e4")
    assert "pictures/s" in found["verdict"] and "10,000 pictures take" in found["verdict"]
    assert found["throughput"]["tokens_per_s"] is None
    assert found["parameters"]["trainable"] < 0.02 * found["parameters"]["total"]
    assert found["mfu"]["causal"] == pytest.approx(found["mfu"]["full"])


def test_a_denoiser_that_does_not_fit_has_remedies() -> None:
    found = told("--model", "sdxl", "--gpu", "rtx-4090")
    assert not found["memory"]["fits"] and any(remedy["fits"] for remedy in found["remedies"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--targets", "nothing"), "'nothing'"),
        (("--recompute", "selective"), "full does blocks"),
        (("--gpus", "4", "--tp", "2"), "--zero 3"),
        (("--height", "7"), "--height must be a whole number from 8"),
        (("--attention", "eager"), "--attention goes with language models"),
    ],
)
def test_what_pictures_do_not_take_is_refused(arguments: tuple[str, ...], words: str) -> None:
    assert words in refusal(*PICTURES, *arguments)


def test_sharing_with_nobody_is_noted() -> None:
    assert any(
        "shares states between replicas, and there is one" in note
        for note in told(*SMALL, "--zero", "3")["assumptions"]
    )


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--gpus", "12"), "nodes-not-filled"),
        (("--gpus", "64", "--tp", "16"), "plan-beyond-node"),
        (("--gpus", "8", "--precision", "fp8"), "dtype-fallback"),
    ],
)
def test_a_plan_that_fits_its_nodes_badly_is_warned_of(arguments: tuple[str, ...], code: str) -> None:
    assert code in [warn["code"] for warn in told(*LARGE, *arguments)["warnings"]]


def test_a_sequence_beyond_the_model_is_warned_of() -> None:
    found = told("--model", "llama-2-7b", "--gpu", "a100", "--sequence", "8192")
    assert "context-exceeds-maximum" in [warn["code"] for warn in found["warnings"]]


@pytest.mark.parametrize("columns", [80, 120])
def test_no_line_is_wider_than_the_terminal(columns: int) -> None:
    plan = ("--gpus", "64", "--pp", "2", "--tp", "4", "--global-batch", "512", "--tokens", "2e12")
    for arguments in (plan, ("--gpus", "2"), ("--engine", "ideal")):
        text = run(*LARGE, *arguments, columns=columns).stdout
        assert max(map(len, text.splitlines())) <= columns


def test_a_picture_is_written(tmp_path: Path) -> None:
    for kind in ("memory", "step"):
        path = tmp_path / f"{kind}.svg"
        assert run(*SMALL, "--output", str(path), "--kind", kind).exit_code == 0
        assert path.read_text(encoding="utf-8").startswith("<?xml")


def test_a_number_is_explained_by_name() -> None:
    text = run(*SMALL, "--only", "mfu").stdout
    assert "mfu = " in text and "PaLM" in text and "memory." not in text
    found = run(*SMALL, "--explain", "--json").stdout
    quantities = [each["quantity"] for each in json.loads(found)["derivations"]]
    assert {"step.expected_s", "step.floor_s", "step.bubble_s", "memory.total_bytes", "mfu", "hfu"} <= set(quantities)
