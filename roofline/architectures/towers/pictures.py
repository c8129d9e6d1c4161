"""From the size of a picture to patches and tokens, by the rule of its family.

Every function takes a rule, the tower and a size in whole pixels, and gives a `Sight`. Sources: the image processors of
transformers 5.24.0, named in each function; `tests/architectures/towers` holds what they give at odd sizes.
"""

from __future__ import annotations

from math import ceil, floor, sqrt
from typing import Final, NamedTuple, assert_never

from roofline.errors import UsageError
from roofline.specs.text.reading import (
    BoundedPicture,
    CanvasPicture,
    FixedPicture,
    Reading,
    ResizedPicture,
    TiledPicture,
)
from roofline.specs.text.tower import Tower

#: The most by which one side may be longer than the other where a processor refuses more.
_LONGEST_SHAPE: Final = 200


class View(NamedTuple):
    """`number` grids of `rows` × `columns` patches, each of which attends within itself."""

    number: int
    rows: int
    columns: int


class Sight(NamedTuple):
    """What becomes of one picture: its grids, tokens of the language model, and marker tokens around and within them.

    `frames` is how many pictures the grids span.
    """

    views: tuple[View, ...]
    tokens: int
    markers: int = 0
    frames: int = 1


def sight_of(reading: Reading, tower: Tower, height: float, width: float, frames: int = 1) -> Sight:
    """What a rule makes of a picture of height × width pixels, or of a video of so many. Raises UsageError."""
    if isinstance(reading, FixedPicture):
        return _fixed(reading, tower)
    if isinstance(reading, ResizedPicture):
        return _resized(reading, tower, height, width, frames)
    if isinstance(reading, BoundedPicture):
        return _bounded(reading, tower, height, width)
    if isinstance(reading, TiledPicture):
        return _tiled(reading, tower, height, width)
    if isinstance(reading, CanvasPicture):
        return _canvas(reading, tower)
    assert_never(reading)


def _patch(tower: Tower) -> int:
    return tower.patch or 1


def _merge(tower: Tower) -> int:
    return tower.merge or 1


def _square(tower: Tower, side: int | None) -> int:
    """Patches a side of a square picture."""
    return (side or tower.image or _patch(tower)) // _patch(tower)


def _merged(tower: Tower, rows: int, columns: int) -> int:
    return (rows // _merge(tower)) * (columns // _merge(tower))


def _fixed(reading: FixedPicture, tower: Tower) -> Sight:
    """CLIP and SigLIP: whatever the picture, one square of patches."""
    grid = _square(tower, reading.side)
    tokens = _merged(tower, grid, grid) + (tower.prefix if reading.class_token else 0)
    return Sight((View(1, grid, grid),), reading.tokens or tokens, reading.markers)


def _resized(reading: ResizedPicture, tower: Tower, height: float, width: float, frames: int) -> Sight:
    """Qwen-VL, GLM-V: `smart_resize` of Qwen2VLImageProcessor, Glm4vImageProcessor and Qwen3VLVideoProcessor."""
    factor = reading.factor or _patch(tower) * _merge(tower)
    if max(height, width) > _LONGEST_SHAPE * min(height, width):
        raise UsageError(f"--image-size: the processor refuses a side of more than {_LONGEST_SHAPE} times the other")
    group = reading.frames
    video = frames > 1
    if reading.counts_frames and min(height, width) < factor:
        scale = max(factor / height, factor / width)
        height, width = float(int(height * scale)), float(int(width * scale))
    rows, columns = round(height / factor), round(width / factor)
    least, most = reading.least, reading.most
    if video:
        least, most = reading.least_frame or least, reading.most_frame or most
    whole = frames if video and reading.whole_video else (group if reading.counts_frames else 1)
    counted = round(whole / group) * group if whole > 1 else 1
    pixels = counted * rows * columns * factor**2
    if pixels > most:
        beta = sqrt((whole * height * width) / most)
        rows, columns = max(1, floor(height / beta / factor)), max(1, floor(width / beta / factor))
    elif pixels < least:
        beta = sqrt(least / (whole * height * width))
        rows, columns = ceil(height * beta / factor), ceil(width * beta / factor)
    rows, columns = rows * factor // _patch(tower), columns * factor // _patch(tower)
    number = -(-frames // group)
    return Sight(
        (View(number, rows, columns),), number * _merged(tower, rows, columns), reading.markers * number, frames
    )


def _bounded(reading: BoundedPicture, tower: Tower, height: float, width: float) -> Sight:
    """Pixtral, Mistral 3: smaller where the longest side needs it, then up to whole merged patches.

    PixtralImageProcessor, `get_resize_output_image_size`.
    """
    factor, ratio = _patch(tower) * _merge(tower), max(height / reading.longest, width / reading.longest)
    if ratio > 1:
        height, width = floor(height / ratio), floor(width / ratio)
    rows, columns = (int(height) - 1) // factor + 1, (int(width) - 1) // factor + 1
    view = View(1, rows * _merge(tower), columns * _merge(tower))
    return Sight((view,), rows * columns, rows if reading.row_marker else 0)


def _tiled(reading: TiledPicture, tower: Tower, height: float, width: float) -> Sight:
    """InternVL: the arrangement of tiles whose shape is nearest to the picture's, in order of their number.

    GotOcr2ImageProcessor, `get_optimal_tiled_canvas`: of equally near ones the last whose pixels are less than twice
    the picture's.
    """
    side = reading.side or tower.image or _patch(tower)
    best, nearest, area = (1, 1), float("inf"), height * width
    for columns, rows in arrangements(reading.least, reading.most):
        apart = abs(width / height - columns / rows)
        if apart < nearest:
            best, nearest = (columns, rows), apart
        elif apart == nearest and area > 0.5 * side**2 * columns * rows:
            best = (columns, rows)
    tiles = best[0] * best[1]
    tiles += 1 if reading.whole and tiles > 1 else 0
    grid = _square(tower, side)
    return Sight((View(tiles, grid, grid),), tiles * _merged(tower, grid, grid), reading.markers)


def _canvas(reading: CanvasPicture, tower: Tower) -> Sight:
    """Mllama: the tiles below each other are one grid; MllamaImageProcessor pads to all of them."""
    grid = _square(tower, tower.image)
    return Sight((View(1, reading.tiles * grid, grid),), reading.tiles * (grid**2 + tower.prefix))


def arrangements(least: int, most: int) -> list[tuple[int, int]]:
    """Columns and rows of `least` to `most` tiles, the fewest first."""
    found = [(c, r) for c in range(1, most + 1) for r in range(1, most + 1) if least <= c * r <= most]
    return sorted(found, key=lambda shape: shape[0] * shape[1])
