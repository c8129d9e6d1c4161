"""The measurements that are shipped: of language models in static batches and behind a server, and of image models."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).resolve().parents[1] / "measurements"
MEASUREMENTS: Final = _FOLDER / "llm.csv"
SERVED: Final = _FOLDER / "served.csv"
IMAGES: Final = _FOLDER / "images.csv"
#: Those of each kind of run.
SHIPPED_OF: Final = {"text": (MEASUREMENTS, SERVED), "encoder": (MEASUREMENTS, SERVED), "image": (IMAGES,)}
SHIPPED: Final = tuple(dict.fromkeys(path for paths in SHIPPED_OF.values() for path in paths))
