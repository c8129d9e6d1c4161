"""Number formats of a checkpoint: dtype, quantization_config, hf_quant_config.json."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from roofline.importers.config import Config


class Formats(NamedTuple):
    """The weights' format, formats of single ops, the cache's format where one is stated, what was assumed, notes."""

    dtype: str
    overrides: dict[str, str]
    cache: str | None = None
    assumed: str | None = None
    notes: tuple[str, ...] = ()


def formats_of(config: Config, file: Path) -> Formats:
    """The formats that a config states."""
    outer = config.outer or config
    for part in (config, outer):
        part.used.add("quantization_config")
    for part in (config, outer):
        for key in ("dtype", "torch_dtype"):
            value = part.data.get(key)
            if isinstance(value, str) and value != "auto":
                name = {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32"}.get(value.removeprefix("torch."))
                if name is None:
                    part.unsupported(key, f"{value[:40]!r} is not a known format")
                return Formats(name, {})
    return Formats("bf16", {}, assumed="dtype: the config does not say; bf16 assumed")
