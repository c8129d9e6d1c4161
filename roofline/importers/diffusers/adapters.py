"""T2I adapters of diffusers: config.json to the keys of a spec. Source: diffusers 0.42.1, adapter.py."""

from __future__ import annotations

from typing import Any

from roofline.importers.huggingface.config import Config


def t2i_adapter(config: Config) -> dict[str, Any]:
    """T2IAdapter."""
    kinds = ("full_adapter", "full_adapter_xl", "light_adapter")
    kind = config.text("adapter_type", default=kinds[0], choices=kinds)
    return {
        "family": "adapter",
        "kind": {"full_adapter": "full", "full_adapter_xl": "full_xl", "light_adapter": "light"}[kind],
        "channels": config.wholes("channels", least=1) or [320, 640, 1280, 1280],
        "layers": config.whole("num_res_blocks", default=2),
        "unshuffle": config.whole("downscale_factor", default=8),
        "pixel_channels": config.whole("in_channels", default=3),
        "sample": 1024 if kind == "full_adapter_xl" else 512,
    }
