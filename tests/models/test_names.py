"""Models are found under the names that people and published measurements use."""

from __future__ import annotations

import pytest

from roofline.errors import UnknownNameError, UsageError
from roofline.specs.files.library import find
from roofline.specs.files.spelling import meant_by

#: Names of the models in published measurements of latency.
MEASURED = (
    "llama-2-70b ft-gpt-20b llama-3-8b llama-3-70b llama-2-7b gpt-j-6b megatron-530b bloom-176b qwen2.5-7b qwen3-4b "
    "ft-gpt-6.7b ft-gpt-1.3b ft-gpt-350m bert-base gpt-3-175b llama-3.1-405b falcon-180b mixtral-8x7b mistral-7b "
    "kipply-13b gpt-oss-20b"
)
TYPED = (
    "llama-3.1-8b meta-llama/Llama-3.1-8B meta-llama/Meta-Llama-3.1-8B-Instruct llama3.1-70b llama-3.3-70b "
    "meta-llama/Llama-3.2-3B Qwen/Qwen3-8B qwen3-235b Qwen/Qwen2.5-Coder-32B-Instruct qwq-32b google/gemma-3-27b-it "
    "gemma2-9b openai/gpt-oss-120b gpt-oss deepseek-r1 deepseek-ai/DeepSeek-V3 kimi-k2 mixtral-8x22b mistral-nemo "
    "mistralai/Mistral-7B-v0.3 phi-4 microsoft/phi-4 llama4-scout falcon-40b codellama-34b minimax-m2 glm-4.5-air "
    "command-r starcoder2-7b dbrx bloom bert-large bart-large t5-base smollm3 olmo2-7b tinyllama "
    "llama3.1:8b LLAMA3.1:70B qwen3:32b qwen2.5:7b-instruct gemma3:27b-it mixtral:8x7b phi4:14b gpt_oss:20b"
)


@pytest.mark.parametrize("name", [*MEASURED.split(), *TYPED.split()])
def test_a_name_is_found(name: str) -> None:
    assert find("models", name).path.is_file()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("qwen2.5:7b-instruct-q4_K_M", "--model qwen2.5-7b --weights q4_k_m"),
        ("Qwen/Qwen3-32B-FP8", "--model qwen3-32b --weights fp8"),
        ("meta-llama/Llama-3.1-8B-Instruct-AWQ", "--model llama-3.1-8b --weights awq"),
    ],
)
def test_a_format_behind_a_name_is_said_to_be_an_option(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        find("models", name)


@pytest.mark.parametrize("name", ["llama", "qwen3-32c", "", "-", ":", "/", "instruct", "q4_k_m", "x" * 10_000])
def test_a_name_that_means_none_or_several_is_not_guessed(name: str) -> None:
    with pytest.raises(UnknownNameError):
        find("models", name)


def test_a_spelling_that_could_be_two_models_means_none() -> None:
    assert meant_by("Llama 2", {"llama2": "a", "llama-2": "b"}) is None
    assert meant_by("RTX 4090", {"rtx-4090": "rtx-4090", "rtx4090": "rtx-4090"}) == ("rtx-4090", "")
