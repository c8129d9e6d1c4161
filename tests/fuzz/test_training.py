"""Training runs of every kind of option: each comes to a sound answer, or is refused in words."""

from __future__ import annotations

import io
import json
from random import Random
from typing import Any, Final

import pytest

import roofline as rl
from roofline.report.tables.console import Console
from roofline.report.tables.training.answer import print_training

_MODELS: Final = (
    *("gpt2", "llama-2-7b", "llama-3.1-8b", "mixtral-8x7b", "deepseek-v3", "mamba-2.8b", "t5-base"),
    *("bert-base", "gemma-2-9b", "qwen3-next-80b-a3b", "falcon-7b", "gpt-oss-20b"),
)
_GPUS: Final = ("a100", "h100", "rtx-4090", "mi300x", "b200", "m3-max", "t4", "epyc-9654")
_OPTIONS: Final[dict[str, tuple[Any, ...]]] = {
    "sequence": (1, 128, 4096, 131_072),
    "micro_batch": (1, 2, 3, 8),
    "global_batch": (7, 64, 512),
    "tokens": (1, 1e7, 2e12),
    "recompute": ("none", "full", "selective"),
    "optimizer": ("adamw", "adamw-8bit", "adafactor", "muon", "sgd", "lion", "adma"),
    "precision": ("bf16", "fp16", "fp32", "fp8", "bf16-pure", "amp", "nvfp4"),
    "lora": (1, 16),
    "base": ("nf4", "int8"),
    "targets": ("all-linear", "q_proj", "nothing"),
    "ema": (True,),
    "attention": ("flash", "eager"),
    "gpus": (1, 2, 8, 12, 64),
    "tp": (2, 8),
    "pp": (2, 4, 8),
    "vpp": (1, 2),
    "schedule": ("1f1b", "gpipe", "zero-bubble"),
    "cp": (2,),
    "ep": (2, 8),
    "zero": (0, 1, 2, 3),
    "engine": ("ideal", "megatron", "torchtitan", "hf-trainer", "unsloth"),
    "price": ("2.5/h", "buy", "20/h/node"),
    "electricity": ("0.3",),
}
_PICTURES: Final = ("sdxl", "sd-2.1-base", "dit-xl-2-256", "sd3-medium", "sd-vae")
_OF_PICTURES: Final[dict[str, tuple[Any, ...]]] = {
    "height": (256, 512, 1000),
    "part": ("denoiser", "vae", "controlnet"),
    "judges": ("perceptual", "adversarial"),
    "encode": (True,),
    "samples": (1, 1e6),
}
_OF_WORDS: Final = ("sequence", "tokens", "tp", "pp", "cp", "ep", "attention", "vpp", "schedule")
#: What has no meaning without another.
_NEEDS: Final = {"base": "lora", "targets": "lora", "vpp": "pp", "schedule": "pp", "ep": "gpus"}


def _asked(random: Random) -> dict[str, Any]:
    found = {name: random.choice(values) for name, values in _OPTIONS.items() if random.random() < 0.3}
    if random.random() < 0.9:
        found = {name: value for name, value in found.items() if _NEEDS.get(name, name) in found}
    if random.random() < 0.2:
        found = {name: value for name, value in found.items() if name not in _OF_WORDS}
        found |= {name: random.choice(values) for name, values in _OF_PICTURES.items() if random.random() < 0.3}
        return {"model": random.choice(_PICTURES), "gpu": random.choice(_GPUS), **found}
    return {"model": random.choice(_MODELS), "gpu": random.choice(_GPUS), **found}


@pytest.mark.parametrize("seed", range(12))
def test_any_options_come_to_a_sound_answer_or_a_refusal(seed: int) -> None:
    random = Random(seed)
    for _ in range(12):
        asked = _asked(random)
        try:
            answer = rl.train(**asked)
            text = io.StringIO()
            print_training(answer, Console(text, 80))
        except rl.RooflineError as error:
            assert str(error), asked
            continue
        assert max(map(len, text.getvalue().splitlines())) <= 80, asked
        json.dumps(answer.to_dict(), allow_nan=False)
        floor, bound, expected, low, high = (float(value) for value in answer.times)
        assert 0 < floor <= bound * (1 + 1e-9) and bound <= expected * (1 + 1e-9), asked
        assert low <= expected * (1 + 1e-9) and expected <= high * (1 + 1e-9), asked
        assert 0 < answer.mfu <= answer.hfu * 1.5, asked
        found = {each.quantity: each for each in answer.explain()}["step.expected_s"]
        assert sum(term.value for term in found.terms) == pytest.approx(expected, rel=1e-6), asked
