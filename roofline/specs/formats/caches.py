"""Formats of key-value caches: one format for all, one for keys and one for values, or a row packed for latents.

A packed row holds the latent of a token in narrow elements beside their scales, and what is rotated in 16 bit. Its
bytes are known per token and layer, so they are a property of the row and not of an element.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Final, Literal, NamedTuple, TypeAlias

from roofline.errors import UnknownNameError, UsageError
from roofline.specs.formats.dtypes import ALIASES, DTYPES, DType, single_format

RowKind: TypeAlias = Literal["pair", "latent", "compressed", "index", "cross"]

#: Attention, by its `kind` in a model's file, that keeps one latent for keys and values: what packed formats pack.
LATENTS: Final = ("latent", "compressed")
_GROUP: Final = 128


class Row(NamedTuple):
    """What an op caches of a token, in elements of one layer: keys and values, and the rotated ones among them.

    `pair`: keys and values; `latent`: one vector for both; `compressed`: the same, for DeepSeek V4's entries; `index`:
    keys of an indexer alone; `cross`: keys and values of the prompt in a decoder behind an encoder.
    """

    keys: float
    values: float = 0.0
    kind: RowKind = "pair"
    rope: float = 0.0

    @property
    def elements(self) -> float:
        """Elements per token."""
        return self.keys + self.values


class Packed(NamedTuple):
    """A packed format: bits of a latent element, its scales, and bytes of padding.

    latent      elements that share a scale, and bytes of that scale, in rows of kind `latent`
    compressed  the same in rows of kind `compressed`
    padding     bytes that fill up a `latent` row
    multiple    to so many bytes the scales of a `compressed` row are filled up
    whole       to so many bytes a `compressed` row is filled up
    sources     where the layout is described
    """

    name: str
    bits: float
    latent: tuple[int, int]
    compressed: tuple[int, int]
    padding: int
    multiple: int
    whole: int
    sources: tuple[str, ...]
    layout: str

    @property
    def mean_bits(self) -> float:
        """Bits of an element with its share of the scales, in the row of DeepSeek V3.2."""
        row = Row(576.0, kind="latent", rope=64.0)
        return 8 * self.row_bytes(row) / row.elements

    def row_bytes(self, row: Row) -> float:
        """Bytes of a token's row, which serves keys and values alike.

        An indexer's keys are fp8 with an fp32 scale per 128, whatever the latents are.
        """
        if row.kind == "index":
            return row.keys + 4.0 * ceil(row.keys / _GROUP)
        narrow = row.keys - row.rope
        group, scale = self.latent if row.kind == "latent" else self.compressed
        scales = float(scale * ceil(narrow / group))
        body = narrow * self.bits / 8 + 2.0 * row.rope
        if row.kind == "latent":
            return body + scales + self.padding
        scales = ceil(scales / self.multiple) * float(self.multiple)
        return ceil((body + scales) / self.whole) * float(self.whole)


PACKED: Final[Mapping[str, Packed]] = {
    "fp8_ds_mla": Packed(
        "fp8_ds_mla",
        8.0,
        (128, 4),
        (64, 1),
        0,
        8,
        1,
        (
            "vllm-project/vllm, flashmla_sparse.py: 656 bytes (512 fp8, 4 fp32 scales, 64 bf16)",
            "vllm-project/vllm#47716, #56893: 584 bytes for DeepSeek V4 (448 fp8, 64 bf16, 7 8-bit scales and a byte)",
            "vllm-project/vllm, deepseek_v2.py: the indexer's keys, 128 fp8 and an fp32 scale, 132 bytes",
        ),
        "cache of latents in fp8 with their scales, rotated ones in bf16: 656 bytes (DeepSeek V3.2), 584 (V4)",
    ),
    "nvfp4_ds_mla": Packed(
        "nvfp4_ds_mla",
        4.0,
        (16, 1),
        (16, 1),
        16,
        1,
        16,
        (
            "local-inference-lab/vllm#82: 432 bytes (512 fp4, 32 fp8 scales, 16 of padding, 64 bf16); same indexer",
            "sgl-project/sglang#38646: 384 bytes for DeepSeek V4 (448 fp4, 28 fp8 scales, 64 bf16, in whole 16 bytes)",
        ),
        "cache of latents in fp4 with an fp8 scale per 16, rotated ones in bf16: 432 bytes (DeepSeek V3.2), 384 (V4)",
    ),
}


class CacheFormat(NamedTuple):
    """The format of a cache: that of its keys, that of its values, or a packed one."""

    name: str
    keys: DType
    values: DType
    packed: Packed | None = None

    @property
    def bits(self) -> float:
        """Bits of an element, mean of keys and values; of a packed format those of a latent's element."""
        return self.packed.bits if self.packed is not None else (self.keys.bits + self.values.bits) / 2

    @property
    def split(self) -> bool:
        """Whether keys and values differ in format."""
        return self.keys.name != self.values.name

    def row_bytes(self, row: Row) -> float:
        """Bytes of a token's row in one layer."""
        if self.packed is not None and row.kind not in ("pair", "cross"):
            return self.packed.row_bytes(row)
        return (row.keys * self.keys.bits + row.values * self.values.bits) / 8


def plain_cache(dtype: DType) -> CacheFormat:
    """A cache in one format."""
    return CacheFormat(dtype.name, dtype, dtype)


def read_cache(text: str) -> CacheFormat:
    """`FORMAT`, `KEYS/VALUES`, or a packed format. Raises UnknownNameError and UsageError."""
    name = text.strip().lower()
    if name in PACKED:
        # beside latents, what is kept as keys and values stays in 16 bit
        return CacheFormat(name, DTYPES["bf16"], DTYPES["bf16"], PACKED[name])
    if "/" not in name:
        return plain_cache(_single(name, text))
    keys, _, values = name.partition("/")
    if not keys.strip() or not values.strip() or "/" in values:
        raise UsageError(f"--kv-cache {text}: take KEYS/VALUES, for example q8_0/q4_0")
    for part in (keys, values):
        if part.strip() in PACKED:
            raise UsageError(f"--kv-cache {text}: {part.strip()} packs keys and values in one row; take it alone")
    first, second = _single(keys, text), _single(values, text)
    if first.name == second.name:
        return plain_cache(first)
    return CacheFormat(f"{first.name}/{second.name}", first, second)


def _single(name: str, text: str) -> DType:
    try:
        return single_format(name, "kv-cache")
    except UnknownNameError as error:
        known = {known: known for known in (*DTYPES, *PACKED)} | ALIASES
        raise UnknownNameError("precision", name.strip() or text, known, "roofline list precisions") from error


def refuse_cache(cache: CacheFormat, kinds: tuple[str, ...], name: str) -> None:
    """Raises UsageError for a format that a model with attention of these kinds cannot keep its cache in."""
    latents = [kind for kind in kinds if kind in LATENTS]
    if cache.packed is not None and not latents:
        raise UsageError(
            f"--kv-cache {cache.name}: packs the latents of latent attention (DeepSeek V2 to V4, GLM-5, Kimi K2), and "
            f"{name} has none. Take fp8, int8, one of 16 bits, or KEYS/VALUES such as q8_0/q4_0"
        )
    if cache.split and latents:
        raise UsageError(
            f"--kv-cache {cache.name}: {name} keeps one latent for keys and values, so both have one format; take "
            f"{cache.keys.name}, or one of {', '.join(PACKED)}"
        )


def known_cache(name: str) -> bool:
    """Whether a model's file may name this as the format of its cache."""
    try:
        read_cache(name)
    except (UsageError, UnknownNameError):
        return False
    return True
