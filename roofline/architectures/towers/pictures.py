"""From the size of a picture to patches and tokens, by the rule of its family.

Every function takes a rule, the tower and a size in whole pixels, and gives a `Sight`. Sources: the image processors of
transformers 5.24.0, named in each function; `tests/architectures/towers` holds what they give at odd sizes.
"""

from __future__ import annotations

from math import ceil, floor, sqrt
from typing import Any, Final, NamedTuple

from roofline.architectures.towers.tiles import (
    Grid,
    best_pinpoint,
    between,
    by_canvas,
    by_shape,
    covering_crops,
    in_whole_tiles,
    padded_native,
    widest_crops,
    within_budget,
    without_padding,
)
from roofline.errors import UsageError
from roofline.specs.text.reading import (
    BoundedPicture,
    BoundedTiles,
    BudgetPicture,
    CanvasPicture,
    CroppedPicture,
    FixedPicture,
    NativePicture,
    PinnedPicture,
    Reading,
    ResizedPicture,
    SplitPicture,
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


def sight_of(reading: Reading, tower: Tower, height: float, width: float, frames: int = 0) -> Sight:
    """What a rule makes of a picture of height × width pixels, or of a video of so many frames. Raises UsageError."""
    if isinstance(reading, FixedPicture):
        return _fixed(reading, tower)
    if isinstance(reading, ResizedPicture):
        return _resized(reading, tower, height, width, frames)
    see: Any = _SEES[type(reading)]
    found: Sight = see(reading, tower, height, width)
    return found


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
    video = frames > 0
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
    number = max(-(-frames // group), 1)
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
    """InternVL, Aya Vision, Cohere 2 Vision, Llama 4: tiles that are seen alone, and the whole picture."""
    side = reading.side or tower.image or _patch(tower)
    if reading.by == "canvas":
        grid = by_canvas(height, width, side, reading.most)
    else:
        grid = by_shape(height, width, side, reading.least, reading.most)
    several = grid.number > 1
    markers = grid.rows * (reading.row_markers + (grid.columns - 1) * reading.column_markers) if several else 0
    return _tiles(tower, grid.number + (reading.whole and several), side, reading.markers + markers)


def _canvas(reading: CanvasPicture, tower: Tower, height: float, width: float) -> Sight:
    """Mllama: the tiles below each other are one grid; MllamaImageProcessor pads to all of them."""
    grid = _square(tower, tower.image)
    return Sight((View(1, reading.tiles * grid, grid),), reading.tiles * (grid**2 + tower.prefix))


def _tiles(tower: Tower, number: int, side: int, markers: int) -> Sight:
    """So many square tiles, all of whose tokens are read."""
    each = _square(tower, side)
    return Sight((View(number, each, each),), number * _merged(tower, each, each), markers)


def _split(reading: SplitPicture, tower: Tower, height: float, width: float) -> Sight:
    """Idefics 3, SmolVLM: two markers and a line break around tiles, and the whole picture."""
    side = reading.side or tower.image or _patch(tower)
    grid = in_whole_tiles(height, width, side, reading.longest)
    several = grid.number > 1
    markers = grid.number * 2 + grid.rows + 4 if several else 3
    return _tiles(tower, grid.number + several, side, markers)


def _pinned(reading: PinnedPicture, tower: Tower, height: float, width: float) -> Sight:
    """LLaVA-NeXT, LLaVA-OneVision."""
    side = tower.image or _patch(tower)
    each = _square(tower, side)
    rows, columns = best_pinpoint(height, width, reading.pinpoints)
    tiles = Grid(-(-rows // side), -(-columns // side))
    most = float(reading.most * each**2) if reading.most is not None else None
    kept = without_padding(height, width, Grid(tiles.rows * each, tiles.columns * each), most)
    tokens = each**2 + kept.rows * (kept.columns + 1)
    return Sight((View(tiles.number + 1, each, each),), tokens)


def _native(reading: NativePicture, tower: Tower, height: float, width: float) -> Sight:
    """Kimi-VL, Kimi K2.5."""
    grid = padded_native(height, width, _patch(tower), _merge(tower), (reading.most, reading.side))
    return Sight((View(1, *grid),), _merged(tower, *grid), reading.markers)


def _budget(reading: BudgetPicture, tower: Tower, height: float, width: float) -> Sight:
    """Gemma 4: the tower sees as many patches as there may be, the padding among them."""
    grid = within_budget(height, width, _patch(tower) * _merge(tower), reading.tokens)
    view = View(1, reading.tokens * _merge(tower), _merge(tower))
    return Sight((view,), grid.number, reading.markers)


def _cropped(reading: CroppedPicture, tower: Tower, height: float, width: float) -> Sight:
    """Phi-3 Vision, Phi-4-multimodal: the projector sees what is kept, and the ends of rows."""
    side, patch = reading.side, _patch(tower)
    each = _square(tower, side) // _merge(tower)
    if reading.by == "width":
        grid, below, beside = widest_crops(height, width, side, reading.most), 0, 0
    else:
        grid, below, beside = covering_crops(height, width, side, reading.most)
    dropped = [-(-(padding // patch - 1) // _merge(tower)) if padding >= patch else 0 for padding in (below, beside)]
    kept = Grid(grid.rows * each - dropped[0], grid.columns * each - dropped[1])
    tokens = kept.rows * (kept.columns + 1) + 1 + each * (each + 1)
    return Sight((View(grid.number + 1, _square(tower, side), _square(tower, side)),), tokens)


def _bounded_tiles(reading: BoundedTiles, tower: Tower, height: float, width: float) -> Sight:
    """LFM2-VL: what is smaller than a tile is filled up to one; the projector sees what is not."""
    factor, each = _patch(tower) * _merge(tower), _square(tower, reading.side)
    sides = max(_patch(tower), round(height / factor) * factor), max(_patch(tower), round(width / factor) * factor)
    whole = between(height, width, factor, (reading.least, reading.most))
    if sides[0] * sides[1] <= 2 * reading.most * factor**2:
        return Sight((View(1, each, each),), whole.number, 2)
    tiles = by_shape(height, width, reading.side, reading.fewest, reading.tiles).number
    tokens = tiles * _merged(tower, each, each) + whole.number
    return Sight((View(tiles + 1, each, each),), tokens, tiles + 3)


_SEES: Final = {
    BoundedPicture: _bounded,
    TiledPicture: _tiled,
    CanvasPicture: _canvas,
    SplitPicture: _split,
    PinnedPicture: _pinned,
    NativePicture: _native,
    BudgetPicture: _budget,
    CroppedPicture: _cropped,
    BoundedTiles: _bounded_tiles,
}
