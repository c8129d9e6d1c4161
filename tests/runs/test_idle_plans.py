"""Plans and words that would change nothing, or leave devices without work, are refused; what is printed is taken."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import roofline as rl
from roofline.errors import UsageError


def test_a_prompt_cannot_be_dealt_to_more_devices_than_it_has_tokens() -> None:
    with pytest.raises(UsageError, match="512 tokens"):
        rl.estimate("mistral-7b", "a100", cp=1000)
    with pytest.raises(UsageError, match="a prompt of 4 tokens"):
        rl.estimate("mistral-7b", "a100", cp=8, prompt=np.array([4, 1024]))
    assert rl.estimate("mistral-7b", "a100", cp=8, prompt=8).memory.fits


def test_heads_are_filled_up_but_not_made_of_nothing() -> None:
    with pytest.raises(UsageError, match="empty heads alone"):
        rl.estimate("mistral-7b", "a100", tp=64, pad_heads=True)
    assert rl.estimate("mistral-7b", "a100", tp=24, pad_heads=True).memory.fits


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"kv_layout": "paged,paged"}, "named twice"),
        ({"kv_layout": "paged:" + "1" * 5000}, "characters"),
        ({"host": "9" * 5000 + "x epyc-9654", "offload": "weights@cpu"}, "characters"),
        ({"weights": "bf16," * 2000}, "characters"),
        ({"offload": "weights,weights=0.5"}, "named twice"),
    ],
)
def test_words_that_say_a_thing_twice_or_at_length(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        rl.estimate("mistral-7b", "a100", **options)


def test_layers_of_many_groups_are_gone_through_once(tmp_path: Any) -> None:
    """Neither the formats of GGUF nor the joins of tensor parallelism grow with the square of the groups."""
    import time

    import yaml

    from roofline.specs.files.library import bundled

    data = yaml.safe_load((bundled("models") / "mixtral-8x7b.yaml").read_text(encoding="utf-8"))
    data["blocks"] = [data["blocks"][0] | {"layers": 1 + index % 3} for index in range(200)]
    file = tmp_path / "x.yaml"
    file.write_text(yaml.safe_dump(data))
    start = time.process_time()
    rl.estimate(str(file), "a100", weights="q4_k_m", tp=2)
    assert time.process_time() - start < 4
