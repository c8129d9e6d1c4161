"""Models are found under the names that people and published measurements use."""

from __future__ import annotations

import pytest

from roofline.specs.files.library import find

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
    "command-r starcoder2-7b dbrx bloom bert-large bart-large t5-base smollm3 olmo2-7b tinyllama"
)


@pytest.mark.parametrize("name", [*MEASURED.split(), *TYPED.split()])
def test_a_name_is_found(name: str) -> None:
    assert find("models", name).path.is_file()
