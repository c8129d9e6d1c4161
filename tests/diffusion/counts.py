"""Recorded counts of image models, and the same counts from the ledger."""

from __future__ import annotations

import gzip
import json
import re
from functools import cache
from pathlib import Path
from typing import Any, Final

from roofline.architectures.image.codecs.autoencoder import decode_ops, encode_ops, tiny_decode_ops, tiny_encode_ops
from roofline.architectures.image.denoiser import control_ops, denoiser_ops
from roofline.architectures.image.plain import plain_decode_ops, plain_encode_ops
from roofline.architectures.image.text_encoder import text_encoder_ops
from roofline.specs.files.library import bundled
from roofline.specs.files.reader import read_model
from roofline.specs.image.parts import ControlNetSpec
from roofline.specs.image.text_encoder import TextEncoderSpec
from roofline.workload.constructors_image import Plane
from roofline.workload.op import Op

DATA: Final[dict[str, Any]] = json.loads(gzip.decompress((Path(__file__).parent / "counts.json.gz").read_bytes()))
MODELS: Final[dict[str, Any]] = DATA["models"]
RUNS: Final = [(name, run) for name, facts in MODELS.items() for run in facts["runs"]]


CODECS: Final[dict[tuple[str, str], Any]] = {
    ("autoencoder", "encode"): encode_ops,
    ("autoencoder", "decode"): decode_ops,
    ("tiny_autoencoder", "encode"): tiny_encode_ops,
    ("tiny_autoencoder", "decode"): tiny_decode_ops,
    ("vqvae", "encode"): plain_encode_ops,
    ("vqvae", "decode"): plain_decode_ops,
}


@cache
def spec_of(name: str) -> Any:
    return read_model(bundled("models") / f"{name}.yaml")


def ops_of(name: str, run: str) -> list[Op]:
    """The ops of a recorded run, whose name tells its size: `64x64_b2`, `decode_64x64_b1`, `77tok_b1`, `…_t333_b1`."""
    spec = spec_of(name)
    parts = run.removesuffix("_fp32").split("_")
    batch = float(next(part for part in parts if re.fullmatch(r"b\d+", part))[1:])
    if isinstance(spec, TextEncoderSpec):
        return text_encoder_ops(spec, batch, float(parts[0].removesuffix("tok")))
    height, width = map(float, next(part for part in parts if "x" in part).split("x"))
    text = next((float(part[1:]) for part in parts if re.fullmatch(r"t\d+", part)), 77.0)
    plane = Plane(batch, height, width)
    if parts[0] in ("decode", "encode"):
        pixels = Plane(batch, spec.scale * height, spec.scale * width)
        return CODECS[spec.family, parts[0]](spec, plane if parts[0] == "decode" else pixels)
    if isinstance(spec, ControlNetSpec):
        return control_ops(spec, plane, text)
    return denoiser_ops(spec, plane, text)


def element_bytes(run: str) -> int:
    return 4 if run.endswith("_fp32") else 2


def row(ops: list[Op], width: int = 2) -> list[float]:
    """Kernels, FLOPs, bytes in, bytes out, as the recorder counts: a table that is looked up counts as a whole."""
    kernels = sum(op.count * op.kernels for op in ops)
    flops = sum(op.count * op.flops for op in ops)
    read = sum(op.count * ((op.read + streamed(op)) * width + op.read_fp32 * 4) for op in ops)
    written = sum(op.count * (op.write * width + op.write_fp32 * 4) for op in ops)
    return [kernels, flops, read, written]


def streamed(op: Op) -> Any:
    """Weights that the recorder charges: of a table all rows, though only those looked up are read."""
    if op.kind != "gather":
        return op.weights
    return TABLES.get(op.name, 0.0) if not op.params else op.params


#: The table of class labels, which is looked up once more without holding its parameters again.
TABLES: Final = {"class_embedding": 1001.0 * 1152.0}


def peak(ops: list[Op], width: int = 2) -> float:
    return max((op.read + op.write + op.live) * width + (op.read_fp32 + op.write_fp32) * 4 for op in ops)


def fold(block: str) -> str:
    """A block's name without the number of a layer that is like its neighbours."""
    return re.sub(r"^(encoder\.layers|decoder\.layers)[.\-\d]*$", r"\1", block)
