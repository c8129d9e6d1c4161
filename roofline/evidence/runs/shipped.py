"""The measurements that are shipped: of language models in static batches and behind a server, and of image models."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).resolve().parents[1] / "measurements"
MEASUREMENTS: Final = _FOLDER / "llm.csv"
SERVED: Final = _FOLDER / "served.csv"
IMAGES: Final = _FOLDER / "images.csv"
SHIPPED: Final = (MEASUREMENTS, SERVED, IMAGES)
