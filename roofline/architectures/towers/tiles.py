"""Pictures that are cut into tiles, each of which a tower sees alone: which tiles, and which of their tokens are kept.

Sizes in whole pixels. Sources: the image processors of transformers 5.24.0, named in each function.
"""

from __future__ import annotations

from math import ceil, floor, inf, sqrt
from typing import NamedTuple

from roofline.errors import UsageError


class Grid(NamedTuple):
    """Rows and columns of tiles, or of tokens."""

    rows: int
    columns: int

    @property
    def number(self) -> int:
        """All of them."""
        return self.rows * self.columns


def arrangements(least: int, most: int) -> list[Grid]:
    """`least` to `most` tiles in every arrangement, the fewest first, then the narrowest."""
    found = [Grid(r, c) for c in range(1, most + 1) for r in range(1, most // c + 1) if r * c >= least]
    return sorted(found, key=lambda grid: grid.number)


def by_shape(height: float, width: float, side: int, least: int, most: int) -> Grid:
    """The arrangement whose shape is nearest to the picture's; of equally near ones the last whose pixels are less than
    twice the picture's.

    GotOcr2ImageProcessor, Lfm2VlImageProcessor, Phi4MultimodalImageProcessor (InternVL, Aya Vision, LFM2-VL, Phi-4).
    """
    best, nearest = Grid(1, 1), inf
    for grid in arrangements(least, most):
        apart = abs(width / height - grid.columns / grid.rows)
        if apart < nearest:
            best, nearest = grid, apart
        elif apart == nearest and height * width > 0.5 * side**2 * grid.number:
            best = grid
    return best


def by_canvas(height: float, width: float, side: int, most: int) -> Grid:
    """The arrangement on which the picture is enlarged least; where none holds it, shrunk least; of equals the fewest.

    Llama4ImageProcessor, Cohere2VisionImageProcessor.
    """
    grids = arrangements(1, most)
    scales = [min(side * grid.rows / height, side * grid.columns / width) for grid in grids]
    larger = [scale for scale in scales if scale >= 1.0]
    return grids[scales.index(min(larger) if larger else max(scales))]


def in_whole_tiles(height: float, width: float, side: int, longest: int) -> Grid:
    """The longest side becomes `longest`, then both whole tiles. Idefics3ImageProcessor, SmolVLMImageProcessor."""
    shape = width / height
    if width >= height:
        width, height = longest, int(longest / shape)
        height += height % 2
    else:
        width, height = int(longest * shape), longest
        width += width % 2
    height, width = max(height, 1), max(width, 1)
    shape = width / height
    if width >= height:
        width = ceil(width / side) * side
        height = ceil(int(width / shape) / side) * side
    else:
        height = ceil(height / side) * side
        width = ceil(int(height * shape) / side) * side
    return Grid(int(height) // side, int(width) // side)


def best_pinpoint(height: float, width: float, pinpoints: tuple[tuple[int, int], ...]) -> tuple[int, int]:
    """The size that keeps most of the picture's pixels, and of these the one that wastes least.

    `select_best_resolution` of transformers (LLaVA-NeXT, LLaVA-OneVision).
    """
    best, kept_most, least_wasted = pinpoints[0], 0.0, inf
    for rows, columns in pinpoints:
        scale = min(columns / width, rows / height)
        kept = min(int(width * scale) * int(height * scale), height * width)
        wasted = rows * columns - kept
        if kept > kept_most or (kept == kept_most and wasted < least_wasted):
            best, kept_most, least_wasted = (rows, columns), kept, wasted
    return best


def without_padding(height: float, width: float, grid: Grid, most: float | None) -> Grid:
    """Rows and columns of tokens that are no padding; shrunk where they are many more than `most`.

    `unpad_image` of LLaVA-NeXT, and the interpolation of LLaVA-OneVision.
    """
    rows, columns = grid
    if width / height > columns / rows:
        rows -= (rows - int(round(height * (columns / width), 7))) // 2 * 2
    else:
        columns -= (columns - int(round(width * (rows / height), 7))) // 2 * 2
    if most is not None and (ratio := sqrt(rows * columns / most)) > 1.1:
        rows, columns = int(rows // ratio), int(columns // ratio)
    return Grid(rows, columns)


def covering_crops(height: float, width: float, side: int, most: int) -> tuple[Grid, int, int]:
    """Crops that cover the picture, and the pixels of padding below and beside it.

    Phi4MultimodalImageProcessor, `dynamic_preprocess`. Raises UsageError for a shape that it refuses.
    """
    grid = Grid(ceil(height / side), ceil(width / side))
    if grid.number > most:
        grid = by_shape(height, width, side, 1, most)
    rows, columns = grid.rows * side, grid.columns * side
    across, down = columns / width, rows / height
    inner = (int(height * across), columns) if across < down else (rows, int(width * down))
    if min(*inner, rows, columns) < 10:
        raise UsageError(f"--image-size: the processor refuses {height:.0f}x{width:.0f}, which is too narrow")
    return grid, rows - inner[0], columns - inner[1]


def widest_crops(height: float, width: float, side: int, most: int) -> Grid:
    """As many crops along the longer side as there may be, and those that the other side then takes.

    `HD_transform` of the image processor beside Phi-3-vision and Phi-3.5-vision.
    """
    if width < height:
        return Grid(*reversed(widest_crops(width, height, side, most)))
    across, shape = 1, width / height
    while across < most and (across + 1) * ceil((across + 1) / shape) <= most:
        across += 1
    return Grid(max(ceil(int(across * side / shape) / side), 1), across)


def within_budget(height: float, width: float, factor: int, tokens: int) -> Grid:
    """The most whole merged patches of the picture's shape that are no more than `tokens`.

    Gemma4ImageProcessor, `get_aspect_ratio_preserving_size`. Raises UsageError for a shape that it refuses.
    """
    scale = sqrt(tokens * factor**2 / (height * width))
    rows, columns = floor(scale * height / factor), floor(scale * width / factor)
    if rows == 0 and columns:
        rows, columns = 1, min(floor(width / height), tokens)
    elif columns == 0 and rows:
        rows, columns = min(floor(height / width), tokens), 1
    if not rows or rows * columns > tokens:
        raise UsageError(f"--image-size: the processor refuses {height:.0f}x{width:.0f}")
    return Grid(rows, columns)


def between(height: float, width: float, factor: int, bounds: tuple[int, int]) -> Grid:
    """Whole merged patches nearest to a picture's sides, between two numbers of them.

    Lfm2VlImageProcessor, `smart_resize`.
    """
    least, most = bounds
    rows, columns = max(1, round(height / factor)), max(1, round(width / factor))
    if rows * columns > most:
        beta = sqrt(height * width / (most * factor**2))
        rows, columns = max(1, floor(height / beta / factor)), max(1, floor(width / beta / factor))
    elif rows * columns < least:
        beta = sqrt(least * factor**2 / (height * width))
        rows, columns = ceil(height * beta / factor), ceil(width * beta / factor)
    return Grid(rows, columns)


def padded_native(height: float, width: float, patch: int, merge: int, bounds: tuple[int, int | None]) -> Grid:
    """Patches of the picture as it is, shrunk to bounds of patches in all and a side, padded to whole merged ones.

    Kimi_K25ImageProcessor, `navit_resize`.
    """
    most, side = bounds
    scale = min(1.0, sqrt(most / (max(1.0, height // patch) * max(1.0, width // patch))))
    if side is not None:
        scale = min(scale, side * patch / height, side * patch / width)
    rows, columns = max(1, int(height * scale)), max(1, int(width * scale))
    if side is not None:
        rows, columns = min(rows, side * patch), min(columns, side * patch)
    factor = merge * patch
    return Grid(-(-rows // factor) * merge, -(-columns // factor) * merge)
