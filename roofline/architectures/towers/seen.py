"""What a tower sees of one sequence, and what the language model then reads: pictures, a video, sound added up."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from roofline.architectures.towers.pictures import Sight, sight_of
from roofline.architectures.towers.sound import Heard, heard
from roofline.num import Num, as_num, is_nothing
from roofline.specs.text.reading import CanvasPicture
from roofline.specs.text.tower import Tower
from roofline.workload.media import Media


class Seen(NamedTuple):
    """Rows of a tower, over all that one sequence brings.

    views    pictures, tiles or windows of sound, each of which attends within itself
    patches  rows that are embedded
    layers   rows that the layers see: patches, and the tokens of a class before them
    pairs    query-key pairs of a layer that attends within each view, `windowed` of one with windows
    merged   rows behind the merger
    tokens   rows that the language model reads; `markers` are tokens around and within them
    items    pictures, videos and sounds
    """

    views: Num = 0.0
    patches: Num = 0.0
    layers: Num = 0.0
    pairs: Num = 0.0
    windowed: Num = 0.0
    merged: Num = 0.0
    tokens: Num = 0.0
    markers: Num = 0.0
    items: Num = 0.0

    def plus(self, other: Seen) -> Seen:
        """Both of them."""
        return Seen(*(a + b for a, b in zip(self, other, strict=True)))

    def times(self, number: Num) -> Seen:
        """So many times as much."""
        return Seen(*(number * value for value in self))


def reads(tower: Tower) -> bool:
    """Whether it is said how the tower reads what it is given."""
    return tower.tokens is not None or tower.sound is not None


def seen_by(tower: Tower, media: Media) -> Seen:
    """What a tower sees of what a sequence brings; nothing where it reads none of it. Raises UsageError for a size that
    the tower does not take.
    """
    found = Seen()
    if tower.tokens is not None:
        if not is_nothing(media.images):
            picture = _of_sight(tower, sight_of(tower.tokens, tower, media.height, media.width))
            found = found.plus(picture.times(media.images))
        if not is_nothing(media.frames):
            found = found.plus(_each(lambda frames: _video(tower, media, frames), media.frames))
    if tower.sound is not None and not is_nothing(media.seconds):
        sound = tower.sound
        found = found.plus(_each(lambda seconds: _sound(heard(sound, seconds)) if seconds else Seen(), media.seconds))
    return found


def _video(tower: Tower, media: Media, frames: float) -> Seen:
    """One video: a tower that spans several frames sees it whole, others see each frame as a picture."""
    reading = tower.frames or tower.tokens
    if reading is None or not frames:
        return Seen()
    sight = sight_of(reading, tower, media.height, media.width, int(frames))
    seen = _of_sight(tower, sight)
    return seen if sight.frames >= frames else seen.times(frames)._replace(items=1.0)


def _of_sight(tower: Tower, sight: Sight) -> Seen:
    """One picture, or one video that is seen whole."""
    if isinstance(tower.tokens, CanvasPicture):
        return _of_canvas(tower.tokens, sight)
    patches = layers = pairs = windowed = merged = views = 0.0
    for view in sight.views:
        grid = view.rows * view.columns
        length = grid + tower.prefix
        views += view.number
        patches += view.number * grid
        layers += view.number * length
        pairs += view.number * float(length) ** 2
        windowed += view.number * _windowed(tower, view.rows, view.columns)
        merged += view.number * (view.rows // (tower.merge or 1)) * (view.columns // (tower.merge or 1))
    found = Seen(views, patches, layers, pairs, windowed, merged, float(sight.tokens), float(sight.markers), 1.0)
    kept = getattr(tower.tokens, "class_token", False)
    return found._replace(merged=merged + views * tower.prefix) if kept else found


def _of_canvas(canvas: CanvasPicture, sight: Sight) -> Seen:
    """One canvas: its tokens, filled up tile by tile, all see each other."""
    patches = float(sum(view.rows * view.columns for view in sight.views))
    tile = -(-(sight.tokens // canvas.tiles) // canvas.multiple_of) * canvas.multiple_of
    rows, tokens = float(canvas.tiles * tile), float(sight.tokens)
    return Seen(1.0, patches, rows, rows**2, rows**2, tokens, tokens, items=1.0)


def _windowed(tower: Tower, rows: int, columns: int) -> float:
    """Query-key pairs of a grid in square windows, smaller ones at its right and lower edge."""
    side = next((group.window for group in tower.blocks if group.window), None)
    if side is None:
        return 0.0
    return _squares(rows, side) * _squares(columns, side)


def _squares(length: int, side: int) -> float:
    whole, rest = divmod(length, side)
    return float(whole * side**2 + rest**2)


def _sound(sound: Heard) -> Seen:
    """One sound: windows that are filled up, or chunks that attend within a few of them."""
    number = sound.windows
    return Seen(
        views=number,
        patches=sound.padded,
        layers=sound.rows,
        pairs=sound.pairs,
        windowed=sound.pairs,
        merged=sound.merged,
        tokens=sound.tokens,
        markers=float(sound.markers),
        items=1.0,
    )


def _each(see: Callable[[float], Seen], values: Num) -> Seen:
    """What is seen for each value of a grid."""
    if isinstance(values, float):
        return see(values)
    known = {value: see(float(value)) for value in set(values.flat)}
    columns = zip(*(known[value] for value in values.flat), strict=True)
    shaped = (as_num(list(column)) for column in columns)
    return Seen(*(column.reshape(values.shape) for column in shaped if not isinstance(column, float)))
