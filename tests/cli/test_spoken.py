"""Command lines as users of Ollama, diffusers and vLLM write them: understood, or answered with the right names."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

import roofline as rl
from roofline.cli.app import app
from roofline.cli.parsing import ParserError, message
from roofline.runs.names import SAME
from roofline.runs.options import KEYWORDS
from roofline.runs.training.options import TRAINING

TEXT = ["estimate", "-m", "gpt2", "-g", "a100"]
PICTURE = ["estimate", "-m", "sd15", "-g", "4090"]


def answer(*arguments: str) -> dict[str, Any]:
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)["inputs"]
    return found


def refusal(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments), standalone_mode=False)
    assert done.stdout == ""
    assert isinstance(done.exception, (ParserError, rl.RooflineError)), done.exception
    return message(done.exception) if isinstance(done.exception, ParserError) else str(done.exception)


@pytest.mark.parametrize(
    ("start", "written", "ours"),
    [
        (PICTURE, "--cfg 5", "--guidance 5"),
        (PICTURE, "--cfg-scale=5", "--guidance 5"),
        (PICTURE, "--sampler 'Euler a'", "--scheduler 'Euler a'"),
        (PICTURE, "--num-inference-steps 20", "--steps 20"),
        (PICTURE, "--size 768", "--height 768 --width 768"),
        (PICTURE, "--resolution 768x768", "--height 768 --width 768"),
        (PICTURE, "--quant fp8", "--weights fp8"),
        (TEXT, "--max-tokens 9", "--generate 9"),
        (TEXT, "--input-len 9 --output-len 7", "--prompt 9 --generate 7"),
        (TEXT, "--tensor-parallel-size 2", "--tp 2"),
        (TEXT, "--num-gpus 2", "--gpus 2"),
        (TEXT, "--gpu-memory-utilization 0.8 --engine vllm", "--utilisation 0.8 --engine vllm"),
    ],
)
def test_options_of_other_programs_mean_what_they_mean_there(start: list[str], written: str, ours: str) -> None:
    import shlex

    assert answer(*start, *shlex.split(written)) == answer(*start, *shlex.split(ours))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("--context 4096", ["--prompt", "--generate"]),
        ("--ctx 4096", ["--prompt", "--generate"]),
        ("--dtype fp8", ["--weights", "--activations"]),
        ("--n-gpu-layers 30", ["--offload"]),
        ("--num-gpu-layers 30", ["--offload"]),
        ("--max-model-len 30", ["--prompt", "--generate"]),
        ("--lowvram", ["--offload"]),
        ("--xformers", ["--fusion"]),
        ("-ngl 30", ["--offload"]),
        ("--temperature 1", ["changes nothing that is counted"]),
        ("--device a100", ["--gpu"]),
        ("--promt 30", ["--prompt"]),
        ("-tp 2", ["--tp"]),
        ("-gpu a100", ["--gpu"]),
        ("--frobnicate", ["--help-all"]),
    ],
)
def test_an_option_that_there_is_not_is_answered_with_those_that_are_meant(written: str, said: list[str]) -> None:
    told = refusal(*TEXT, *written.split())
    assert all(each in told for each in said)
    assert len(told.splitlines()) == 1


def test_a_size_of_which_the_height_is_not_known_is_refused() -> None:
    assert "--height and --width" in refusal(*PICTURE, "--size", "1024x768")
    assert "1024" in refusal(*PICTURE, "--size", "big")
    assert "--height and --width" in refusal("sweep", *PICTURE[1:], "--size", "512,1024")


def test_an_option_that_is_given_by_two_names_is_given_twice() -> None:
    assert refusal(*PICTURE, "--cfg", "5", "--guidance", "7") == "--guidance is given twice"


def test_a_value_that_looks_like_an_option_of_others_stays_a_value() -> None:
    assert "--only" in refusal("explain", *TEXT[1:], "--only=--sampler")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["estimate", "--gpu", "h100"], ["--model is missing", "sdxl", "--model llama-3.1-8b --gpu h100"]),
        (["estimate", "--model", "gpt2"], ["no GPU given", "a100", "h100", "rtx-4090"]),
        (["train", "--model", "gpt2"], ["no GPU given", "a100", "h100", "rtx-4090"]),
        (["estimate", "mistral-7b", "a100"], ["'mistral-7b' stands alone", "--model mistral-7b --gpu a100"]),
        (["estimate", "-m", "lama-3-8", "-g", "a100"], ["Nearest: llama-3-8b, "]),
        (["estimat"], ["Did you mean 'estimate'?"]),
        (["help"], ["roofline --help"]),
        (["models"], ["roofline list models"]),
    ],
)
def test_what_is_missing_is_named_with_what_is_likely(arguments: list[str], said: list[str]) -> None:
    told = refusal(*arguments)
    assert all(each in told for each in said), told


def test_keywords_of_other_programs_are_answered_with_ours() -> None:
    for wrong, meant in (("resolution", "height and width"), ("cfg", "guidance"), ("device", "gpu")):
        with pytest.raises(rl.UsageError, match=f"^unknown option {wrong}; did you mean {meant}\\?$"):
            rl.estimate("sd15", gpu="a100", **{wrong: 5})  # type: ignore[arg-type]
    with pytest.raises(rl.UsageError, match="did you mean global_batch and micro_batch"):
        rl.train("gpt2", gpu="a100", batch_size=5)  # type: ignore[call-arg]


def test_names_of_other_programs_hide_no_option_of_ours() -> None:
    ours = {*KEYWORDS, *TRAINING, "model", "gpu"}
    assert not {*SAME} & ours
    assert {*SAME.values()} <= {*KEYWORDS}


@pytest.mark.parametrize("written", ["DPM++ 2M Karras", "Euler a", "DDIM", "UniPC", "LCM"])
def test_samplers_are_found_as_user_interfaces_name_them(written: str) -> None:
    assert answer(*PICTURE, "--sampler", written)["scheduler"]


def test_who_asks_as_ollama_does_is_told_of_its_format() -> None:
    told = CliRunner().invoke(app, ["estimate", "-m", "llama3.1:8b-instruct", "-g", "4060ti"]).stdout
    assert "GPU 4060ti is taken as rtx-4060-ti-8gb; there is rtx-4060-ti-16gb too" in " ".join(told.split())
    assert "Ollama's own files have 4 bits" in told
    narrow = CliRunner().invoke(app, ["estimate", "-m", "llama3.1:8b", "-g", "4060ti", "--weights", "q4_k_m"]).stdout
    assert "Ollama" not in narrow


TAGS = [
    ("llama3.1:8b-instruct-q4_K_M", "llama-3.1-8b", "q4_k_m"),
    ("qwen2.5:7b-instruct-q8_0", "qwen2.5-7b", "q8_0"),
    ("mistral:7b-instruct-fp16", "mistral-7b", "fp16"),
    ("gemma3:4b-it-qat", "gemma-3-4b", "q4_0"),
]


@pytest.mark.parametrize(("tag", "model", "weights"), TAGS)
def test_a_format_behind_a_models_name_is_that_of_its_weights(tag: str, model: str, weights: str) -> None:
    est, plain = rl.estimate(tag, "a100"), rl.estimate(model, "a100", weights=weights)
    assert est.inputs == plain.inputs
    assert est.latency.total == plain.latency.total
    assert rl.estimate(tag, "a100", weights=weights.upper()).inputs == plain.inputs
    told = CliRunner().invoke(app, ["estimate", "-m", tag, "-g", "a100"]).stdout
    assert f"model {tag} is taken as {model} with weights {weights}" in " ".join(told.split())
    assert "Ollama's own files" not in told


def test_a_format_behind_a_models_name_and_another_as_option_are_refused() -> None:
    told = refusal("estimate", "-m", TAGS[0][0], "-g", "a100", "--weights", "fp8")
    assert "with weights q4_k_m, and --weights says fp8" in told
    with pytest.raises(rl.UsageError, match="for example"):  # of 4 bits there are several formats
        rl.estimate("llama-3.1-8b-q4", "a100")
    with pytest.raises(rl.UsageError, match="for example"):  # activations are in 8 bits as well
        rl.estimate("llama-3.1-8b-w8a8", "a100")
    assert "--weights q4_k_m" in refusal("train", "-m", TAGS[0][0], "-g", "a100")  # trained in no such format


def test_what_would_help_changes_a_format_that_stood_behind_a_name() -> None:
    named, plain = rl.fit(TAGS[2][0], "t4"), rl.fit(TAGS[2][1], "t4", weights=TAGS[2][2])
    assert [each.words for each in named.remedies.each] == [each.words for each in plain.remedies.each]
    assert any(each.words.startswith("weights in") for each in named.remedies.each)


@pytest.mark.parametrize(
    ("engine", "model", "gpu"),
    [("ollama", "sd15", "4090"), ("comfyui", "gpt2", "a100"), ("tensorrt-llm", "gpt2", "mi300x")],
)
def test_an_engine_that_does_not_run_such_a_thing_is_told_first(engine: str, model: str, gpu: str) -> None:
    first = str(rl.estimate(model, gpu, engine=engine).verdict).partition(".")[0]
    assert engine in first, first


@pytest.mark.parametrize(
    ("written", "said"),
    [("8k", "8192 or 8000?"), ("1.5K", "1536 or 1500?"), ("8_192", "8192?"), ("2M", "2097152 or 2000000?")],
)
def test_a_whole_number_as_people_say_it_is_answered_with_what_it_may_mean(written: str, said: str) -> None:
    for command in (TEXT, ["sweep", *TEXT[1:]]):
        assert refusal(*command, "--prompt", written).endswith(f": {said}")
    with pytest.raises(rl.UsageError, match=f": {said[:-1]}[?]$"):
        rl.estimate("gpt2", "a100", prompt=written)  # type: ignore[arg-type]
    assert refusal(*TEXT, "--prompt", "many").endswith("not 'many'")


def test_words_of_options_are_taken_in_any_case() -> None:
    assert answer(*TEXT, "--fusion", "Flash") == answer(*TEXT, "--fusion", "flash")
    assert CliRunner().invoke(app, ["ops", *TEXT[1:], "--sort", "FLOPs", "--by", "Kind"]).exit_code == 0


def test_parts_of_a_picture_by_other_names_are_answered_with_its_phases() -> None:
    for word, phase in (("unet", "denoise"), ("vae", "vae_decode"), ("clip", "text_encode")):
        with pytest.raises(rl.UsageError, match=f"did you mean '{phase}'"):
            rl.estimate("sd15", "a100").phase(word)


def test_nothing_far_fetched_is_near() -> None:
    with pytest.raises(rl.UsageError, match=r"^no model named 'wan2.1'[.] `roofline list"):
        rl.estimate("wan2.1", "a100")
