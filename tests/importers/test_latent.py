"""The configs of explainingai-code/StableDiffusion-PyTorch, read as they are.

Parameters: counted on the built modules, torch 2.13.0 (the repository at f562b158, config/).
"""

from __future__ import annotations

from pathlib import Path

import pytest

import roofline as rl
from roofline.errors import SpecError

CELEBHQ = """\
dataset_params:
  im_path: 'data/CelebAMask-HQ'
  im_channels : 3
  im_size : 256
  name: 'celebhq'
diffusion_params:
  num_timesteps : 1000
  beta_start: 0.00085
  beta_end: 0.012
ldm_params:
  down_channels: [ 256, 384, 512, 768 ]
  mid_channels: [ 768, 512 ]
  down_sample: [ True, True, True ]
  attn_down : [True, True, True]
  time_emb_dim: 512
  norm_channels: 32
  num_heads: 16
  conv_out_channels : 128
  num_down_layers : 2
  num_mid_layers : 2
  num_up_layers : 2
autoencoder_params:
  z_channels: 4
  codebook_size : 8192
  down_channels : [64, 128, 256, 256]
  mid_channels : [256, 256]
  down_sample : [True, True, True]
  attn_down : [False, False, False]
  norm_channels: 32
  num_heads: 4
  num_down_layers : 2
  num_mid_layers : 2
  num_up_layers : 2
train_params:
  seed : 1111
  ldm_batch_size: 16
"""
TEXT = """\
  condition_config:
    condition_types: [ 'text' ]
    text_condition_config:
      text_embed_model: 'clip'
      train_text_embed_model: False
      text_embed_dim: 512
      cond_drop_prob: 0.1
"""


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "celebhq.yaml"
    file.write_text(text)
    return file


def test_a_config_is_the_bundled_pipeline(tmp_path: Path) -> None:
    mine, ours = rl.estimate(written(tmp_path, CELEBHQ), "a100"), rl.estimate("eai-celebhq", "a100")
    assert mine.parameters.total == ours.parameters.total == 103_523_076 + 21_994_479
    assert mine.latency == ours.latency
    assert mine.memory.total_bytes == ours.memory.total_bytes


def test_a_text_brings_its_encoder(tmp_path: Path) -> None:
    file = written(tmp_path, CELEBHQ.replace("autoencoder_params:", TEXT + "autoencoder_params:"))
    mine, ours = rl.estimate(file, "a100"), rl.estimate("eai-celebhq-text-cond", "a100")
    assert mine.parameters == ours.parameters
    assert mine.latency == ours.latency


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("num_mid_layers : 2", "num_mid_layers : 3", "numbers that differ"),
        ("attn_down : [True, True, True]", "attn_down : [True, False, True]", "attn_down"),
        ("z_channels: 4", "z_chanels: 4", "z_channels"),
        ("im_size : 256", "im_size : 252", "does not divide"),
        ("norm_channels: 32", "norm_channels: [32]", "norm_channels"),
        ("seed : 1111", "seed : [", "celebhq.yaml"),
        ("  time_emb_dim: 512\n", "", "time_emb_dim"),
    ],
)
def test_what_is_not_modelled_is_refused_with_its_place(tmp_path: Path, old: str, new: str, said: str) -> None:
    file = written(tmp_path, CELEBHQ.replace(old, new, 1))
    with pytest.raises(SpecError, match=said):
        rl.estimate(file, "a100")
