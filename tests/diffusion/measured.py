"""Published measurements of image models, and the question that each of them answers."""

from __future__ import annotations

import csv
import gzip
import io
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import roofline as rl

#: How the sources call GPUs, and how many of them a row has.
#: Accelerators as the rows name them.
_ALONE: Final = {
    "a100-sxm-80gb": ("A100", "A800-SXM4-80GB"),
    "v100-sxm2-32gb": ("V100", "Tesla V100-SXM2-16GB"),
    "t4": ("T4",),
    "a100-pcie-80gb": ("NVIDIA A100 80GB PCIe",),
    "a6000": ("NVIDIA RTX A6000",),
    "a100-sxm-40gb": ("NVIDIA A100-SXM4-40GB", "A100-40GB"),
    "rtx-4090": ("RTX 4090", "4090", "RTX4090", "NVIDIA GeForce RTX 4090"),
    "a10": ("NVIDIA A10", "A10"),
    "rtx-3090": ("RTX 3090", "3090", "RTX3090"),
    "rtx-3090-ti": ("3090 Ti",),
    "rtx-3060-12gb": ("RTX 3060", "RTX 3060 (Windows 11)"),
    "a100-pcie-40gb": ("NVIDIA A100-PCIE-40GB", "A100(NVIDIA A100-PCIE-40GB)"),
    "h100-pcie": ("NVIDIA H100 PCIe",),
    "h100-sxm": ("H100",),
    "rtx-3080": ("RTX 3080-10GB",),
    "titan-rtx": ("TITAN RTX",),
    "h100-nvl": ("H800-NVL-80GB", "NVIDIA H800-NVL-80GB"),
    "gh200-96gb": ("NVIDIA GH200 Grace Hopper Superchip 96GB x1", "NVIDIA GH200 Grace Hopper Superchip 144GB x1"),
}
_SEVERAL: Final = {
    "NVIDIA H100-SXM-80GB x8": ("h100-sxm", 8),
    "NVIDIA H200-SXM-141GB x8": ("h200-sxm", 8),
    "NVIDIA H100-NVL-94GB x4": ("h100-nvl", 4),
    "NVIDIA L40S x2": ("l40s", 2),
    "NVIDIA H100-SXM-80GB x4": ("h100-sxm", 4),
    "NVIDIA H100-PCIe-80GB x8": ("h100-pcie", 8),
    "NVIDIA H100-PCIe-80GB x2": ("h100-pcie", 2),
    "NVIDIA H100-PCIe-80GB x4": ("h100-pcie", 4),
    "NVIDIA H100-NVL-94GB x8": ("h100-nvl", 8),
}
GPUS: Final[dict[str, tuple[str, int]]] = {name: (gpu, 1) for gpu, names in _ALONE.items() for name in names} | _SEVERAL
_MODELS: Final = {
    "stable-diffusion-v1-5": ("SD1.5", "SD1.x", "SD1.5 img2img"),
    "stable-diffusion-v1-4": ("SD1.4",),
    "sd-2.1": ("SD2.1",),
    "sd-2.1-base": ("SD2.1-base", "SD2.1-base (default of compile.py)"),
    "sdxl": ("SDXL base",),
    "sdxl-lcm": ("SDXL-LCM",),
    "sd3-medium": ("SD3-medium",),
    "pixart-alpha": ("PixArt-alpha 1024",),
    "stable-diffusion-v1-5-controlnet": ("SD1.5+ControlNet",),
    "stable-diffusion-inpainting": ("SD1.5 inpaint",),
}
MODELS: Final[dict[str, str]] = {name: model for model, names in _MODELS.items() for name in names}
#: Word of a metric, the phase that it is about, and how often it was called.
_PARTS: Final = (
    ("clip", "text_encode", 1),
    ("x4", "denoise", 4),
    ("unet", "denoise", 1),
    ("vae", "vae_decode", 1),
)
_TIMES: Final = ("s", "ms", "it/s", "s/it", "samples/s")


class Timing(NamedTuple):
    """A row: its number and words, the measured seconds, the floor of the same work, and the bound of its kernels."""

    row: int
    label: str
    measured_s: float
    floor_s: float
    bound_s: float


@cache
def rows() -> list[dict[str, str]]:
    text = gzip.decompress((Path(__file__).parent / "measured.csv.gz").read_bytes()).decode()
    return list(csv.DictReader(io.StringIO(text)))


def formats(text: str) -> dict[str, str] | None:
    """The formats that a row states, or None where no format of this package is meant."""
    words = text.lower()
    if words.startswith("fp32"):
        return {"weights": "fp32"}
    for name in ("fp8", "int8"):  # TensorRT's, which quantises activations too
        if name in words:
            return {"weights": f"{name}-a8", "activations": "fp16"}
    return {"weights": "fp16"} if words in ("fp16", "bf16") else None


def complete(row: dict[str, str]) -> bool:
    """Whether a row states GPU, model, format, batch, size and steps, all of which are known here."""
    batch = row["batch"] or row["unit"] == "samples/s"
    stated = row["gpu"] in GPUS and row["model"] in MODELS and formats(row["dtype"]) is not None
    return bool(stated and batch and row["steps"] and row["height"] and row["unit"] in _TIMES)


def timing(row: dict[str, str]) -> Timing:
    """The measured time of a row and the floor of what was timed."""
    gpu, devices = GPUS[row["gpu"]]
    name = MODELS[row["model"]]
    options: dict[str, Any] = {**(formats(row["dtype"]) or {}), "batch": int(row["batch"] or 1)}
    options |= {"height": int(row["height"]), "width": int(row["width"]), "steps": int(row["steps"])}
    if row["cfg"].startswith("no") and name != "sdxl-lcm":
        options["guidance"] = 0
    est: Any = rl.estimate(name, gpu=gpu, **options)
    value, unit = float(row["value"]), row["unit"]
    seconds = {"s": value, "ms": value / 1e3, "s/it": value, "it/s": 1 / value, "samples/s": devices / value}[unit]
    label = f"{row['model']}, {row['gpu']}, {row['dtype']}, {row['engine']}, batch {row['batch']}"
    at_level: Any = rl.estimate(name, gpu=gpu, **options, fusion=level(row["engine"]))
    return Timing(int(row["id"]), label, seconds, _reading(est, row, "floor"), _reading(at_level, row, "bound"))


def level(engine: str) -> str:
    """What a row's engine writes to memory: scores, all that eager code writes, or at best the products' operands."""
    if "compile" not in engine and ("eager" in engine or "SDPA" in engine):
        return "flash"
    return "classic" if "math" in engine or "vanilla" in engine else "operands"


def _reading(est: Any, row: dict[str, str], reading: str) -> float:
    metric = row["metric"].lower()
    if row["unit"] in ("it/s", "s/it"):
        return float(getattr(est.latency.step, reading))
    if row["unit"] == "ms":
        for word, phase, calls in _PARTS:
            if word in metric:
                return float(getattr(est.phase(phase).times, reading)) * calls
    return float(getattr(est.latency.total, reading))
