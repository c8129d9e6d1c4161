"""What a file may say about the encoder before a decoder, where it is not as the decoder."""

from __future__ import annotations

from roofline.specs.base import Size, Spec
from roofline.specs.text.positions import Positions


class EncoderInput(Spec):
    """What an encoder has of its own: its width, a table of its own vocabulary, its positions.

    What is left out is as the decoder has it; without `vocabulary` both read one table.
    """

    width: Size | None = None
    vocabulary: Size | None = None
    positions: Positions | None = None
