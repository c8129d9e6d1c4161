"""Training steps of image models against the reference library: FLOPs, trained parameters and kept bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roofline.analysis.training.image.training import discriminator_training, image_training
from roofline.errors import UnsupportedError, UsageError
from roofline.importers.huggingface.read import read_config
from roofline.passes.training.adapters import Adapters
from roofline.passes.training.gradients import gradient_ops
from roofline.runs.load import load_model
from roofline.workload.run import ImageRun
from tests.passes.training.image_counts import FACTS, flops, gradient_flops, kept, named, step

_ROWS: Final = FACTS["rows"]
_FURTHER: Final = FACTS["further"]["rows"]
_CLASSES: Final = [(name, mode) for name, modes in FACTS["further"]["classes"].items() for mode in modes]
_CONFIGS: Final = {
    f"{row['class']}-{row['name']}": row
    for row in json.loads((Path(__file__).parents[2] / "diffusion" / "classes.json").read_text("utf-8"))
}
_PLAIN: Final = FACTS["plain"]["models"]
_FAMILIES: Final = (
    "sd15-unet",
    "dit-xl-2-256",
    "pixart-alpha-512-transformer",
    "sd3-medium-mmdit",
    "flux-dev-transformer",
)


def _named(row: dict[str, Any]) -> str:
    return f"{row['model']}-{row['mode']}-{row['side']}-b{row['batch']}"


@pytest.mark.parametrize("row", _ROWS, ids=_named)
def test_a_step_has_the_flops_and_kept_bytes_of_the_reference(row: dict[str, Any]) -> None:
    done = named(row["model"], row["mode"], float(row["batch"]), float(row["side"]))
    assert flops(done.forward) == row["forward"]
    assert gradient_flops(done.flows) == row["backward"]
    assert flops(done.recomputed) == row["recomputed"]
    assert done.trainable == row["trainable"]
    assert row["kept"] in (None, kept(done))


@pytest.mark.parametrize("row", _FURTHER, ids=_named)
def test_models_that_no_rule_was_written_for(row: dict[str, Any]) -> None:
    spec: Any = load_model(row["model"])
    done = step(spec, row["mode"], float(row["batch"]), float(row["side"]))
    assert flops(done.forward) == row["forward"]
    assert gradient_flops(done.flows) + flops(done.recomputed) == row["backward"]
    wide_noise = 0.0
    if spec.family == "autoencoder":  # counted here with noise of 16 bit, in the rows above with noise of 4 bytes
        wide_noise = 2.0 * spec.latent_channels * row["side"] ** 2 * row["batch"]
    assert kept(done) - wide_noise == row["kept"]


@pytest.mark.parametrize(("name", "mode"), _CLASSES)
def test_classes_with_unusual_options(name: str, mode: str, tmp_path: Path) -> None:
    row = _CONFIGS[name]
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"_class_name": row["class"], **row["config"]}))
    spec: Any = read_config(file)
    coder = spec.family == "autoencoder"
    side = row["side"] * (8.0 / spec.scale if coder else 1.0)
    done = step(spec, mode, 2.0, side)
    forward, backward, saved = FACTS["further"]["classes"][name][mode]
    assert flops(done.forward) == forward
    assert gradient_flops(done.flows) + flops(done.recomputed) == backward
    wide_noise = 2.0 * spec.latent_channels * side**2 * 2.0 if coder else 0.0
    assert kept(done) - wide_noise == saved


@pytest.mark.parametrize("row", FACTS["adapters"]["rows"], ids=lambda row: f"{_named(row)}-{'-'.join(row['targets'])}")
def test_adapters_by_names_of_modules(row: dict[str, Any]) -> None:
    size, checkpoints = 8.0 * row["side"], row["mode"] == "checkpointed"
    done = image_training(
        load_model(row["model"]),
        ImageRun(batch=float(row["batch"]), height=size, width=size),
        adapters=Adapters(16.0, tuple(row["targets"])),
        recompute="full" if checkpoints else "none",
    )
    assert flops(done.forward) == row["forward"]
    assert gradient_flops(done.flows) + flops(done.recomputed) == row["backward"]
    assert (kept(done), done.trainable) == (row["kept"], row["trainable"])


def test_a_controlnet_is_trained_through_a_denoiser_that_stays() -> None:
    facts = FACTS["controlnet"]
    done = image_training(load_model("stable-diffusion-v1-5-controlnet"), ImageRun(), part="controlnet")
    assert flops(done.forward) == facts["forward"]
    assert gradient_flops(done.flows) == facts["backward"]
    assert done.trainable == 361_279_120
    weights = [op for flow in done.flows if flow.weights for op in gradient_ops(flow._replace(inputs=False))]
    assert flops(weights) == facts["grad_weight"]


@pytest.mark.parametrize(
    ("pipeline", "size", "expected"),
    [
        ("stable-diffusion-v1-5", 512.0, ("sd_vae_encode_512px", "clip_l")),
        ("sd-2.1-base", 512.0, ("sd_vae_encode_512px", "clip_h")),
        ("sdxl", 1024.0, ("sd_vae_encode_1024px", "clip_l", "clip_g")),
        ("stable-diffusion-v1-5", 256.0, ("sd_vae_encode_256px", "clip_l")),
    ],
)
def test_what_is_not_at_hand_is_encoded_in_every_step(pipeline: str, size: float, expected: tuple[str, ...]) -> None:
    done = image_training(load_model(pipeline), ImageRun(height=size, width=size), cached=False)
    encoded = [flops(phase.ops) * phase.repeat for phase in done.frozen]
    assert encoded == [FACTS["frozen"][name]["forward_flops"] for name in expected]


@pytest.mark.parametrize("name", _PLAIN)
def test_a_plain_denoiser(name: str) -> None:
    facts, spec = _PLAIN[name], load_model(f"eai-{name.replace('_', '-')}-unet")
    row = facts["ddpm_train_step"]
    done = step(spec, "full", float(row["batch"]), float(facts["latent"][1]))
    assert (flops(done.forward), gradient_flops(done.flows)) == (row["fwd_flops"], row["bwd_flops"])


@pytest.mark.parametrize("name", ["mnist", "celebhq"])
@pytest.mark.parametrize(
    ("judges", "which"), [("none", "ae_only"), ("perceptual", "ae+lpips"), ("adversarial", "generator_full")]
)
def test_an_autoencoder_and_what_judges_it(name: str, judges: Any, which: str) -> None:
    rows, side = _PLAIN[name]["vqvae_train_step"], float(_PLAIN[name]["im_size"])
    run = ImageRun(batch=float(rows["batch"]), height=side, width=side)
    done = image_training(load_model(f"eai-{name}-vqvae"), run, part="vae", judges=judges)
    assert (flops(done.forward), gradient_flops(done.flows)) == (rows[which]["fwd_flops"], rows[which]["bwd_flops"])


@pytest.mark.parametrize("name", ["mnist", "celebhq"])
def test_a_discriminators_own_step(name: str) -> None:
    facts, spec = _PLAIN[name], load_model(f"eai-{name}-vqvae")
    rows, side = facts["vqvae_train_step"], float(facts["im_size"])
    run = ImageRun(batch=float(rows["batch"]), height=side, width=side)
    done = discriminator_training(spec, run)
    row = rows["discriminator_step"]
    assert (flops(done.forward), gradient_flops(done.flows)) == (row["fwd_flops"], row["bwd_flops"])
    assert done.trainable == facts["discriminator_params"]


@pytest.mark.parametrize("name", _FAMILIES)
def test_an_array_of_batches_gives_what_each_gives(name: str) -> None:
    spec: Any = load_model(name)
    batches = np.array([1.0, 2.0, 4.0])
    many = image_training(spec, ImageRun(batch=batches, height=256.0, width=256.0))
    bytes_of = sum(each.bytes for each in many.kept)
    alone = [kept(image_training(spec, ImageRun(batch=float(b), height=256.0, width=256.0))) for b in batches]
    assert list(bytes_of) == alone  # type: ignore[arg-type]


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(_FAMILIES), st.integers(2, 8), st.sampled_from([256.0, 512.0, 768.0]))
def test_flops_are_linear_in_the_batch(name: str, batch: int, size: float) -> None:
    spec: Any = load_model(name)
    one = image_training(spec, ImageRun(batch=1.0, height=size, width=size))
    many = image_training(spec, ImageRun(batch=float(batch), height=size, width=size))
    assert flops(many.forward) == pytest.approx(batch * flops(one.forward), rel=1e-12)
    assert gradient_flops(many.flows) == pytest.approx(batch * gradient_flops(one.flows), rel=1e-12)
    assert kept(many) <= batch * kept(one) * 1.2


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from(_FAMILIES), st.sampled_from([1.0, 4.0, 16.0]), st.sampled_from([("to_q",), ("to_v", "to_k"), ()])
)
def test_adapters_cost_no_more_gradients_than_all_weights(name: str, rank: float, targets: tuple[str, ...]) -> None:
    spec: Any = load_model(name)
    run = ImageRun(height=256.0, width=256.0)
    full, lora = image_training(spec, run), image_training(spec, run, adapters=Adapters(rank, targets))
    base = [flow for flow in lora.flows if ".lora_" not in flow.op.name]
    assert gradient_flops(base) <= gradient_flops(full.flows)
    assert flops(flow.op for flow in base) == flops(full.forward)
    assert lora.trainable < full.trainable
    again = image_training(spec, run, adapters=Adapters(rank, targets), recompute="full")
    assert flops(again.recomputed) <= flops(lora.forward)
    assert kept(again) <= kept(lora)


def test_a_target_of_one_block_starts_the_gradients_there() -> None:
    run = ImageRun(height=256.0, width=256.0)
    late = image_training(load_model("sd15-unet"), run, adapters=Adapters(16.0, ("ff.net.2", "up_blocks.3.attn1.to_q")))
    only = image_training(load_model("sd15-unet"), run, adapters=Adapters(16.0, ("up_blocks.3.attn1.to_q",)))
    assert {flow.op.block for flow in only.flows if flow.inputs} <= {
        "up_blocks.3",
        "conv_norm_out",
        "conv_act",
        "conv_out",
    }
    assert gradient_flops(only.flows) < 0.5 * gradient_flops(late.flows)


def test_what_cannot_be_trained_is_refused_by_name() -> None:
    run = ImageRun(height=256.0, width=256.0)
    with pytest.raises(UsageError, match=r"no layer of this model is named 'q_proj'.*to_q"):
        image_training(load_model("sd15-unet"), run, adapters=Adapters(16.0, ("q_proj",)))
    with pytest.raises(UsageError, match="has no denoiser"):
        image_training(load_model("sd-vae"), run)
    with pytest.raises(UsageError, match="has no ControlNet"):
        image_training(load_model("sdxl"), run, part="controlnet")
    with pytest.raises(UsageError, match="one part of a pipeline"):
        image_training(load_model("sd15-unet"), run, cached=False)
    with pytest.raises(UsageError, match="no checkpoints"):
        image_training(load_model("eai-mnist-unet"), run, recompute="full")
    with pytest.raises(UsageError, match="--part is vae"):
        image_training(load_model("sd-vae"), run, part="vae", adapters=Adapters(16.0, ()))
    with pytest.raises(UnsupportedError, match="taesd"):
        image_training(load_model("taesd"), run, part="vae")
