"""Image models: parameters and MACs of Stable Diffusion, and the times and memory that were measured on it."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import roofline as rl

from .ask import Check, differs, equal, lower, upper

SD: Final = "stable-diffusion-v1-4"


def _picture(model: str, gpu: str, **options: Any) -> Any:
    return rl.estimate(model, gpu=gpu, **options)


def _parameters(part: str, start: str = "") -> float:
    phases = _picture(part, "a100").workload.phases
    ops = [op for phase in phases for op in phase.ops if not op.name.endswith("(idle)")]
    return float(sum(op.count * op.params for op in ops if op.block.startswith(start)))


def _macs(model: str, phase: str, *kinds: str, **options: Any) -> float:
    ops = _picture(model, "a100", **options).workload[phase].ops
    return float(sum(op.count * op.flops for op in ops if op.kind in kinds or not kinds)) / 2


def _normed(model: str, phase: str) -> float:
    """Elements that norms write."""
    ops = _picture(model, "a100").workload[phase].ops
    return float(sum(op.count * op.write for op in ops if op.kind == "norm"))


def _floor(model: str, gpu: str, unit: float = 1.0, **options: Any) -> float:
    return float(_picture(model, gpu, **options).latency.total.floor) * unit


def _step(model: str, gpu: str, **options: Any) -> float:
    return float(_picture(model, gpu, **options).latency.step.floor)


def _floor_and_memory(model: str, **options: Any) -> list[float]:
    """Seconds, and GiB, which the source calls GB."""
    est = _picture(model, "a100", engine="ideal", **options)
    return [float(est.latency.total.floor), float(est.memory.total_bytes) / 2**30]


def _unet(gpu: str, calls: int) -> float:
    """Milliseconds of `calls` calls of SDXL's UNet."""
    return _step("sdxl", gpu) * calls * 1e3


def _lcm(gpu: str) -> list[float]:
    """Milliseconds: text encoders, four calls of the UNet, decoder, all."""
    est = _picture("sdxl-lcm", gpu)
    text = sum(float(phase.times.floor) for phase in est.phases if phase.name.startswith("text"))
    parts = [text, 4 * float(est.phase("denoise").times.floor), float(est.phase("vae_decode").times.floor)]
    return [1e3 * value for value in [*parts, sum(parts)]]


def _denoiser_bytes(**options: Any) -> float:
    """GB for the denoiser alone, with text encoder and autoencoder on the CPU."""
    memory = _picture(SD, "a100", **options).memory
    return (memory.components["denoiser"] + float(memory.peaks["denoiser"])) / 1e9


_FAST: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "sdxlfast_fp32": ("sdxl", {"steps": 30, "weights": "fp32", "fusion": "classic"}),
    "sdxlfast_bf16": ("sdxl", {"weights": "bf16", "steps": 30}),
    "sdxlfast_sdpa": ("sdxl", {"steps": 30, "weights": "bf16"}),
    "sdxlfast_compile": ("sdxl", {"steps": 30, "weights": "bf16"}),
    "sdxlfast_fused_qkv": ("sdxl", {"steps": 30, "weights": "bf16"}),
    "sdxlfast_int8dyn": ("sdxl", {"steps": 30, "weights": "int8", "activations": "bf16"}),
    "sd15fast_fp32": ("sd15", {"weights": "fp32", "fusion": "classic"}),
    "sd15fast_sdpa": ("sd15", {"weights": "fp32"}),
    "sd15fast_fp32_compile": ("sd15", {"weights": "fp32"}),
    "sd15fast_bf16_all": ("sd15", {"weights": "bf16"}),
    "sd15fast_int8": ("sd15", {"weights": "int8", "activations": "bf16"}),
}
_TITAN: Final = {
    f"diffusers_titan_{name}": lower(partial(_floor, SD, "titan-rtx", weights=dtype, scheduler="ddim", steps=50))
    for dtype, names in {"fp32": ("fp32",), "fp16": ("fp16", "channels_last", "traced", "mem_efficient")}.items()
    for name in names
}
_30: Final[dict[str, Any]] = {"steps": 30}

CHECKS: Final[dict[str, Check]] = {
    "sd1_unet_params": equal(partial(_parameters, "sd15-unet")),
    "sd1_unet_macs_thop": equal(partial(_macs, "sd15-unet", "denoise", "convolution", "linear", guidance=0)),
    "sd1_unet_macs_full": equal(partial(_macs, "sd15-unet", "denoise", guidance=0)),
    "sd1_dec_params": equal(
        partial(_parameters, "sd-vae", "decoder."), "the decoder without the convolution before it"
    ),
    "sd1_text": differs(
        lambda: [_parameters("clip-l"), _macs("clip-l", "text_encode", "linear")],
        lambda: [
            _parameters("clip-l"),
            _macs("clip-l", "text_encode", "linear") + 4 * _normed("clip-l", "text_encode"),
        ],
        "thop counts four operations for every element of a layer norm, and no attention",
    ),
    "sd1_total_params": equal(
        lambda: _parameters("sd15-unet") + _parameters("sd-vae", "decoder.") + _parameters("clip-l")
    ),
    "mlc_vae": equal(lambda: _macs(SD, "vae_decode") / 1e9),
    "sdxl_unet_params": equal(partial(_parameters, "sdxl-unet")),
    "sd2_unet_params": equal(partial(_parameters, "sd2-unet")),
    "baseten_sdxl_h100": lower(partial(_floor, "sdxl", "h100", **_30)),
    "baseten_sdxl_a100": lower(partial(_floor, "sdxl", "a100", **_30)),
    "baseten_sdxl_a10g": lower(partial(_floor, "sdxl", "a10g", **_30)),
    "baseten_turbo": lower(partial(_floor, "sdxl-turbo", "h100", 1e3)),
    "baseten_sdxlcard_a10": lower(lambda: [_floor("sdxl", "a10", 1e3, **_30)] * 2),
    "baseten_sdxlcard_a100": lower(lambda: [_floor("sdxl", "a100", 1e3, **_30)] * 2),
    "baseten_sdxlcard_h100": lower(lambda: [_floor("sdxl", "h100", 1e3, **_30)] * 2),
    "baseten_lcm_a100": lower(partial(_lcm, "a100")),
    "baseten_lcm_h100": lower(partial(_lcm, "h100")),
    "baseten_sdxl40_a10": lower(partial(_unet, "a10", 40)),
    "baseten_sdxl40_a100": lower(partial(_unet, "a100", 40)),
    "baseten_sdxl40_h100": lower(partial(_unet, "h100", 40)),
    "onnx_6700xt_768": lower(partial(_step, "sd-2.1", "rx-6700xt")),
    "onnx_6700xt_512": upper(lambda: 1 / _step("sd-2.1-base", "rx-6700xt")),
    "onnx_min768": lower(
        lambda: float(_picture("sd-2.1", "a100", fusion="classic", engine="ideal").memory.total_bytes) / 1e9,
        "no fused attention",
    ),
    "onnx_min512": lower(partial(_denoiser_bytes, fusion="slice-max"), "text encoder and autoencoder on the CPU"),
    **{row: lower(partial(_floor_and_memory, model, **options)) for row, (model, options) in _FAST.items()},
    **_TITAN,
}
