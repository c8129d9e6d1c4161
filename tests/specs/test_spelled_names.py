"""Names as people write them find what is meant, or are answered with the right names; none hides a bundled one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import roofline as rl
from roofline.errors import UnknownNameError, UsageError
from roofline.machine.engine_lookup import engine_names, find_engine
from roofline.runs.names import LIKELY_GPUS, LIKELY_MODELS
from roofline.specs.files.library import Shelf, bundled, find, names
from roofline.specs.files.programs import ENGINE_OF, SAID_OF
from roofline.specs.files.spelling import is_secret, squeezed
from roofline.specs.formats.dtypes import ALIASES, DTYPES, find_dtype
from roofline.specs.formats.spelling import CALLED

SHELVES: tuple[Shelf, ...] = ("models", "hardware", "nodes")
_VENDOR = re.compile(r"^vendor: (\w+)", re.MULTILINE)


@cache
def bundled_names(shelf: Shelf) -> tuple[str, ...]:
    return tuple(names(shelf))


def spellings(name: str) -> Iterator[str]:
    """What is the same name to people: case, spaces, underscores, no sign between a word and its number."""
    yield from (name.upper(), name.title(), f"  {name} ", name.replace("-", " "), name.replace("-", "_"))
    yield re.sub(r"(?<=[a-z])-(?=\d)|(?<=\d)-(?=[a-z])", "", name)
    yield re.sub(r"(?<=[a-z])(?=\d)", "-", name)


@pytest.mark.parametrize("shelf", SHELVES)
def test_every_bundled_name_is_found_however_it_is_written(shelf: Shelf) -> None:
    for name in bundled_names(shelf):
        for written in spellings(name):
            try:
                assert find(shelf, written).name == name, written
            except UsageError as error:  # two are so alike that it is neither's: both are named
                assert name in str(error), written


def test_the_maker_of_an_accelerator_says_no_more_than_its_name() -> None:
    for name in bundled_names("hardware"):
        vendor = _VENDOR.search((bundled("hardware") / f"{name}.yaml").read_text(encoding="utf-8"))
        assert vendor is not None
        if vendor[1] in ("nvidia", "amd", "intel", "apple"):
            assert find("hardware", f"{vendor[1].upper()} {name}").name == name


@pytest.mark.parametrize("name", bundled_names("models"))
def test_every_model_is_found_by_a_tag_and_by_its_tuning(name: str) -> None:
    head, _, size = name.rpartition("-")
    written = [f"{name}-instruct", f"some-org/{name}", f"{name}:latest", *([f"{head}:{size}"] if head else [])]
    assert {find("models", each).name for each in written} == {name}


@pytest.mark.parametrize("shelf", [*SHELVES, "engines"])
def test_no_alias_hides_a_bundled_name(shelf: Shelf) -> None:
    stems = {path.stem.lower(): path.stem for path in bundled(shelf).glob("*.yaml")}
    for key, stem in stems.items():
        assert find(shelf, key).name == stem
        assert find(shelf, key).alias is None
    bare: dict[str, set[str]] = {}
    for stem in stems.values():
        bare.setdefault(squeezed(stem), set()).add(stem)
    assert [found for found in bare.values() if len(found) > 1] == []


def test_words_of_other_programs_hide_no_engine_and_no_format() -> None:
    known = {squeezed(name) for name in engine_names()}
    assert not known & {*ENGINE_OF, *SAID_OF}
    assert set(ENGINE_OF.values()) <= set(engine_names())
    assert not {*CALLED} & {*DTYPES, *ALIASES}
    assert {*CALLED.values()} <= {*DTYPES, *ALIASES}
    assert not any(is_secret(name) for name in bundled_names("models"))
    assert {*LIKELY_MODELS} <= {*bundled_names("models")}
    for gpu in LIKELY_GPUS:
        rl.load_gpu(gpu)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("llama3", "llama-3-8b"),
        ("llama3:latest", "llama-3-8b"),
        ("llama3.1:8b", "llama-3.1-8b"),
        ("qwen2.5:7b", "qwen2.5-7b"),
        ("deepseek-r1:70b", "llama-3.1-70b"),
        ("gemma2", "gemma-2-9b"),
        ("mixtral:8x7b", "mixtral-8x7b"),
        ("phi", "phi-2"),
        ("codellama:7b-code", "codellama-7b"),
        ("meta-llama/Llama-3.1-8B-Instruct", "llama-3.1-8b"),
        ("https://huggingface.co/mistralai/Mistral-7B-v0.1", "mistral-7b"),
        ("Meta Llama 3.1 8B Instruct", "llama-3.1-8b"),
        ("SD 1.5", "stable-diffusion-v1-5"),
        ("sdxl-base", "sdxl"),
        ("stabilityai/stable-diffusion-xl-base-1.0", "sdxl"),
        ("flux", "flux.1-dev"),
    ],
)
def test_models_are_found_as_other_programs_name_them(written: str, name: str) -> None:
    assert rl.load_model(written).name == name


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("4060ti", "rtx-4060-ti-8gb"),
        ("4060 Ti 16GB", "rtx-4060-ti-16gb"),
        ("geforce 4090", "rtx-4090"),
        ("NVIDIA GeForce RTX 4090", "rtx-4090"),
        ("nvidia 5090", "rtx-5090"),
        ("RTX 4090 Mobile", "rtx-4090-laptop"),
        ("NVIDIA GeForce RTX 4070 Laptop GPU", "rtx-4070-laptop"),
        ("A100-SXM4-80GB", "a100-sxm-80gb"),
        ("NVIDIA A100-SXM4-40GB", "a100-sxm-40gb"),
        ("NVIDIA A100 80GB PCIe", "a100-pcie-80gb"),
        ("NVIDIA H100 80GB HBM3", "h100-sxm"),
        ("h100 pcie", "h100-pcie"),
        ("Tesla P100-PCIE-16GB", "p100-pcie-16gb"),
        ("Tesla V100-SXM2-32GB", "v100-sxm2-32gb"),
        ("GeForce GTX 1080 Ti", "gtx-1080-ti"),
        ("NVIDIA RTX PRO 6000 Blackwell Workstation Edition", "rtx-pro-6000"),
        ("NVIDIA RTX PRO 6000 Blackwell Server Edition", "rtx-pro-6000-server"),
        ("NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition", "rtx-pro-6000-max-q"),
        ("NVIDIA GH200 480GB", "gh200-96gb"),
        ("Radeon RX 7900 XTX", "rx-7900-xtx"),
        ("7900xtx", "rx-7900-xtx"),
        ("Instinct MI300X", "mi300x"),
        ("m3 max", "apple-m3-max"),
        ("MacBook Pro M3 Max", "apple-m3-max"),
    ],
)
def test_accelerators_are_found_as_drivers_and_shops_name_them(written: str, name: str) -> None:
    assert rl.load_gpu(written).name == name


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("rtx 6000", ["rtx-6000-ada", "quadro-rtx-6000"]),
        ("titan", ["titan-v", "titan-xp", "titan-rtx"]),
        ("gtx 1080", ["gtx-1080-ti"]),
        ("4x h100", ["--gpu h100-sxm --gpus 4"]),
        ("rtx 4090 x 3", ["--gpu rtx-4090 --gpus 3"]),
    ],
)
def test_what_may_be_several_accelerators_is_refused_with_their_names(written: str, said: list[str]) -> None:
    with pytest.raises(UsageError) as refused:
        rl.load_gpu(written)
    assert all(each in str(refused.value) for each in said)


def test_a_wrong_name_is_answered_with_the_three_nearest() -> None:
    with pytest.raises(UnknownNameError) as refused:
        rl.load_model("lama-3-8")
    assert len(refused.value.nearest) == 3
    assert "llama-3-8b" in str(refused.value)


@pytest.mark.parametrize("written", ["gpt-4", "GPT-4o", "chatgpt", "claude-3-opus", "gemini-1.5-pro"])
def test_models_of_which_no_shapes_are_known_are_told_to_be_so(written: str) -> None:
    with pytest.raises(UsageError, match="not published"):
        rl.load_model(written)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("ollama", "ollama"),
        ("koboldcpp", "llama.cpp"),
        ("llama-cpp-python", "llama.cpp"),
        ("llama cpp", "llama.cpp"),
        ("diffusers", "pytorch-eager"),
        ("torch.compile", "pytorch-compile"),
        ("automatic1111", "a1111"),
        ("ComfyUI", "comfyui"),
        ("hf", "transformers"),
        ("TensorRT_LLM", "tensorrt-llm"),
        ("trt-llm", "tensorrt-llm"),
        ("exllama", "exllamav2"),
        ("mlx-lm", "mlx"),
        ("vLLM", "vllm"),
    ],
)
def test_engines_are_found_as_other_programs_name_them(written: str, name: str) -> None:
    assert find_engine(written) == name


@pytest.mark.parametrize("version", ["0.6.0", "0.5", "0.15"])
def test_a_version_may_be_written_as_package_managers_do(version: str) -> None:
    for written in (f"vllm=={version}", f"vllm {version}", f"vllm:v{version}"):
        assert find_engine(written) == find_engine(f"vllm@{version}")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("lmstudio", ["llama.cpp", "mlx"]),
        ("LM Studio", ["llama.cpp", "mlx"]),
        ("tgi", ["vllm", "generic"]),
        ("oobabooga", ["llama.cpp", "exllamav2"]),
        ("pytorch", ["pytorch-eager", "transformers"]),
        ("flash-attention", ["--fusion flash"]),
        ("bitsandbytes", ["--weights nf4"]),
    ],
)
def test_what_is_no_engine_is_answered_with_those_that_are_meant(written: str, said: list[str]) -> None:
    with pytest.raises(UsageError) as refused:
        find_engine(written)
    assert all(each in str(refused.value) for each in said)
    for engine in re.findall(r"--engine ([\w.-]*\w)", str(refused.value)):
        find_engine(engine)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("nf4", "nf4"),
        ("Q4_K_M", "q4_k_m"),
        ("q4km", "q4_k_m"),
        ("Q4-K-M", "q4_k_m"),
        ("float16", "fp16"),
        ("torch.bfloat16", "bf16"),
        ("half", "fp16"),
        ("int4", "int4"),
        ("awq", "awq"),
        ("gptq", "gptq-int4"),
        ("GPTQ 4bit", "gptq-int4"),
        ("bnb 4bit", "nf4"),
        ("load_in_8bit", "bnb-int8"),
        ("exl2 4.0bpw", "exl2-4.0"),
        ("q8", "q8_0"),
    ],
)
def test_formats_are_found_as_other_programs_name_them(written: str, name: str) -> None:
    assert find_dtype(written).name == name


@pytest.mark.parametrize("written", ["4bit", "4-bit", "8bit", "16 bit", "q4", "gguf", "bnb", "mlx", "w8a8", "auto"])
def test_a_word_of_several_formats_names_formats_that_there_are(written: str) -> None:
    with pytest.raises(UsageError, match="is not one format") as refused:
        find_dtype(written)
    told = str(refused.value).partition(": ")[2].partition("`")[0]
    for word in re.findall(r"\b(?:bf16|fp\d+|nf4|q\d\w+|int\d[\w-]*|mlx-\w+|awq|gptq|bnb-\w+)\b", told):
        find_dtype(word)


def test_every_bundled_format_is_found_however_it_is_written() -> None:
    for name in DTYPES:
        for written in (name.upper(), f" {name} ", name.replace("_", "-"), name.replace("-", "_")):
            assert find_dtype(written).name == name, written


def test_names_that_are_taken_for_others_are_told() -> None:
    est = rl.estimate("llama3", gpu="4060ti", engine="koboldcpp", weights="q4km")
    told = " ".join(est.assumptions)
    for said in ("model llama3 is llama-3-8b", "GPU 4060ti is rtx-4060-ti-8gb", "engine koboldcpp is llama.cpp"):
        assert said in told


def test_a_file_of_ones_own_comes_before_every_spelling(tmp_path: Path) -> None:
    text = (bundled("hardware") / "a10.yaml").read_text(encoding="utf-8")
    (tmp_path / "nvidia-5090.yaml").write_text(text.replace("name: a10", "name: nvidia-5090"), encoding="utf-8")
    assert find("hardware", "nvidia 5090", str(tmp_path)).name == "nvidia-5090"
