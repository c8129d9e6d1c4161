"""Command lines as users of other programs write them: options by their names there, a size, words of no command."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any, Final

from roofline.errors import nearest
from roofline.runs.names import LIKELY_GPUS, LIKELY_MODELS, SAME, UNCOUNTED, called_elsewhere, meant_options

#: One number for both sides of a picture, or both of them.
_SIDES: Final = ("--resolution", "--size")
_PIXELS: Final = re.compile(r"([0-9]{1,7})(?:[x×*:]([0-9]{1,7}))?", re.ASCII)
#: What is asked with a word that is no command.
_ASKED_BY: Final = {
    "help": "--help",
    "version": "--version",
    "models": "list models",
    "gpus": "list gpus",
    "engines": "list engines",
    "precisions": "list precisions",
    "schedulers": "list schedulers",
    "nodes": "list nodes",
    "run": "estimate",
    "predict": "estimate",
    "serve": "estimate",
}


def flag(name: str) -> str:
    """An option as on the command line."""
    return f"--{name.replace('_', '-')}"


def written_out(args: list[str], known: Collection[str], refuse: Any) -> Iterator[str]:
    """The arguments with the names that other programs have for options of ours; `known` are those of the command.

    `refuse` raises the parser's error: for a size that is not square, and for a name behind a single dash.
    """
    rest = iter(args)
    for arg in rest:
        if arg == "--":
            yield from (arg, *rest)
            return
        name, equals, value = arg.partition("=")
        keyword = name[2:].replace("-", "_").lower()
        if name in _SIDES and {"height", "width"} <= {*known} and keyword not in known:
            side = _side(name, value if equals else next(rest, ""), refuse)
            yield from ("--height", side, "--width", side)
        elif name.startswith("--") and keyword not in known and SAME.get(keyword) in known:
            yield flag(SAME[keyword]) + equals + value
        else:
            _refuse_single_dash(name, known, refuse)
            yield arg


def _side(name: str, value: str, refuse: Any) -> str:
    """The side of a square picture."""
    found = _PIXELS.fullmatch(value.strip())
    if found is None:
        refuse(f"{name}: pixels of a square picture, for example {name} 1024; else give --height and --width")
    elif found[2] not in (None, found[1]):
        refuse(f"{name} {value}: give --height and --width, since some write the width first and some the height")
    return str(int(found[1])) if found else ""


def _refuse_single_dash(name: str, known: Collection[str], refuse: Any) -> None:
    """An option of several letters behind one dash would be read as several options, or as a letter and its value."""
    keyword = name[1:].replace("-", "_")
    meant = [keyword] if keyword in known else called_elsewhere(keyword, known)
    if re.fullmatch(r"-[a-z][a-z_-]+", name) and meant:
        known_as = _listed([flag(each) for each in meant])
        refuse(f"{name}: did you mean {known_as}? Names of several letters stand behind two dashes")


def no_option(option: str, command: str, known: Collection[str]) -> str:
    """What is said of an option that there is not."""
    keyword = option.lstrip("-").replace("-", "_")
    if keyword.lower() in UNCOUNTED:
        return f"no such option: {option}. It changes nothing that is counted: leave it out"
    own = [name for name in known if name != "debug"]
    meant, near = meant_options(keyword, own), nearest(keyword, own)
    if meant and meant[0] in near:  # it is only like it, and no other program's name for it
        meant = near
    hint = f". Did you mean {_listed([flag(name) for name in meant])}?" if meant else "."
    return f"no such option: {option}{hint} `{command} --help-all` lists all"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def no_command(name: str, commands: Collection[str]) -> str:
    """What is said of a command that there is not."""
    asked = _ASKED_BY.get(name.lower())
    if asked is not None:
        return f"no such command {name!r}: `roofline {asked}`"
    near = nearest(name, commands)
    hint = f". Did you mean {_listed([f'{each!r}' for each in near])}?" if near else "."
    return f"no such command {name!r}{hint} `roofline --help` lists all"


def no_model(command: str, gpu: Any, words: list[str]) -> str:
    """What is said where no model is named: three that are asked for most, and how it is written."""
    one = gpu[0] if isinstance(gpu, (list, tuple)) and gpu else gpu
    example = f"{command} --model {LIKELY_MODELS[0]} --gpu {one or LIKELY_GPUS[0]}"
    if words:
        named = [f"--{option} {word}" for option, word in zip(("model", "gpu"), words, strict=False)][: 1 if one else 2]
        named += [f"--gpu {one}"] if one else []
        return f"{words[0][:40]!r} stands alone: names belong to options: {command} {' '.join(named)[:120]}"
    return f"--model is missing, for example {_listed([*LIKELY_MODELS])}: {example}; `roofline list models` lists all"
