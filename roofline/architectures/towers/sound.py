"""From seconds of sound to rows of a tower and tokens of a language model.

Source: the feature extractors and model classes of transformers 5.24.0: Qwen2-Audio, Voxtral (windows of 30 seconds,
filled up), Qwen2.5-Omni and Qwen3-Omni (chunks as long as the sound).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from roofline.specs.text.reading import ChunkedSound, PaddedSound, SoundReading

#: Frames of a spectrum in a second: a step of 160 samples at 16 kHz.
_FRAMES: Final = 100


class Heard(NamedTuple):
    """What becomes of one sound: windows or chunks, rows that convolutions give and that layers see, pairs of them."""

    windows: int
    padded: int
    rows: int
    pairs: float
    merged: int
    tokens: int
    markers: int


def heard(reading: SoundReading, seconds: float) -> Heard:
    """What a rule makes of so many seconds, more than none."""
    frames = max(int(seconds * _FRAMES + 1e-9), 1)
    return _padded(reading, frames) if isinstance(reading, PaddedSound) else _chunked(reading, frames)


def _padded(reading: PaddedSound, frames: int) -> Heard:
    whole, rest = divmod(frames, round(reading.window * _FRAMES))
    number = whole + bool(rest)
    rows = number * reading.rows
    tokens = whole * reading.merged + _halved(rest, reading.halved)
    read = number * reading.merged if reading.read_padding else tokens
    return Heard(number, rows, rows, float(rows * reading.rows), number * reading.merged, read, reading.markers)


def _halved(frames: int, times: int) -> int:
    for _ in range(times):
        frames = (frames + 1) // 2
    return frames


def _chunked(reading: ChunkedSound, frames: int) -> Heard:
    whole, rest = divmod(frames, reading.chunk)
    each, last = _halved(reading.chunk, reading.halved), _halved(rest, reading.halved)
    number, rows = whole + bool(rest), whole * each + last
    window = each * reading.attended
    full, left = divmod(rows, window)
    tokens = rows // 2 if reading.pooled else rows
    pairs = float(full * window**2 + left**2)
    return Heard(number, number * each, rows, pairs, tokens, tokens, reading.markers)
