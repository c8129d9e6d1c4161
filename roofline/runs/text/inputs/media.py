"""Pictures, frames and sound in a prompt: options checked, the tokens that they become, and what is said of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from roofline.answer.plain import counted_whole
from roofline.architectures.towers.seen import Seen, reads, seen_by
from roofline.errors import UsageError
from roofline.num import Num, all_hold, any_holds, as_num, first_value, is_nothing
from roofline.runs.checks import LARGEST, whole_number
from roofline.runs.kind import Question
from roofline.runs.options import asked
from roofline.runs.text.inputs.hearing import sound_notes, sound_of, with_sound
from roofline.specs.text.reading import FixedPicture
from roofline.specs.text.tower import Tower
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.media import Media
from roofline.workload.run import TextRun

#: The longest side of a picture in pixels, and the longest sound in seconds, that are taken for meant.
_LONGEST: Final = 65_536
_LONGEST_SOUND: Final = 1e6
_SIZE: Final = re.compile(r"\s*(\d{1,12})\s*(?:[xX×]\s*(\d{1,12})\s*)?(?:px)?\s*")
#: The side of a picture where nothing is said and the encoder has none of its own.
_SIDE: Final = 1024.0
#: Words of what reads sound, in what is said to be left out.
_OF_SOUND: Final = ("audio", "speech", "sound", "whisper")
_UNMEASURED: Final = (
    "encoders run before the prefill and count in the time to first token; no run of one was at hand: their expected "
    "time is that of the kernels of the engine's prefills"
)


def with_media(spec: TransformerSpec, run: TextRun, given: Mapping[str, Any], *, loaded: bool, engine: str) -> TextRun:
    """The run with what its prompts bring beside their text, whose tokens lengthen them; `loaded`: the towers are.

    Raises UsageError for a value out of range, for a model that has no encoder for it, and where that is left out.
    """
    images = whole_number("images", given.get("images", 0), least=0)
    frames = whole_number("frames", given.get("frames", 0), least=0)
    seconds = _seconds(given.get("seconds", 0.0))
    wanted = {"images": images, "frames": frames, "seconds": seconds}
    wanted = {name: value for name, value in wanted.items() if any_holds(_is_some(value))}
    for name in wanted:
        _check(spec, name, loaded, engine)
    size = asked(given, "image_size")
    if size is not None and not given.keys() & {"images", "frames"}:
        _check(spec, "image_size", loaded, engine)
        raise UsageError("--image-size: of how many pictures? --images N, or --frames N of a video")
    sides = _size(size) if size is not None else own_size(spec)
    if (sound := sound_of(spec)) is not None:
        return with_sound(spec, sound, run, given, seconds)
    if not wanted:
        return run
    height, width = sides
    media = Media(run.prompt, images, height, width, frames, seconds)
    total = run.prompt + prompt_tokens(spec, media)
    media = media._replace(attended=attended_tokens(spec, media), assumed=size is None and not any(_own_sides(spec)))
    if not all_hold(total <= LARGEST):
        raise UsageError(f"--{next(iter(wanted))}: {first_value(total):,.0f} tokens of prompt; at most {LARGEST:.0e}")
    return replace(run, prompt=total, media=media)


def prompt_tokens(spec: TransformerSpec, media: Media) -> Num:
    """Tokens of each prompt that are no text."""
    total: Num = 0.0
    for tower in spec.towers:
        total = total + (0.0 if tower.attended else seen_by(tower, media).tokens)
    return total


def attended_tokens(spec: TransformerSpec, media: Media) -> Num:
    """Tokens of each sequence that layers of cross-attention see beside its prompt."""
    total: Num = 0.0
    for tower in spec.towers:
        total = total + (seen_by(tower, media).tokens if tower.attended else 0.0)
    return total


def own_size(spec: TransformerSpec) -> tuple[float, float]:
    """Height and width of a picture of which nothing is said."""
    side = next(_own_sides(spec), _SIDE)
    return side, side


def _own_sides(spec: TransformerSpec) -> Iterator[float]:
    """The sides to which encoders scale every picture."""
    for tower in spec.towers:
        if tower.image and isinstance(tower.tokens, FixedPicture):
            yield float(tower.image)


def _is_some(value: Num) -> Any:
    return value > 0.0


def _check(spec: TransformerSpec, name: str, loaded: bool, engine: str) -> None:
    """Refuse what no tower of the model reads."""
    sound = name == "seconds"
    if sound and sound_of(spec) is not None:
        return
    what, option = ("sound", "--seconds") if sound else ("pictures", f"--{name.replace('_', '-')}")
    able = [tower for tower in spec.towers if (tower.name == "audio") == sound]
    if not able:
        left = [text for text in spec.left_out if any(word in text for word in _OF_SOUND) == sound]
        if left:
            raise UsageError(f"{option}: what reads {what} in {spec.name} is not modelled: {'; '.join(left)}")
        raise UsageError(f"{option}: {spec.name} reads no {what}")
    if not any(map(reads, able)):
        told = f"its {able[0].name} tower ({able[0].kind}) is counted in memory alone"
        raise UsageError(f"{option}: how {spec.name} makes tokens of {what} is not known; {told}")
    if not loaded:
        why = "--no-vision leaves it out" if engine == "" else f"{engine} leaves it out; --vision holds it"
        raise UsageError(f"{option}: the {able[0].name} tower of {spec.name} is not loaded: {why}")


def _size(text: Any) -> tuple[float, float]:
    """Height and width of `768x1024`, or of one number. Raises UsageError."""
    found = _SIZE.fullmatch(str(text)) if isinstance(text, (str, int)) and not isinstance(text, bool) else None
    if found is None:
        raise UsageError(f"--image-size must be height x width in pixels such as 768x1024, not {str(text)[:40]!r}")
    height, width = int(found[1]), int(found[2] or found[1])
    if not (1 <= height <= _LONGEST and 1 <= width <= _LONGEST):
        raise UsageError(f"--image-size: sides from 1 to {_LONGEST:,} pixels, not {str(text)[:40]!r}")
    return float(height), float(width)


def _seconds(value: Any) -> Num:
    """Seconds, or a grid of them. Raises UsageError."""
    try:
        seconds = as_num(value)
    except (TypeError, ValueError, OverflowError):
        raise UsageError(f"--seconds must be a number, not {str(value)[:40]!r}") from None
    if isinstance(value, (bool, str, bytes)) or not all_hold(seconds >= 0.0) or not all_hold(seconds <= _LONGEST_SOUND):
        raise UsageError(f"--seconds must be a number from 0 to {_LONGEST_SOUND:.0e}, not {str(value)[:40]!r}")
    return seconds


def media_inputs(run: TextRun) -> dict[str, Any]:
    """The options as resolved, under their names."""
    media = run.media
    if media is None:
        return {"images": 0, "image_size": None, "frames": 0, "seconds": 0.0}
    seen = not (is_nothing(media.images) and is_nothing(media.frames))
    size = f"{media.height:.0f}x{media.width:.0f}" if seen else None
    return {"images": media.images, "image_size": size, "frames": media.frames, "seconds": media.seconds}


def prompt_text(question: Question) -> str:
    """The prompt in words: `prompt 1,548 = 512 text + 1,036 of 1 picture`."""
    run, media = question.run, question.run.media
    if media is None:
        return f"prompt {run.prompt:,.0f}"
    if sound_of(question.spec) is not None:
        return f"prompt {run.prompt:,.0f}, {first_value(media.seconds):,.4g} s of sound"
    parts = [f"{media.text:,.0f} text"]
    beside: list[str] = []
    for tower, seen in _seen(question):
        (beside if tower.attended else parts).append(f"{seen.tokens:,.0f} of {_brought(media, tower)}")
    told = f" = {' + '.join(parts)}" if len(parts) > 1 else ""
    return f"prompt {run.prompt:,.0f}{told}" + "".join(f", beside it {text}" for text in beside)


def _seen(question: Question) -> Iterator[tuple[Tower, Seen]]:
    """The towers that see anything, and what, at the first point of a grid."""
    media = question.run.media
    if media is None:
        return
    first = {name: first_value(value) for name, value in media._asdict().items() if name != "assumed"}
    single = media._replace(**first)
    for tower in question.spec.towers:
        seen = seen_by(tower, single)
        if seen.items:
            yield tower, seen


def _brought(media: Media, tower: Tower) -> str:
    """What a tower is given, in words."""
    if tower.name == "audio":
        return f"{first_value(media.seconds):,.4g} s of sound"
    images, frames = first_value(media.images), first_value(media.frames)
    parts = [f"{_some(images, 'picture')}"] if images else []
    parts += [f"{_some(frames, 'frame')}"] if frames else []
    size = f" of {media.height:.0f}×{media.width:.0f} (assumed)" if media.assumed else ""
    return " and ".join(parts) + size


def _some(value: Num, what: str) -> str:
    """A whole number of something, at the first point of a grid."""
    return counted_whole(round(first_value(value)), what)


def media_notes(question: Question) -> Iterator[str]:
    """What is assumed of pictures and sound."""
    media = question.run.media
    if media is None:
        return
    if (hears := sound_of(question.spec)) is not None:
        yield from sound_notes(question, hears)
    for tower, seen in _seen(question):
        rule = tower.sound or tower.tokens
        views = f"{seen.views:,.0f} × {seen.patches / seen.views:,.0f} patches" if tower.name != "audio" else ""
        known = "height × width; assumed, --image-size tells another" if media.assumed else "height × width"
        size = f" of {media.height:.0f}×{media.width:.0f} px ({known})" if tower.name != "audio" else ""
        marked = f"; {_some(seen.markers, 'marker token')} around them, not counted" if seen.markers else ""
        rows = views or f"{_some(seen.views, 'window')}, {_some(seen.layers, 'row')}"
        of_prompt = " of cross-attention, beside the prompt" if tower.attended else ""
        where = f"{rows} in {tower.name}_encode, {_some(seen.tokens, 'token')}{of_prompt}{marked}"
        brought = _brought(media._replace(assumed=False), tower)
        yield f"{brought}{size} per prompt: {where}"
        if rule is not None and rule.source:
            yield f"the size and number of patches: {rule.source}"
    yield _UNMEASURED
