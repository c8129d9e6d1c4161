"""From odd sizes of pictures and lengths of sound to tokens and FLOPs, family by family, as the reference library."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

import roofline as rl
from roofline.architectures.towers.parameters import tower_parameters
from roofline.architectures.towers.phase import tower_phase
from roofline.architectures.towers.pictures import sight_of
from roofline.architectures.towers.seen import seen_by
from roofline.architectures.towers.tiles import arrangements, without_padding
from roofline.errors import UsageError
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.read import read_config
from roofline.importers.huggingface.towers.read import towers_of
from roofline.passes.fusion.levels import apply_fusion
from roofline.specs.files.document import Document
from roofline.specs.files.reader import validate
from roofline.specs.text.tower import Tower
from roofline.workload.media import Media
from roofline.workload.workload import Workload

from ...importers.configs import written

_FACTS: Final[dict[str, Any]] = json.loads(Path(__file__).with_name("sights.json").read_text("utf-8"))
_PICTURES: Final[dict[str, Any]] = _FACTS["pictures"]
#: The model type under which sections of these encoders stand.
_HOLDERS: Final = {"qwen3_omni": "qwen3_omni_moe_thinker", "qwen2_5_omni": "qwen2_5_omni_thinker"}


@pytest.mark.parametrize("family", _PICTURES)
def test_pictures_of_odd_sizes_are_seen_as_by_the_reference(family: str, tmp_path: Path) -> None:
    facts = _PICTURES[family]
    spec = read_config(written(tmp_path, facts["config"]))
    for size, (tokens, flops) in facts["sizes"].items():
        est = rl.estimate(spec, gpu="h100", prompt=8, generate=1, fusion="eager", images=1, image_size=size)
        seen = est.inputs["prompt_tokens"] - 8, est.phase("vision_encode").flops
        assert (size, *seen) == (size, tokens, flops)
        assert est.parameters.beside["towers"] == facts["parameters"]


def _tower(family: str) -> Tower:
    section = _FACTS["sound"][family]["config"]
    data = {"model_type": _HOLDERS[family], "text_config": {"hidden_size": 64}, "audio_config": section}
    document = Document("config.json", "", data, {})
    outer = Config(document, data, ())
    found = towers_of(Config(document, data["text_config"], ("text_config",), outer=outer), 64)
    heard = next(tower for tower in found.towers if tower["name"] == "audio")
    return validate(Document("tower", "", heard, {}), Tower)


@pytest.mark.parametrize("family", _FACTS["sound"])
def test_sound_of_odd_lengths_is_heard_as_by_the_reference(family: str) -> None:
    facts, tower = _FACTS["sound"][family], _tower(family)
    assert tower_parameters(tower) == facts["parameters"]
    for seconds, (tokens, flops) in facts["seconds"].items():
        seen = seen_by(tower, Media(0.0, seconds=float(seconds)))
        phase = apply_fusion(Workload((tower_phase(tower, seen, 1.0),)), "eager").phases[0]
        assert (seconds, seen.tokens, phase.flops) == (seconds, tokens, flops)


@pytest.mark.parametrize("family", _PICTURES)
def test_the_ops_of_a_tower_hold_its_parameters(family: str, tmp_path: Path) -> None:
    tower = read_config(written(tmp_path, _PICTURES[family]["config"])).towers[0]
    phase = tower_phase(tower, seen_by(tower, Media(0.0, images=1.0)), 1.0)
    scales = sum(group.layers * group.scales for group in tower.blocks)
    assert sum(op.count * op.params for op in phase.ops) + scales == tower_parameters(tower)


@pytest.mark.parametrize(
    ("family", "frames", "size", "grid"),
    [
        ("qwen2_vl", 9, (480, 640), (5, 34, 46)),
        ("qwen2_vl", 5, (1080, 1920), (3, 40, 72)),
        ("qwen2_vl", 3, (64, 64), (2, 24, 24)),
        ("qwen3_vl", 5, (1080, 1920), (3, 68, 120)),
        ("qwen3_vl", 40, (720, 1280), (20, 36, 66)),
        ("qwen3_vl", 3, (64, 64), (2, 4, 4)),
        ("glm4v", 40, (720, 1280), (20, 52, 92)),
        ("glm4v", 5, (1080, 1920), (3, 78, 138)),
    ],
)
def test_frames_of_a_video_are_paired_and_bounded_as_by_the_reference(
    family: str, frames: int, size: tuple[float, float], grid: tuple[int, int, int], tmp_path: Path
) -> None:
    """`video_grid_thw` of the video processors of transformers 5.24.0, their frames not sampled."""
    tower = read_config(written(tmp_path, _PICTURES[family]["config"])).towers[0]
    assert tower.tokens is not None
    assert sight_of(tower.tokens, tower, *map(float, size), frames).views == (grid,)


def test_a_picture_that_the_processor_refuses_is_refused(tmp_path: Path) -> None:
    tower = read_config(written(tmp_path, _PICTURES["qwen2_vl"]["config"])).towers[0]
    assert tower.tokens is not None
    with pytest.raises(UsageError, match="more than 200 times"):
        sight_of(tower.tokens, tower, 1.0, 900.0)


def test_arrangements_of_tiles_come_by_number_then_the_narrowest_first() -> None:
    assert [tuple(grid) for grid in arrangements(1, 4)] == [
        *((1, 1), (2, 1), (1, 2), (3, 1)),
        *((1, 3), (4, 1), (2, 2), (1, 4)),
    ]


def test_what_is_padding_of_a_wide_picture_is_dropped_above_and_below() -> None:
    assert without_padding(300.0, 1000.0, arrangements(1, 1)[0]._replace(rows=24, columns=24), None) == (8, 24)
