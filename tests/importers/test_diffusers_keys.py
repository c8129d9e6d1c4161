"""Keys that a component's class does not know: ignored and told, or refused where they tell of shapes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

import roofline as rl
from roofline.errors import UnsupportedError
from roofline.importers.huggingface.read import read_config

from .configs import written

#: Stable Diffusion 1.5's UNet, 859,520,964 parameters (CompVis, model card).
UNET: Final[dict[str, Any]] = {
    "_class_name": "UNet2DConditionModel",
    "block_out_channels": [320, 640, 1280, 1280],
    "cross_attention_dim": 768,
    "attention_head_dim": 8,
    "layers_per_block": 2,
    "sample_size": 64,
}
#: What EMAModel.save_pretrained of diffusers 0.42.1 adds to the config of the model that it averages.
AVERAGED: Final = {
    "decay": 0.9999,
    "inv_gamma": 1.0,
    "min_decay": 0.0,
    "optimization_step": 7000,
    "power": 0.6666666666666666,
    "update_after_step": 0,
    "use_ema_warmup": False,
}


def test_keys_of_an_averaged_model_are_ignored_and_told(tmp_path: Path) -> None:
    est = rl.estimate(read_config(written(tmp_path, UNET | AVERAGED)), gpu="rtx-4090")
    assert est.parameters.total == 859_520_964
    assert any("UNet2DConditionModel" in note and "decay" in note and "power" in note for note in est.assumptions)


@pytest.mark.parametrize("key", ["num_extra_layers", "block_out_chanels", "gated_attention"])
def test_a_key_that_tells_of_a_shape_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(UnsupportedError, match=key):
        read_config(written(tmp_path, UNET | {key: 2}))
