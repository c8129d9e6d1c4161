"""What pictures hold beside tensors, in host memory, and in formats of single parts; searches that end."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import roofline as rl
from roofline.cli.app import app
from roofline.errors import UsageError
from roofline.passes.image.offload import PAGEABLE, read_picture_offload
from roofline.passes.image.workspace import workspace_bytes
from roofline.runs.image.held import SAFETY_CHECKER
from roofline.workload.constructors_image import Block, Plane
from roofline.workload.precision import Precision


def ask(model: str = "sd15", gpu: str = "a100", **options: Any) -> Any:
    return rl.estimate(model, gpu=gpu, **options)


def _buffer(batch: float, side: float, channels: float, dtype: str, kernel: float = 3.0) -> float:
    plane = Plane(batch, side, side)
    op = Block("b").convolution("conv", plane, plane, channels, channels, kernel)
    return float(workspace_bytes(op, Precision.of(dtype)))


def test_convolutions_copy_operand_and_result_in_16_bit_and_the_operand_in_fp32() -> None:
    elements = 256 * 512**2
    assert _buffer(1, 512, 256, "fp16") == 2 * 2 * elements
    assert _buffer(1, 512, 256, "tf32") == 4 * elements


def test_a_batch_beyond_indices_of_32_bits_runs_in_pieces_and_a_picture_beyond_them_as_columns() -> None:
    assert _buffer(8, 1024, 256, "bf16") == 2 * 2 * (2 * 256 * 1024**2)  # 2 pictures of 2^28 elements in 2^29
    assert _buffer(7, 1024, 256, "bf16") == 2 * 2 * (7 * 256 * 1024**2)
    assert _buffer(1, 2912, 256, "bf16") == 9 * 2 * 256 * 2912**2
    assert _buffer(1, 2912, 256, "bf16", kernel=1.0) == 0


def test_the_safety_checker_is_held_in_its_own_part() -> None:
    """From shapes: 303,179,776 of CLIP's vision tower, 786,432 of its projection, 15,380 of concepts."""
    assert SAFETY_CHECKER == 303_179_776 + 786_432 + 15_380
    assert ask().memory.safety_checker_bytes == 2 * SAFETY_CHECKER
    assert ask(weights="fp32").memory.safety_checker_bytes == 4 * SAFETY_CHECKER
    without = ask(no_safety_checker=True)
    assert without.memory.safety_checker_bytes == 0
    assert without.memory.total_bytes == ask().memory.total_bytes - 2 * SAFETY_CHECKER
    assert without.inputs["no_safety_checker"] is True
    assert ask("sdxl").memory.safety_checker_bytes == 0
    with pytest.raises(UsageError, match="comes without a safety checker"):
        ask("sdxl", no_safety_checker=True)


def test_the_ideal_engine_holds_tensors_alone() -> None:
    memory = ask(engine="ideal").memory
    assert memory.total_bytes == memory.weights_bytes + memory.activation_peak_bytes


def test_flux_ends_where_indices_do() -> None:
    """An A100 of 80 GB decodes FLUX untiled at 2,048 px and not at the next sizes that people take.

    Above 2,896 px a picture of 256 channels passes 2^31 elements, and its convolutions nine times their operand.
    """
    assert 2048 < ask("flux.1-dev").memory.max_side < 3072
    below, above = (ask("flux.1-dev", height=side, width=side).memory.workspace_bytes for side in (2896, 2912))
    assert above > 4 * below
    assert ask("flux.1-dev", tiling="vae").memory.max_side > 4096


def test_every_search_ends_at_a_bound() -> None:
    start = time.process_time()
    for options in ({"tiling": True}, {"tiling": "vae", "slicing": True}, {"tiling": True, "offload": "leaf"}):
        memory = ask(gpu="rtx-3070", **options).memory
        assert 512 <= memory.max_side <= 16_384
        assert 1 <= memory.max_batch <= 2**20
    assert time.process_time() - start < 3.0
    assert ask("taesd", gpu="b200", tiling=True).memory.max_side == 16_384


def test_only_the_autoencoder_runs_in_tiles() -> None:
    assert ask(tiling="vae").phases == ask(tiling=True).phases
    with pytest.raises(UsageError, match="only the autoencoder"):
        ask(tiling="unet")


# --- formats of single parts


def test_a_part_has_its_own_format() -> None:
    """FLUX with its transformer in fp8 holds 21.85 GB of weights (diffusers-torchao)."""
    est = ask("flux.1-dev", gpu="h100", weights="bf16,denoiser=fp8")
    assert est.memory.weights_bytes == pytest.approx(21.85e9, rel=0.01)
    assert est.inputs["weights"] == "bf16,denoiser=fp8"
    assert "denoise in weights fp8, activations bf16" in est.assumptions
    whole, half = ask("flux.1-dev", gpu="h100"), est
    assert half.phase("denoise").times.bound < whole.phase("denoise").times.bound
    assert half.phase("vae_decode") == whole.phase("vae_decode")


@pytest.mark.parametrize(
    ("name", "part"), [("transformer", "denoiser"), ("vae", "autoencoder"), ("text_encoder_2", "text_encoder_2")]
)
def test_parts_go_by_the_names_of_diffusers_too(name: str, part: str) -> None:
    changed = ask("flux.1-dev", weights=f"{name}=int8").memory.components
    plain = ask("flux.1-dev").memory.components
    assert [each for each in plain if changed[each] != plain[each]] == [part]


def test_all_text_encoders_at_once_and_activations_of_a_part() -> None:
    est = ask("flux.1-dev", gpu="h100", weights="text_encoders=int8", activations="denoiser=fp8")
    assert est.inputs["weights"] == "bf16,text_encoder=int8,text_encoder_2=int8"
    assert est.inputs["activations"] == "bf16,denoiser=fp8"
    assert {row.dtype for row in est.ops("denoise") if row.kind == "attention"} == {"fp8"}


@pytest.mark.parametrize("weights", ["bf16,foo=fp8", "bf16,denoizer=fp8", "bf16,denoiser=", "vae=fp9", "bf16,fp8"])
def test_a_format_that_nothing_takes_is_refused(weights: str) -> None:
    with pytest.raises((UsageError, rl.errors.UnknownNameError)):
        ask("flux.1-dev", weights=weights)


def test_bitsandbytes_leaves_convolutions_and_what_stays_in_fp32() -> None:
    """FLUX.1-dev with transformer and T5 in nf4 loads in 12.584 GiB (huggingface/blog diffusers-quantization)."""
    memory = ask("flux.1-dev", gpu="h100", weights="bf16,denoiser=nf4,text_encoder_2=nf4").memory
    assert memory.weights_bytes == pytest.approx(12.584 * 2**30, rel=0.02)
    int8 = ask("flux.1-dev", gpu="h100", weights="bf16,denoiser=bnb-int8,text_encoder_2=bnb-int8").memory
    assert int8.weights_bytes == pytest.approx(19.273 * 2**30, rel=0.03)
    assert ask("sd-vae", weights="nf4").memory.weights_bytes > 0.97 * ask("sd-vae").memory.weights_bytes


def test_svdquant_has_a_low_rank_branch() -> None:
    """svdq-int4-flux.1-dev is a file of 6.77 GB; 4-bit weights with scales alone are 6.3 GB."""
    stored = ask("flux-dev-transformer", weights="svdquant-int4").memory.weights_bytes
    assert stored == pytest.approx(6.77e9, rel=0.03)


@pytest.mark.parametrize("weights", ["svdquant-int4", "bf16,denoiser=svdquant-int4"])
def test_the_products_of_a_branch_are_told_to_be_left_out(weights: str) -> None:
    notes = [note for note in ask("flux.1-dev", weights=weights).assumptions if "branch of rank 32" in note]
    assert len(notes) == 1
    assert "left out" in notes[0]
    assert not any("branch of rank" in note for note in ask("flux.1-dev").assumptions)


# --- offload


def test_offload_reads_modes_and_copies() -> None:
    assert read_picture_offload("none") is None
    for text, same in (
        ("model", "model"),
        ("model@pageable", "model"),
        ("sequential", "leaf"),
        ("group", "group"),
        ("group=4@pageable", "group=4@pageable"),
        ("leaf@pinned", "leaf@pinned"),
    ):
        away = read_picture_offload(text)
        assert away is not None
        assert away.text() == same


@pytest.mark.parametrize("text", ["foo", "model=3", "group=x", "group=0", "leaf@disk", "weights@host", "experts", ""])
def test_other_offload_is_refused_with_what_is_taken(text: str) -> None:
    with pytest.raises(UsageError, match="offload"):
        read_picture_offload(text)


def test_smaller_pieces_on_the_gpu_take_less() -> None:
    memory = ask("flux.1-dev").memory
    needs = [memory.leaf_offload_bytes, memory.group_offload_bytes, memory.model_offload_bytes, memory.total_bytes]
    assert needs == sorted(needs)
    for mode, need in (("leaf", needs[0]), ("group", needs[1]), ("model", needs[2])):
        assert ask("flux.1-dev", offload=mode).memory.total_bytes == need
    assert (
        ask("flux.1-dev", offload="group=4").memory.weights_bytes
        > ask("flux.1-dev", offload="group").memory.weights_bytes
    )


def test_copies_cost_what_a_machine_showed() -> None:
    """FLUX.1-dev, 28 steps, on an L20: 32.6 s more by parts, 311.6 s more by leaves, 1.2 s more prefetched."""
    seconds = {
        mode: ask("flux.1-dev", gpu="l40s", offload=mode).latency.transfer for mode in ("model", "leaf", "group")
    }
    assert seconds["model"].expected == pytest.approx(32.6, rel=0.05)
    assert seconds["leaf"].expected == pytest.approx(311.6, rel=0.05)
    assert seconds["group"].expected < 2.0
    assert seconds["model"].low == seconds["model"].bound < seconds["model"].expected


def test_pinned_memory_comes_at_the_rate_of_the_link_and_a_stream_hides_it() -> None:
    pinned = ask("flux.1-dev", gpu="l40s", offload="leaf@pinned").latency.transfer
    moved = ask("flux.1-dev", gpu="l40s", offload="leaf").latency.transfer.expected * PAGEABLE
    assert pinned.expected == pinned.bound == pytest.approx(moved / 31.5e9, rel=0.02)
    here, group = ask("flux.1-dev", gpu="l40s"), ask("flux.1-dev", gpu="l40s", offload="group")
    hidden = group.latency.total.expected - here.latency.total.expected
    assert hidden == pytest.approx(group.latency.transfer.expected, abs=1e-6)
    assert hidden < pinned.expected


def test_offload_goes_with_grids() -> None:
    batches = np.array([1.0, 8.0])
    for mode in ("model", "group=2", "leaf"):
        grid = ask("sdxl", batch=batches, offload=mode)
        for i, batch in enumerate((1, 8)):
            point = ask("sdxl", batch=batch, offload=mode)
            assert grid.memory.total_bytes[i] == point.memory.total_bytes
            assert grid.latency.total.expected[i] == pytest.approx(point.latency.total.expected, rel=1e-12)


def test_the_command_line_takes_tiling_as_a_flag_and_as_a_word() -> None:
    def out(*words: str) -> tuple[int, str]:
        ran = CliRunner().invoke(app, ["estimate", "-m", "sd15", "-g", "a100", "--json", *words])
        return ran.exit_code, ran.stdout

    flag, word, joined = out("--tiling"), out("--tiling", "vae"), out("--tiling=vae")
    assert flag[0] == 0
    assert flag == word == joined
    assert json.loads(flag[1])["inputs"]["tiling"] == "vae"
    assert out("--tiling=unet")[0] == 2
    assert out("--tiling", "unet")[0] == 2
