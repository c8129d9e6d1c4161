"""Image models against a framework's own counter: parameters, FLOPs, kernels, bytes and peaks, to the last digit."""

from __future__ import annotations

from collections import defaultdict

import pytest

from roofline.architectures.image.pipeline import image_workload
from roofline.architectures.image.unets.unet import unet_ops
from roofline.passes.image.levels import LEVELS, image_level, without_casts
from roofline.workload.constructors_image import Plane
from roofline.workload.op import Op
from roofline.workload.precision import Precision
from roofline.workload.run import ImageRun
from roofline.workload.workload import Phase, Workload

from .counts import DATA, MODELS, RUNS, element_bytes, fold, ops_of, peak, row, spec_of
from .document import TARGET, document

#: The allocator hands out blocks of 512 bytes; tensors of odd sizes and of fp32 are not rounded here.
ALLOCATION = 512
MODE = {"vanilla": "classic", "slice_auto": "slice-auto", "slice_max": "slice-max", "sdpa": "flash"}


def at_level(ops: list[Op], level: str) -> list[Op]:
    workload = image_level(Workload((Phase("denoise", tuple(ops)),)), level)  # type: ignore[arg-type]
    return list(workload.phases[0].ops)


@pytest.mark.parametrize("name", [name for name in MODELS if "params" in MODELS[name]])
def test_parameters_by_block(name: str) -> None:
    facts = MODELS[name]
    workload = image_workload(spec_of(name), ImageRun())
    assert workload.parameters == facts["params"]
    found: dict[str, float] = defaultdict(float)
    for phase in workload.phases:
        for op in phase.ops:
            if op.params and not op.name.endswith("(idle)"):
                found[fold(op.block)] += op.count * op.params
    if "params_by_block" in facts:
        assert dict(found) == facts["params_by_block"]


@pytest.mark.parametrize(("name", "run"), RUNS)
def test_totals(name: str, run: str) -> None:
    assert row(ops_of(name, run), element_bytes(run)) == MODELS[name]["runs"][run]["total"]


@pytest.mark.parametrize(("name", "run"), RUNS)
def test_peak_of_activations(name: str, run: str) -> None:
    recorded = MODELS[name]["runs"][run]["peak"]
    found = peak(ops_of(name, run), element_bytes(run))
    assert found <= recorded
    exact = not run.endswith("_fp32") and all(int(side) % 2 == 0 for side in _sides(run)) and "large" not in name
    assert found == recorded if exact else recorded - found <= 4 * ALLOCATION


def _sides(run: str) -> list[int]:
    return [int(side) for part in run.split("_") if "x" in part for side in part.split("x")]


@pytest.mark.parametrize(("name", "run"), [(n, r) for n, r in RUNS if "blocks" in MODELS[n]["runs"][r]])
def test_blocks_and_classes(name: str, run: str) -> None:
    ops, facts = ops_of(name, run), MODELS[name]["runs"][run]
    blocks: dict[str, list[Op]] = defaultdict(list)
    for op in ops:
        blocks[fold(op.block)].append(op)
    assert {block: row(members, element_bytes(run)) for block, members in blocks.items()} == facts["blocks"]
    for kind, flops in facts["classes"].items():
        assert sum(op.count * op.flops for op in ops if op.kind == kind) == flops


@pytest.mark.parametrize(("name", "run"), [(n, r) for n, r in RUNS if "unet" in n and "math" in MODELS[n]["runs"][r]])
def test_math_attention(name: str, run: str) -> None:
    ops = at_level(ops_of(name, run), "math")
    assert [*row(ops), peak(ops)] == MODELS[name]["runs"][run]["math"]


@pytest.mark.parametrize("key", DATA["modes"])
def test_classic_and_sliced_attention(key: str) -> None:
    name, dtype, mode, run = key.split(":")
    ops, width = at_level(ops_of(name, run), MODE[mode]), 4 if dtype == "fp32" else 2
    if dtype == "fp32":
        ops = without_casts(ops)
    kernels, flops, moved, weights, top = DATA["modes"][key]
    found = row(ops, width)
    assert [found[0], found[1], found[2] + found[3]] == [kernels, flops, moved]
    assert sum(op.count * op.weights for op in ops) * width == weights
    assert abs(peak(ops, width) - top) <= (ALLOCATION if dtype == "fp32" else 0)


@pytest.mark.parametrize("key", DATA["sizes"])
def test_peaks_from_512_to_2048_pixels(key: str) -> None:
    """UNets see two latents (guidance), the autoencoder one."""
    name, mode, side = key.split(":")
    latent = int(side) // 8
    run = f"decode_{latent}x{latent}_b1" if name == "sd-vae" else f"{latent}x{latent}_b2"
    assert peak(at_level(ops_of(name, run), MODE[mode])) == DATA["sizes"][key]


#: GB and kernels of a phase with what operator counts hide on CUDA, and of its products alone (reference table).
HIDDEN = {
    ("sd15-unet", "64x64_b1"): (4.661, 826, 2.751),
    ("sd15-unet", "64x64_b2"): (7.604, 826, 3.784),
    ("sd2-unet", "96x96_b2"): (14.945, 826, 6.351),
    ("sdxl-unet", "128x128_b2"): (43.750, 1917, 20.569),
    ("sd-vae", "decode_64x64_b1"): (11.500, 176, 2.554),
    ("sd-vae", "decode_128x128_b1"): (45.702, 176, 9.920),
}


@pytest.mark.parametrize(("name", "run"), HIDDEN)
def test_hidden_kernels_and_operands(name: str, run: str) -> None:
    moved, kernels, operands = HIDDEN[name, run]
    cuda, products = row(at_level(ops_of(name, run), "cuda")), row(at_level(ops_of(name, run), "operands"))
    assert cuda[0] == kernels
    assert (cuda[2] + cuda[3]) / 1e9 == pytest.approx(moved, abs=0.001)
    assert (products[2] + products[3]) / 1e9 == pytest.approx(operands, abs=0.0006)


COMPILED = {"sd15_unet": "sd15-unet", "sd21_unet": "sd2-unet", "sdxl_unet": "sdxl-unet", "sd_vae_dec": "sd-vae"}


@pytest.mark.parametrize("key", DATA["compiler"])
def test_compiled_is_near_a_compiler(key: str) -> None:
    """A guide, not an oracle: the compiler was run for its CPU target."""
    model, size, batch, _ = key.split(":")
    run = f"{size}_{batch}" if model != "sd_vae_dec" else f"decode_{size}_{batch}"
    found = row(at_level(ops_of(COMPILED[model], run), "compiled"))
    assert 0.88 <= (found[2] + found[3]) / DATA["compiler"][key][0] <= 1.02


@pytest.mark.parametrize("name", ["sd15-unet", "sdxl-unet", "sd3-medium-mmdit", "flux-dev-transformer", "t5-xxl"])
def test_levels_move_ever_fewer_bytes_and_keep_what_is_held(name: str) -> None:
    precision = Precision.of("fp16")
    base = image_workload(spec_of(name), ImageRun())
    order = [image_level(base, level) for level in ("math", "classic", "flash", "compiled", "operands")]
    moved = [sum(phase.bytes(precision) for phase in workload.phases) for workload in order]
    assert moved == sorted(moved, reverse=True)
    for level in LEVELS:
        workload = image_level(base, level)
        assert workload.parameters == base.parameters
        assert sum(p.flops for p in workload.phases) == pytest.approx(sum(p.flops for p in base.phases), rel=1e-12)


def test_a_unet_beside_a_controlnet() -> None:
    """Recorded with diffusers 0.42.1: every skip and the middle are added to what the ControlNet gives."""
    ops = unet_ops(spec_of("sd15-unet"), Plane(2.0, 64.0, 64.0), 77.0, control=True)
    assert row(ops) == [741, 1_606_546_882_560, 4_574_370_976, 2_437_721_352]
    assert peak(ops) == 147_134_976


@pytest.mark.parametrize(("height", "width", "flops"), [(128, 128, 15_674_941_145_088), (100, 150, 13_815_812_785_152)])
def test_a_decoder_in_tiles(height: int, width: int, flops: int) -> None:
    """Recorded with diffusers 0.42.1 after enable_tiling()."""
    run = ImageRun(height=8.0 * height, width=8.0 * width, tiled=True)
    assert image_workload(spec_of("sd-vae"), run)["vae_decode"].flops == flops


def test_the_page_is_up_to_date() -> None:
    assert TARGET.read_text(encoding="utf-8") == document(), "run python -m diffusion.document in tests"
