"""Models that hear, and the one that attends to pictures: counts from a config equal a framework's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

import roofline as rl
from roofline.architectures.text.stacks.sound import heard_tokens
from roofline.architectures.text.transformer import transformer_workload
from roofline.errors import UnsupportedError, UsageError
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.run import TextRun

from .reading import spec_and_back

FILE: Final = Path(__file__).parent / "llm_media.json"
ORACLE: Final[dict[str, Any]] = json.loads(FILE.read_text())["models"]
HEARING: Final = [name for name in ORACLE if name != "mllama"]


def _spec(folder: Path, name: str, **changes: Any) -> TransformerSpec:
    return spec_and_back(folder, ORACLE[name]["config"] | changes)


def _phases(spec: TransformerSpec, **asked: Any) -> tuple[dict[str, int], Any]:
    """FLOPs by phase of the reference code, and the whole answer."""
    found = rl.estimate(spec, gpu="h100", fusion="eager", logits="all", engine="ideal", **asked).to_dict()
    return {phase["name"]: phase["flops"] for phase in found["phases"]}, found


@pytest.mark.parametrize("name", HEARING)
def test_models_that_hear_are_counted_as_the_framework_counts_them(name: str, tmp_path: Path) -> None:
    spec, facts = _spec(tmp_path, name), ORACLE[name]
    assert spec.encoder_input is not None
    assert spec.encoder_input.sound is not None
    for sizes, run in facts["runs"].items():
        batch, seconds = sizes.split("x")
        asked = {"batch": int(batch), "seconds": float(seconds), "prompt": run["prompt"]}
        flops, _ = _phases(spec, generate=2, **asked)
        assert flops == {"audio_encode": run["encode"], "prefill": run["prefill"], "decode": run["decode"]}
        _, answer = _phases(spec, generate=1, **asked)
        assert answer["memory"]["kv_cache_bytes"] == run["cache"]
        assert answer["parameters"]["total"] == facts["parameters"]
        assert heard_tokens(spec.encoder_input.sound, float(seconds)) == run["rows"]


def test_layers_that_attend_to_pictures_are_counted_as_the_framework_counts_them(tmp_path: Path) -> None:
    """Without a picture they are held and not run, and nothing of them is cached."""
    spec, facts = _spec(tmp_path, "mllama"), ORACLE["mllama"]
    for sizes, run in facts["runs"].items():
        batch, prompt, images = map(int, sizes.split("x"))
        flops, _ = _phases(spec, batch=batch, prompt=prompt, images=images, generate=2)
        assert flops["prefill"] == run["prefill"]
        assert flops.get("vision_encode") == run.get("vision")
        assert flops["decode"] == run.get("decode", flops["decode"])
        _, answer = _phases(spec, batch=batch, prompt=prompt, images=images, generate=1)
        assert answer["memory"]["kv_cache_bytes"] == run["cache"]
        assert answer["parameters"]["total"] == facts["parameters"]
        assert answer["parameters"]["towers"] == facts["towers"]


def test_keys_of_a_picture_do_not_grow(tmp_path: Path) -> None:
    """Four tiles of 17 tokens in two layers of cross-attention, whatever is generated; the prompt is the text alone."""
    spec = _spec(tmp_path, "mllama")
    held = {}
    for images in (0, 1):
        for generate in (2, 12):
            asked = {"batch": 1, "prompt": 40, "generate": generate, "images": images}
            answer = rl.estimate(spec, gpu="h100", **asked).to_dict()
            held[images, generate] = answer["memory"]["kv_cache_bytes"]
            assert answer["inputs"]["prompt_tokens"] == 40
    per_token = 4 * 2 * 2 * 32 * 2
    assert held[0, 12] - held[0, 2] == held[1, 12] - held[1, 2] == 10 * per_token
    assert held[1, 2] - held[0, 2] == 2 * 68 * 2 * 2 * 32 * 2


def test_a_whole_picture_is_read_over_the_chunks_of_a_prefill(tmp_path: Path) -> None:
    """Chunks share out the projections of a picture's keys: FLOPs of the prefill do not depend on them."""
    spec = _spec(tmp_path, "mllama")
    asked: dict[str, Any] = {"gpu": "h100", "prompt": 4096, "generate": 1, "images": 3}
    whole, cut = (rl.estimate(spec, chunk=chunk, **asked).to_dict() for chunk in (10**6, 1024))
    flops = [{phase["name"]: phase["flops"] for phase in answer["phases"]} for answer in (whole, cut)]
    assert flops[0] == pytest.approx(flops[1], rel=1e-12)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"seconds": 31}, "hears 30 s at once"),
        ({"seconds": 0}, "more than 0"),
        ({"images": 1}, "reads no pictures"),
        ({"chunk": 64}, "sees the whole prompt"),
    ],
)
def test_what_cannot_be_heard_is_refused(asked: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=words):
        rl.estimate(_spec(tmp_path, "whisper"), gpu="t4", **asked)


def test_a_short_sound_is_filled_up_and_said(tmp_path: Path) -> None:
    spec = _spec(tmp_path, "whisper")
    short, full = (rl.estimate(spec, gpu="t4", seconds=seconds).to_dict() for seconds in (3, 30))
    assert [phase["flops"] for phase in short["phases"]] == [phase["flops"] for phase in full["phases"]]
    assert any("filled up to 30 s" in note for note in short["assumptions"])
    assert full["inputs"]["prompt"] == 4, "the tokens that start a transcription, where nothing is asked"


def test_sound_in_a_grid_equals_single_questions(tmp_path: Path) -> None:
    spec = _spec(tmp_path, "moonshine")
    run = {"gpu": "t4", "prompt": 2, "generate": 8}
    rows = list(rl.sweep(spec, seconds=[1.0, 2.5, 10.0], **run).records())
    for row, seconds in zip(rows, (1.0, 2.5, 10.0), strict=True):
        single = rl.estimate(spec, seconds=seconds, **run).to_dict()
        assert row["ttft_s"] == pytest.approx(single["latency"]["ttft_s"]["expected"])


def test_pictures_in_a_grid_equal_single_questions(tmp_path: Path) -> None:
    spec = _spec(tmp_path, "mllama")
    run = {"gpu": "t4", "prompt": 200, "generate": 8}
    rows = list(rl.sweep(spec, images=[0, 1, 3], **run).records())
    for row, images in zip(rows, (0, 1, 3), strict=True):
        single = rl.estimate(spec, images=images, **run).to_dict()
        assert row["ttft_s"] == pytest.approx(single["latency"]["ttft_s"]["expected"])
        assert row["tpot_s"] == pytest.approx(single["latency"]["tpot_s"]["expected"])


def test_decoders_with_heads_of_their_own_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="decoder_num_key_value_heads"):
        _spec(tmp_path, "moonshine", decoder_num_key_value_heads=2)


def test_parts_of_a_whisper_share_its_parameters(tmp_path: Path) -> None:
    """The encoder's are held by its phase, the decoder's by the prefill; the head is the embedding."""
    workload = transformer_workload(_spec(tmp_path, "whisper"), TextRun(1.0, 4.0, 8.0))
    encoder = sum(op.count * op.params for op in workload["audio_encode"].ops)
    assert 0 < encoder < workload.parameters
    assert workload["audio_encode"].component != workload["prefill"].component
