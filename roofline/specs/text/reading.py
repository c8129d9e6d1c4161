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
    """Square tiles of `side`, `least` to `most` of them; and, where there are several, the whole picture once more.

    They are arranged by the picture's `shape`, as near as can be, or as the `canvas` on which it is enlarged least.
    `row_markers` and `column_markers` stand behind each row of tiles and between the tiles of a row.
    """

    kind: Literal["tiled"]
    side: Size | None = None
    least: Size = 1
    most: Annotated[int, Field(ge=1, le=256)]
    by: Literal["shape", "canvas"] = "shape"
    whole: bool = True
    row_markers: Annotated[int, Field(ge=0, le=10)] = 0
    column_markers: Annotated[int, Field(ge=0, le=10)] = 0
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


class SplitPicture(Spec):
    """The longest side becomes `longest`, both are brought up to whole tiles of `side`; with the whole picture once
    more where there are several tiles.
    """

    kind: Literal["split"]
    side: Size | None = None
    longest: Size
    source: Text | None = None


class PinnedPicture(Spec):
    """Padded to the one of these sizes that loses least, in tiles of the tower's `image`, and the whole picture first.

    Rows of tokens that are padding are dropped and each row that is left ends in a learned one. More than `most` tiles'
    worth of tokens are shrunk to that many.
    """

    kind: Literal["pinned"]
    pinpoints: Annotated[tuple[Pinpoint, ...], AsTuple, Field(min_length=1, max_length=1000)]
    most: Size | None = None
    class_token: bool = False
    source: Text | None = None


class NativePicture(Spec):
    """As it is, padded to whole merged patches; smaller where it has more than `most` patches, or a side of more than
    `side` patches.
    """

    kind: Literal["native"]
    most: Size
    side: Size | None = None
    markers: Annotated[int, Field(ge=0, le=1000)] = 3
    source: Text | None = None


class BudgetPicture(Spec):
    """As large as `tokens` allow with its shape kept; the tower sees patches of that many, the rest being padding."""

    kind: Literal["budget"]
    tokens: Size
    markers: Annotated[int, Field(ge=0, le=1000)] = 2
    source: Text | None = None


class CroppedPicture(Spec):
    """Crops of `side`, `most` at most, and the whole picture first; each row of tokens, and the whole, end in a learned
    one.

    By `cover` as many as cover the picture, else `most` in its shape; tokens that are padding are dropped. By `width`
    the longer side is brought to as many as there may be.
    """

    kind: Literal["cropped"]
    side: Size
    most: Annotated[int, Field(ge=1, le=256)]
    by: Literal["cover", "width"] = "cover"
    source: Text | None = None


class BoundedTiles(Spec):
    """One picture of `least` to `most` tokens; one of more than twice as many in tiles of `side`, `fewest` to `tiles`
    of them in its shape, and the whole picture in its bounds. The tower sees as many patches of each as a tile has.
    """

    kind: Literal["bounded_tiles"]
    side: Size
    least: Size
    most: Size
    fewest: Size = 2
    tiles: Annotated[int, Field(ge=1, le=256)] = 10
    source: Text | None = None


Reading = Annotated[
    FixedPicture
    | ResizedPicture
    | BoundedPicture
    | TiledPicture
    | CanvasPicture
    | SplitPicture
    | PinnedPicture
    | NativePicture
    | BudgetPicture
    | CroppedPicture
    | BoundedTiles,
    Field(discriminator="kind"),
]


class PaddedSound(Spec):
    """Windows of `window` seconds, each filled up to `rows` rows of the tower's layers and `merged` ones behind them.

    Of those the language model reads what is no padding: with strides of 2 as many as `halved` convolutions and pools
    leave of 100 frames a second; or all of them, where `read_padding`.
    """

    kind: Literal["padded"]
    window: Annotated[float, Field(gt=0, le=3600)] = 30.0
    rows: Size
    merged: Size
    halved: Annotated[int, Field(ge=0, le=8)] = 2
    read_padding: bool = False
    markers: Annotated[int, Field(ge=0, le=1000)] = 2
    source: Text | None = None


class ChunkedSound(Spec):
    """Chunks of `chunk` frames, 100 a second, which `halved` convolutions of stride 2 shorten; the tower's layers
    attend within so many chunks (`attended`). `pooled`: of two rows one token.
    """

    kind: Literal["chunked"]
    chunk: Size
    halved: Annotated[int, Field(ge=0, le=8)]
    attended: Size = 1
    pooled: bool = False
    markers: Annotated[int, Field(ge=0, le=1000)] = 2
    source: Text | None = None


SoundReading = Annotated[PaddedSound | ChunkedSound, Field(discriminator="kind")]
