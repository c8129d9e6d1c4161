"""Pictures, frames and sound in a prompt: phases, tokens, time, memory, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

import roofline as rl
from roofline.errors import UsageError

_GEMMA, _QWEN = "gemma-3-4b", "qwen2.5-vl-7b"


def test_an_encoder_is_a_phase_before_the_prefill_and_part_of_the_time_to_first_token() -> None:
    est = rl.estimate(_QWEN, gpu="h100", images=2, image_size="768x1024")
    encode, prefill, decode = est.phases
    assert [phase.name for phase in est.phases] == ["vision_encode", "prefill", "decode"]
    assert encode.repeat == 1
    first, total = est.latency.ttft, est.latency.total
    assert first.bound == pytest.approx(encode.times.bound + prefill.times.bound)
    assert first.expected == pytest.approx(encode.times.expected + prefill.times.expected)
    assert total.expected == pytest.approx(first.expected + 127 * decode.times.expected)
    assert encode.times.floor <= encode.times.bound <= encode.times.expected <= encode.times.high


def test_tokens_of_pictures_lengthen_the_prompt_and_the_cache() -> None:
    """1,036 tokens of a picture of 768 × 1024 in Mistral Small 3.1 (PixtralImageProcessor of transformers 5.24.0)."""
    est = rl.estimate("mistral-small-3.1-24b", gpu="h100", images=1, image_size="768x1024")
    alone = rl.estimate("mistral-small-3.1-24b", gpu="h100", prompt=512 + 1036)
    assert (est.inputs["prompt"], est.inputs["prompt_tokens"]) == (512, 512 + 1036)
    assert est.memory.kv_cache_bytes == alone.memory.kv_cache_bytes
    assert est.phase("prefill").flops == alone.phase("prefill").flops
    assert "prompt 1,548 = 512 text + 1,036 of 1 picture" in est.question.kind.told(est.question).heading
    assert any("28 marker tokens" in note for note in est.assumptions)


@pytest.mark.parametrize(
    ("model", "size", "told"),
    [
        (_QWEN, None, "of 3 pictures of 1024×1024 (assumed),"),
        (_QWEN, "1024x1024", "of 3 pictures,"),
        ("llava-1.5-7b", None, "of 3 pictures,"),
    ],
)
def test_a_size_that_is_assumed_stands_in_the_heading(model: str, size: str | None, told: str) -> None:
    """LLaVA 1.5 scales every picture to 336 px, Qwen2.5 VL takes it as it is."""
    est = rl.estimate(model, gpu="h100", images=3, image_size=size)
    assert told in est.question.kind.told(est.question).heading
    assert any("assumed, --image-size" in note for note in est.assumptions) == ("assumed" in told)


def test_pictures_take_activations_and_leave_the_parameters_alone() -> None:
    plain, seen = (rl.estimate(_GEMMA, gpu="h100", prompt=64, images=images) for images in (0, 8))
    assert seen.parameters == plain.parameters
    assert seen.memory.weights_bytes == plain.memory.weights_bytes
    assert seen.memory.activation_peak_bytes > 4 * plain.memory.activation_peak_bytes


def test_no_pictures_change_nothing() -> None:
    plain, none = rl.estimate(_QWEN, gpu="h100"), rl.estimate(_QWEN, gpu="h100", images=0, frames=0)
    assert plain.to_dict() == none.to_dict()


def test_a_text_that_is_encoded_in_chunks_has_its_pictures_encoded_in_parts() -> None:
    """An engine that reads so many tokens at a time encodes the pictures whose tokens these are."""
    whole = rl.estimate(_QWEN, gpu="h100", images=8, batch=8, chunk="none")
    parts = rl.estimate(_QWEN, gpu="h100", images=8, batch=8, chunk=2048)
    assert parts.memory.activation_peak_bytes < whole.memory.activation_peak_bytes / 8
    assert parts.phase("vision_encode").flops == whole.phase("vision_encode").flops


@pytest.mark.parametrize("size", ["448x448", "448", "448×448", "448px"])
def test_one_number_is_a_square(size: str) -> None:
    assert rl.estimate(_QWEN, gpu="h100", images=1, image_size=size).inputs["image_size"] == "448x448"


def test_height_comes_first() -> None:
    tall = rl.estimate("internvl3-8b", gpu="h100", images=1, image_size="1344x448")
    assert any("1344×448 px (height × width)" in note for note in tall.assumptions)


def test_without_a_size_it_is_the_encoders_own_else_a_square_of_1024() -> None:
    assert rl.estimate(_GEMMA, gpu="h100", images=1).inputs["image_size"] == "896x896"
    assert rl.estimate(_QWEN, gpu="h100", images=1).inputs["image_size"] == "1024x1024"


def test_sound_is_encoded_by_the_audio_tower() -> None:
    """750 tokens of half a minute in Qwen2-Audio, 375 in Voxtral; a minute and a half fills four windows of Voxtral."""
    est = rl.estimate("qwen2-audio-7b", gpu="h100", seconds=30.0, prompt=10)
    assert (est.phases[0].name, est.inputs["prompt_tokens"]) == ("audio_encode", 760)
    assert rl.estimate("qwen2-audio-7b", gpu="h100", seconds=10.0, prompt=10).inputs["prompt_tokens"] == 260
    assert rl.estimate("voxtral-mini-3b", gpu="h100", seconds=91.0, prompt=10).inputs["prompt_tokens"] == 10 + 4 * 375


def test_a_video_is_read_in_pairs_of_frames_or_frame_by_frame() -> None:
    pairs = rl.estimate(_QWEN, gpu="h100", frames=8, image_size="480x640", prompt=10).inputs["prompt_tokens"] - 10
    odd = rl.estimate(_QWEN, gpu="h100", frames=7, image_size="480x640", prompt=10).inputs["prompt_tokens"] - 10
    assert pairs == odd == 4 * 17 * 23
    assert rl.estimate(_GEMMA, gpu="h100", frames=3, prompt=10).inputs["prompt_tokens"] == 10 + 3 * 256


def test_a_grid_gives_what_single_questions_give() -> None:
    grid = rl.sweep(_QWEN, "h100", images=[0, 1, 3], frames=[0, 5], image_size=["448", "768x1024"], batch=[1, 4])
    names = list(grid.axes)
    for size in (0, 1):
        for images in (0, 1, 2):
            for frames in (0, 1):
                at = {"image_size": size, "images": images, "frames": frames, "batch": 1}
                point = grid[tuple(at[name] for name in names)]
                how: dict[str, Any] = {name: point[name] for name in at}
                est = rl.estimate(_QWEN, gpu="h100", **how)
                assert point["ttft_s"] == pytest.approx(est.latency.ttft.expected)
                assert point["total_bytes"] == pytest.approx(est.memory.total_bytes)


def test_seconds_of_sound_are_an_axis() -> None:
    grid = rl.sweep("qwen2-audio-7b", "h100", seconds=[0.0, 4.2, 65.0])
    for place, seconds in enumerate((0.0, 4.2, 65.0)):
        est = rl.estimate("qwen2-audio-7b", gpu="h100", seconds=seconds)
        assert grid["ttft_s"][place] == pytest.approx(est.latency.ttft.expected)


@pytest.mark.parametrize("how", [{"tp": 2}, {"pp": 2}, {"cp": 2}, {"dp": 2}, {"tp": 3, "pad_heads": True}])
def test_devices_share_the_work_of_an_encoder_or_repeat_it(how: dict[str, Any]) -> None:
    gpus = 3 if how.get("tp") == 3 else 2
    one, several = rl.estimate(_QWEN, gpu="h100", images=2), rl.estimate(_QWEN, gpu="h100", images=2, gpus=gpus, **how)
    alone, shared = one.phase("vision_encode"), several.phase("vision_encode")
    assert 0 < shared.times.floor <= alone.times.floor * 1.0001
    assert (shared.flops < 0.7 * alone.flops) == ("tp" in how)


def test_narrow_weights_leave_the_encoder_in_16_bit() -> None:
    wide, narrow = (rl.estimate(_QWEN, gpu="h100", images=1, weights=weights) for weights in ("bf16", "fp8"))
    assert narrow.phase("vision_encode") == wide.phase("vision_encode")


@pytest.mark.parametrize(
    ("model", "how", "message"),
    [
        ("mistral-7b", {"images": 1}, "mistral-7b reads no pictures"),
        ("mistral-7b", {"image_size": "512"}, "mistral-7b reads no pictures"),
        (_QWEN, {"seconds": 3.0}, "reads no sound"),
        ("qwen2-audio-7b", {"images": 1}, "reads no pictures"),
        ("sdxl", {"images": 1}, "--images goes with language models"),
        ("bert-base", {"images": 1}, "--images goes with models that generate"),
        (_QWEN, {"images": -1}, "--images must be a whole number"),
        (_QWEN, {"images": 10**9}, "tokens of prompt"),
        (_QWEN, {"images": 1, "image_size": "100x1000000000"}, "sides from 1 to 65,536"),
        (_QWEN, {"images": 1, "image_size": "0x5"}, "sides from 1 to 65,536"),
        (_QWEN, {"images": 1, "image_size": "wide"}, "height x width in pixels"),
        (_QWEN, {"images": 1, "image_size": "1x900"}, "more than 200 times"),
        (_QWEN, {"image_size": "512"}, "of how many pictures"),
        (_QWEN, {"images": 1, "no_vision": True}, "is not loaded: --no-vision leaves it out"),
        (_QWEN, {"images": 1, "engine": "llama.cpp"}, "llama.cpp leaves it out; --vision holds it"),
        ("qwen2-audio-7b", {"seconds": -1.0}, "from 0 to 1e"),
        ("minimax-m3", {"images": 1}, "is not known"),
    ],
)
def test_what_makes_no_sense_is_refused(model: str, how: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        rl.estimate(model, gpu="h100", **how)


def test_llama_cpp_sees_pictures_where_its_tower_is_held() -> None:
    est = rl.estimate(_QWEN, gpu="h100", images=1, engine="llama.cpp", vision=True)
    assert est.phases[0].name == "vision_encode"


def test_expected_times_are_explained_phase_by_phase() -> None:
    from roofline.analysis.explain import explain

    told = {item.quantity: item for item in explain(rl.estimate(_QWEN, gpu="h100", images=1))}
    assert "vision_encode + prefill" in told["latency.ttft_s"].formula
    assert told["vision_encode.flops"].value == rl.estimate(_QWEN, gpu="h100", images=1).phase("vision_encode").flops
    parts = sum(term.value for term in told["latency.ttft_expected_s"].terms)
    assert parts == pytest.approx(told["latency.ttft_expected_s"].value)
