"""What makes an image model's run need less memory: where its parts wait, how its autoencoder works."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, Final

from roofline.runs.changes import Change
from roofline.runs.image.options import takes_pixels
from roofline.runs.kind import Question

#: Where the parts of the model wait, least harm first.
_OFFLOADS: Final = ("", "model", "group", "leaf")


def image_changes(question: Question) -> Iterator[Change]:
    """Each place where parts may wait, with pictures decoded in one piece or in tiles, at once or one at a time."""
    run, pixels = question.run, takes_pixels(question.spec)
    tilings = (False, True) if pixels and not run.tiled else (False,)
    slicings = (False, True) if pixels and not run.sliced and run.batch > 1 else (False,)
    away = question.spread.away.text() if question.spread.away is not None else ""
    for offload, tiling, slicing in product(dict.fromkeys((away, *_OFFLOADS[1:])), tilings, slicings):
        options: dict[str, Any] = {"offload": offload} if offload != away else {}
        options |= {"tiling": True} if tiling else {}
        options |= {"slicing": True} if slicing else {}
        if options:
            yield Change(", ".join(_words(options)), options)


def _words(options: Mapping[str, Any]) -> Iterator[str]:
    for name, value in options.items():
        yield name if value is True else f"{name} {value}"


def image_plans(question: Question, gpus: int, node: int) -> Iterator[Mapping[str, Any]]:
    """The tokens of the denoiser shared by so many devices of a node."""
    if gpus <= node:
        yield {"gpus": gpus}
