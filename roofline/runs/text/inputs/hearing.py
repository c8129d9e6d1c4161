"""Sound for models that hear and write: its seconds, what the decoder is given first, and what is said of both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from roofline.architectures.text.stacks.sound import heard_tokens
from roofline.errors import UsageError
from roofline.num import Num, any_holds, first_value
from roofline.runs.kind import Question
from roofline.specs.text.stacks import SoundInput
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.media import Media
from roofline.workload.run import TextRun

#: Tokens that a decoder is given where nothing is said: Whisper's start, language, task, and that no times are wanted.
PROMPT: Final = 4.0
#: Seconds of sound where nothing is said and a model hears as long as a sound is.
_SECONDS: Final = 30.0


def sound_of(spec: TransformerSpec) -> SoundInput | None:
    """How the encoder of a model hears; None where it reads, or where there is none."""
    return spec.encoder_input.sound if spec.encoder_input is not None else None


def with_sound(
    spec: TransformerSpec, sound: SoundInput, run: TextRun, given: Mapping[str, Any], seconds: Num
) -> TextRun:
    """The run with its sound, and with a short prompt where none was asked. Raises UsageError for too long a sound."""
    window = float(sound.window or _SECONDS)
    heard: Num = window if "seconds" not in given else seconds
    if any_holds(heard <= 0.0):
        raise UsageError(f"--seconds must be more than 0: {spec.name} writes what it hears")
    if sound.window is not None and any_holds(heard > window):
        more = f"a longer sound is several (--batch), each of {window:.0f} s"
        raise UsageError(f"--seconds: {spec.name} hears {window:.0f} s at once, not {first_value(heard):,.4g}; {more}")
    prompt = run.prompt if "prompt" in given else PROMPT
    return replace(run, prompt=prompt, media=Media(prompt, seconds=heard))


def sound_notes(question: Question, sound: SoundInput) -> Iterator[str]:
    """What is assumed of a sound."""
    media = question.run.media
    if media is None:
        return
    seconds, rows = first_value(media.seconds), first_value(heard_tokens(sound, media.seconds))
    filled = f", filled up to {sound.window} s" if sound.window is not None and seconds < sound.window else ""
    yield f"{seconds:,.4g} s of sound per sequence{filled}: {rows:,.0f} rows in audio_encode, seen by the decoder"
    yield "the prompt is what the decoder is given before it writes; the spectrum is made outside of the model"
