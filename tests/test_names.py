"""A name that is not known: the nearest, each model once, and nothing where nothing is alike."""

from __future__ import annotations

import pytest

import roofline as rl
from roofline.analysis.catalogue.anything import find_anything
from roofline.errors import nearest


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        ("llama3x", "llama-3-8b"),
        ("phi3x", "phi-3-mini-4k"),
        ("lama-2-7b", "llama-2-7b"),
        ("qwen-3-8c", "qwen3-8b"),
        ("some-org/Llama-3-8X", "llama-3-8b"),
        ("stable-diffusion-v1.5", "stable-diffusion-v1-5"),
    ],
)
def test_the_nearest_model_is_one_that_begins_with_the_name(asked: str, first: str) -> None:
    with pytest.raises(rl.UnknownNameError) as caught:
        rl.load_model(asked)
    assert caught.value.nearest[0] == first


def test_every_model_is_named_once_and_by_its_own_name() -> None:
    with pytest.raises(rl.UnknownNameError) as caught:
        rl.load_model("qwen3x")
    assert len(set(caught.value.nearest)) == 3
    assert set(caught.value.nearest) <= set(rl.list_models())


def test_nothing_is_suggested_where_nothing_is_alike() -> None:
    with pytest.raises(rl.UnknownNameError, match="`roofline list models` lists all") as caught:
        rl.load_model("nosuch")
    assert caught.value.nearest == []
    assert nearest("banana", ["attention_bias", "hidden_size"]) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"gpu": "h100-sxm-80"}, "Nearest: h100-sxm"),
        ({"gpu": "hgx-h10"}, "Nearest: hgx-h100"),
        ({"gpu": "h100", "node": "hgx-h10"}, "Nearest: hgx-h100"),
        ({"gpu": "h100", "engine": "vlm"}, r"Nearest: vllm"),
        ({"gpu": "h100", "engine": "tensorrt_lm"}, "Nearest: tensorrt-llm"),
    ],
)
def test_gpus_nodes_and_engines_are_suggested(options: dict[str, str], words: str) -> None:
    with pytest.raises(rl.UnknownNameError, match=words):
        rl.estimate("gpt2", **options)


def test_show_suggests_nodes_too() -> None:
    with pytest.raises(rl.UnknownNameError, match="hgx-h100"):
        find_anything("hgxh10")


@pytest.mark.parametrize(("alias", "name"), [("NVIDIA H100", "h100-sxm"), ("mi300", "mi300x"), ("NVIDIA A30", "a30")])
def test_what_people_call_a_gpu(alias: str, name: str) -> None:
    assert rl.load_gpu(alias).name == name
