"""What stands in a prompt beside its text: pictures, a video, sound. Sizes alone."""

from __future__ import annotations

from typing import NamedTuple

from roofline.num import Num


class Media(NamedTuple):
    """Of each sequence: `images` pictures of `height` × `width` pixels, one video of `frames` such frames, one sound of
    `seconds`; and the tokens of `text` beside them.
    """

    text: Num
    images: Num = 0.0
    height: float = 1024.0
    width: float = 1024.0
    frames: Num = 0.0
    seconds: Num = 0.0
