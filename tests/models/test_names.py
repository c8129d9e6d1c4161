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


#: Names and default tags as users of Ollama type them, and the model that each is meant to be.
TAGS = {
    "llama3.2": "llama-3.2-3b",
    "llama3.1": "llama-3.1-8b",
    "llama3": "llama-3-8b",
    "llama3.3": "llama-3.1-70b",
    "llama2": "llama-2-7b",
    "qwen3": "qwen3-8b",
    "qwen3:30b": "qwen3-30b-a3b",
    "qwen3:235b": "qwen3-235b-a22b",
    "qwen2.5": "qwen2.5-7b",
    "qwen2.5-coder:32b": "qwen2.5-32b",
    "qwen3-coder:30b": "qwen3-30b-a3b-2507",
    "qwen3.5:35b": "qwen3.5-35b-a3b",
    "qwen3.6:27b": "qwen3.5-27b",
    "qwq": "qwen2.5-32b",
    "gemma3": "gemma-3-4b",
    "gemma2": "gemma-2-9b",
    "gemma4:e4b": "gemma-4-e4b",
    "mistral": "mistral-7b-v0.3",
    "mixtral": "mixtral-8x7b",
    "mistral-nemo": "mistral-nemo-12b",
    "devstral": "mistral-small-24b",
    "magistral": "mistral-small-24b",
    "ministral-3": "ministral-3-8b",
    "phi4": "phi-4-14b",
    "phi4-reasoning": "phi-4-14b",
    "phi3": "phi-3-mini-4k",
    "phi3.5": "phi-3.5-mini",
    "deepseek-r1:1.5b": "deepseek-r1-distill-qwen-1.5b",
    "deepseek-r1:7b": "qwen2.5-7b",
    "deepseek-r1:8b": "qwen3-8b",
    "deepseek-r1:14b": "qwen2.5-14b",
    "deepseek-r1:32b": "qwen2.5-32b",
    "deepseek-r1:70b": "llama-3.1-70b",
    "deepseek-r1:671b": "deepseek-v3",
    "deepseek-coder:6.7b": "deepseek-coder-6.7b",
    "nomic-embed-text": "nomic-embed-text-v1.5",
    "mxbai-embed-large": "mxbai-embed-large",
    "all-minilm": "all-minilm-l6-v2",
    "bge-m3": "bge-m3",
    "snowflake-arctic-embed": "snowflake-arctic-embed-l",
    "codellama": "codellama-7b",
    "smollm2": "smollm2-1.7b",
    "tinyllama": "tinyllama-1.1b",
    "granite3.3": "granite-3.3-8b",
    "granite4": "granite-4.0-h-micro",
    "gpt-oss": "gpt-oss-20b",
    "command-r": "command-r-35b",
    "olmo2": "olmo-2-7b",
    "falcon3": "falcon3-7b",
    "kimi-k2-thinking": "kimi-k2-thinking",
}
#: Released checkpoints, and the file that has their shapes.
RELEASED = {
    "Qwen/Qwen3-235B-A22B-Instruct-2507": "qwen3-235b-a22b-2507",
    "Qwen/Qwen3-235B-A22B-Thinking-2507": "qwen3-235b-a22b-2507",
    "Qwen/Qwen3-4B-Thinking-2507": "qwen3-4b-2507",
    "Qwen/Qwen3-Coder-30B-A3B-Instruct": "qwen3-30b-a3b-2507",
    "Qwen/Qwen3-Coder-Next": "qwen3-next-80b-a3b",
    "Qwen/Qwen3.5-397B-A17B": "qwen3.5-397b-a17b",
    "nvidia/Qwen3.5-397B-A17B-NVFP4": "qwen3.5-397b-a17b-nvfp4",
    "Qwen/Qwen3.6-35B-A3B": "qwen3.5-35b-a3b",
    "Qwen/Qwen3.8-27B": "qwen3.5-27b",
    "Qwen/Qwen3-Embedding-0.6B": "qwen3-embedding-0.6b",
    "mistralai/Mistral-Small-3.2-24B-Instruct-2506": "mistral-small-3.2-24b",
    "moonshotai/Kimi-K2-Thinking": "kimi-k2-thinking",
    "moonshotai/Kimi-K2.6": "kimi-k2.5",
    "MiniMaxAI/MiniMax-M2.7": "minimax-m2.5",
    "zai-org/GLM-4.6": "glm-4.5",
    "zai-org/GLM-5.3": "glm-5.2",
    "meta-llama/Llama-3.3-70B-Instruct": "llama-3.1-70b",
    "deepseek-ai/DeepSeek-R1-0528-Qwen3-8B": "qwen3-8b",
    "microsoft/Phi-4-reasoning-plus": "phi-4-14b",
    "intfloat/e5-mistral-7b-instruct": "e5-mistral-7b",
    "BAAI/bge-reranker-v2-m3": "bge-reranker-v2-m3",
    "sentence-transformers/all-MiniLM-L6-v2": "all-minilm-l6-v2",
}


@pytest.mark.parametrize(("name", "file"), [*TAGS.items(), *RELEASED.items()])
def test_a_tag_or_checkpoint_stands_for_its_model(name: str, file: str) -> None:
    assert find("models", name).path.stem == file


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
