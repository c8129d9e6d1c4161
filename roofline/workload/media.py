"""What stands in a prompt beside its text: pictures, a video, sound. Sizes alone."""

from __future__ import annotations

from typing import NamedTuple

from roofline.num import Num, is_nothing


class Media(NamedTuple):
    """Of each sequence: `images` pictures of `height` × `width` pixels, one video of `frames` such frames, one sound of
    `seconds`; and the tokens of `text` beside them. `attended` tokens of them are no part of the prompt: layers of
    cross-attention see them. `assumed`: nobody told how large the pictures are.
    """

    text: Num
    images: Num = 0.0
    height: float = 1024.0
    width: float = 1024.0
    frames: Num = 0.0
    seconds: Num = 0.0
    attended: Num = 0.0
    assumed: bool = False


def attended_alone(media: Media | None) -> Media | None:
    """The tokens that layers of cross-attention see, without what a tower would have to encode; None where there are
    none.
    """
    if media is None or is_nothing(media.attended):
        return None
    return media._replace(images=0.0, frames=0.0, seconds=0.0)
