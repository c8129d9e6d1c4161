"""What a file may say about how pictures, frames and sound become tokens of a language model: one rule per family.

A rule says how a picture is resized and cut; how many patches that gives and how many tokens follows from it, the
patch of the tower and its merging (`roofline.architectures.towers`). All lengths are in pixels.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from roofline.specs.base import AsTuple, Size, Spec, Text

Pinpoint = Annotated[tuple[Size, Size], AsTuple]


class FixedPicture(Spec):
    """Every picture is brought to one size, a square of the tower's `image` unless `side` says another.

    `tokens` where they are not the merged patches; `class_token`: those before the patches are read as well.
    """

    kind: Literal["fixed"]
    side: Size | None = None
    tokens: Size | None = None
    class_token: bool = False
    markers: Annotated[int, Field(ge=0, le=1000)] = 0
    source: Text | None = None


class ResizedPicture(Spec):
    """Both sides become multiples of `factor` (patch × merge), and the pixels are kept between `least` and `most`.

    `frames` is how many pictures one patch spans: of a video so many frames at a time. `whole_video`: the pixels of all
    frames together are bounded. `least_frame`, `most_frame` are the bounds of video, where they are others.
    """

    kind: Literal["resized"]
    factor: Size | None = None
    least: Size
    most: Size
    frames: Annotated[int, Field(ge=1, le=64)] = 1
    counts_frames: bool = False
    whole_video: bool = False
    least_frame: Size | None = None
    most_frame: Size | None = None
    markers: Annotated[int, Field(ge=0, le=1000)] = 2
    source: Text | None = None


class BoundedPicture(Spec):
    """The longest side is at most `longest`, in whole merged patches; a marker ends each row where `row_marker`."""

    kind: Literal["bounded"]
    longest: Size
    row_marker: bool = False
    source: Text | None = None


class TiledPicture(Spec):
    """Square tiles of `side`, `least` to `most` of them in the arrangement nearest to the picture's shape; and, where
    there are several, the whole picture once more.
    """

    kind: Literal["tiled"]
    side: Size | None = None
    least: Size = 1
    most: Annotated[int, Field(ge=1, le=256)]
    whole: bool = True
    markers: Annotated[int, Field(ge=0, le=1000)] = 2
    source: Text | None = None


class CanvasPicture(Spec):
    """A canvas of `tiles` squares, all of them computed whatever the picture, whose patches attend to all others.

    Each square has the tower's `prefix` before its patches and is filled up to a multiple of `multiple_of` rows; what
    fills it up is no token. A mask of `rows` × `rows` is made as a product.
    """

    kind: Literal["canvas"]
    tiles: Annotated[int, Field(ge=1, le=256)]
    multiple_of: Annotated[int, Field(ge=1, le=10**4)] = 1
    source: Text | None = None


Reading = Annotated[
    FixedPicture | ResizedPicture | BoundedPicture | TiledPicture | CanvasPicture,
    Field(discriminator="kind"),
]


class SoundReading(Spec):
    """Sound in windows of `window` seconds, each of which gives `tokens`; `padded`: the last window is filled up, for
    the encoder and, where `padded_tokens`, for the language model.

    `frames` are the rows of a window that the tower's layers see.
    """

    window: Annotated[float, Field(gt=0, le=3600)]
    frames: Size
    tokens: Size
    padded_tokens: bool = False
    markers: Annotated[int, Field(ge=0, le=1000)] = 2
    source: Text | None = None
