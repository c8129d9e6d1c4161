"""An autoencoder's phases: whole pictures, one by one, or in overlapping tiles.

Source: diffusers 0.42.1, autoencoder_kl.py (enable_slicing, enable_tiling).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from roofline.architectures.image.codecs.autoencoder import decode_ops, encode_ops, tiny_decode_ops, tiny_encode_ops
from roofline.architectures.image.codecs.deep import deep_decode_ops, deep_encode_ops
from roofline.architectures.image.plain import plain_decode_ops, plain_encode_ops
from roofline.errors import UsageError
from roofline.num import Num
from roofline.specs.image.codecs import DeepAutoencoderSpec
from roofline.specs.image.parts import AutoencoderSpec, TinyAutoencoderSpec
from roofline.specs.image.plain import VQVAESpec
from roofline.workload.constructors_image import Block, Plane
from roofline.workload.op import Op
from roofline.workload.run import ImageRun
from roofline.workload.workload import Phase

Codec: TypeAlias = AutoencoderSpec | TinyAutoencoderSpec | VQVAESpec | DeepAutoencoderSpec
Half: TypeAlias = Callable[[Any, Plane], list[Op]]
#: Encoder and decoder of each kind.
_HALVES: Final[dict[type[Codec], tuple[Half, Half]]] = {
    AutoencoderSpec: (encode_ops, decode_ops),
    TinyAutoencoderSpec: (tiny_encode_ops, tiny_decode_ops),
    VQVAESpec: (plain_encode_ops, plain_decode_ops),
    DeepAutoencoderSpec: (deep_encode_ops, deep_decode_ops),
}
#: All kinds, for `isinstance`.
CODECS: Final = tuple(_HALVES)
#: Part of a tile that its neighbour covers as well.
OVERLAP: Final = 0.25


def decode_phase(spec: Codec, run: ImageRun) -> Phase:
    """Latents to pictures, once per run. Tiles, and pictures made one by one, are kept until all are there."""
    scale = float(spec.scale)
    images = 1.0 if run.sliced else run.batch
    height, width = run.height / scale, run.width / scale
    ops: list[Op] = []
    tiles = _tiles(run, Plane(images, height, width), spec.sample / scale)
    total = sum(count for _, count in tiles)
    for plane, count in tiles:
        ops += _counted(_decode(spec, plane), count, total)
    boundary = images * (spec.latent_channels * height * width + spec.pixel_channels * run.height * run.width)
    picture = float(spec.pixel_channels) * run.height * run.width
    made = images * float(spec.pixel_channels) * scale**2 * sum(plane.area * count for plane, count in tiles)
    if run.sliced:
        ops = _beside(ops, (run.batch - 1.0) * picture)
    if total > 1.0:
        whole = images * picture
        ops = [*_beside(ops, made), Block("decoder").field("join", "copy", made, whole, live=whole)]
        ops.append(_idle(spec, "decoder"))
    ops.append(_idle(spec, "encoder"))
    return Phase("vae_decode", tuple(ops), run.batch if run.sliced else 1.0, "autoencoder", boundary)


def encode_phase(spec: Codec, run: ImageRun, pictures: float) -> Phase:
    """Pictures to latents: `pictures` per image of the batch."""
    images = 1.0 if run.sliced else run.batch
    ops: list[Op] = []
    tiles = _tiles(run, Plane(images, run.height, run.width), float(spec.sample))
    total = sum(count for _, count in tiles)
    for plane, count in tiles:
        ops += _counted(_encode(spec, plane), count, total)
    scale = float(spec.scale)
    latent = spec.latent_channels * (run.height / scale) * (run.width / scale)
    boundary = images * (latent + spec.pixel_channels * run.height * run.width)
    if total > 1.0:
        ops.append(_idle(spec, "encoder"))
    ops.append(_idle(spec, "decoder"))
    return Phase("vae_encode", tuple(ops), (run.batch if run.sliced else 1.0) * pictures, "autoencoder", boundary)


def _encode(spec: Codec, plane: Plane) -> list[Op]:
    return _HALVES[type(spec)][0](spec, plane)


def _decode(spec: Codec, plane: Plane) -> list[Op]:
    return _HALVES[type(spec)][1](spec, plane)


def _beside(ops: list[Op], held: Num) -> list[Op]:
    """Ops that run while tiles or pictures made before are kept."""
    return [op._replace(live=op.live + held) for op in ops]


def _counted(ops: list[Op], count: float, tiles: float) -> list[Op]:
    """Ops of one tile, `count` of the `tiles`; with several, the parameters stand in an op of their own."""
    if tiles == 1.0:
        return ops
    return [op._replace(count=op.count * count, params=0.0, active=0.0) for op in ops]


_IDLE: dict[tuple[int, str], tuple[Codec, Op]] = {}


def _idle(spec: Codec, name: str) -> Op:
    """The parameters of the half that a phase does not run, counted once per spec object."""
    known = _IDLE.get((id(spec), name))
    if known is None or known[0] is not spec:
        side = float(spec.scale)
        half = _encode(spec, Plane(1.0, side, side)) if name == "encoder" else _decode(spec, Plane(1.0, 1.0, 1.0))
        params = sum(op.count * op.params for op in half)
        op = Op(f"{name} (idle)", "pointwise", name, params=params, active=params, kernels=0.0)
        known = _IDLE[id(spec), name] = (spec, op)
    return known[1]


def _tiles(run: ImageRun, plane: Plane, tile: float) -> list[tuple[Plane, float]]:
    """The pieces of a plane and how often each size occurs. Raises UsageError for tiles of a grid of sizes."""
    if not run.tiled:
        return [(plane, 1.0)]
    height, width = plane.height, plane.width
    if not isinstance(height, float) or not isinstance(width, float):
        raise UsageError("--tiling goes with one size, not with a list of sizes")
    if height <= tile and width <= tile:
        return [(plane, 1.0)]
    rows, columns = _pieces(height, tile), _pieces(width, tile)
    sizes = ((h, w, float(down * across)) for h, down in rows.items() for w, across in columns.items())
    return [(Plane(plane.batch, h, w), count) for h, w, count in sizes]


def _pieces(length: float, tile: float) -> Counter[float]:
    """Lengths of the tiles along one side and their numbers: one every three quarters of a tile, the last shorter.

    Whole tiles are counted, not listed: a search for the largest picture asks for very long sides.
    """
    step = int(tile * (1.0 - OVERLAP))
    starts = -(-int(length) // step)
    whole = min(starts, int((length - tile) // step) + 1) if length >= tile else 0
    rest = Counter(length - start * step for start in range(whole, starts))
    return Counter({tile: whole} if whole else {}) + rest
