"""Names of engines, and of their versions, to files and what stands in them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from roofline.errors import Place, SpecError, UnknownNameError, UnknownVersionError, UsageError
from roofline.machine.versions import Version, choose, in_order, widened
from roofline.specs.files.engines import ENGINES, TRAINERS, trainer_aliases, trainer_names
from roofline.specs.files.library import bundled_aliases, engine_beside
from roofline.specs.files.paths import beginning

if TYPE_CHECKING:
    from roofline.specs.engine import EngineSpec

#: Lines of a bundled file that say of which version it is.
_HEAD: Final = re.compile(r'^(version|since|until): "?([^"\n]+)"?$', re.MULTILINE)
#: The engine whose expected time is the bound.
IDEAL: Final = "ideal"
#: The engine that stands for whichever serves a model well.
GENERIC: Final = "generic"


def engine_names() -> list[str]:
    """Names of all engines, `ideal` first."""
    return [IDEAL, *sorted(path.stem for path in ENGINES.glob("*.yaml"))]


def read_engine(name: str) -> EngineSpec:
    """The spec of a bundled engine by its exact name, or of a file of one's own. Raises SpecError.

    What a version leaves to the engine that it is of is filled in, and the interval is wider where `@` and a version
    of which no run was at hand follow the name. What was read is kept while a file stays as it is.
    """
    return _read_engine(name, stamps_of(name))


@lru_cache(maxsize=256)
def _read_engine(name: str, stamps: tuple[int, ...]) -> EngineSpec:
    file, asked = _file_and_version(name)
    spec = _read_file(file, _stamp(file))
    if spec.of is not None:
        spec = spec.inheriting(read_engine(_base_of(file, spec.of)))
    if asked is None:
        return spec
    made = widened(spec.interval.model_dump(exclude_none=True))
    return spec.model_copy(update={"interval": type(spec.interval).model_validate(made)})


@lru_cache(maxsize=256)
def _read_file(name: str, stamp: tuple[int, int]) -> EngineSpec:
    from roofline.specs.engine import EngineSpec
    from roofline.specs.files.document import read_document
    from roofline.specs.files.reader import validate

    return validate(read_document(engine_path(name)), EngineSpec)


def _base_of(file: str, named: str, seen: tuple[str, ...] = ()) -> str:
    """The engine that a version is of: beside a file of one's own, else a bundled one. Raises SpecError."""
    beside = engine_beside(Path(file), named) if _is_file(file) else None
    try:
        base = str(beside) if beside is not None else bundled_engine(named)
    except UnknownNameError as error:
        raise SpecError(str(error), Place(str(engine_path(file))), "of") from None
    further = _read_file(base, _stamp(base)).of if base != IDEAL else None
    if base in (IDEAL, file, *seen):
        raise SpecError(f"{named} is no engine that one can be a version of", Place(str(engine_path(file))), "of")
    if further is not None:
        _base_of(base, further, (*seen, file))
    return base


def engine_path(name: str) -> Path:
    """The file of an engine by its exact name, or the file itself; of a version, the one that stands for it."""
    file = _file_and_version(name)[0]
    if _is_file(file):
        return Path(file)
    return (TRAINERS if file in trainer_names() else ENGINES) / f"{file}.yaml"


def stamps_of(name: str) -> tuple[int, ...]:
    """When a file of one's own, and those that it rests on, were written and how long they are."""
    file = name if _is_file(name) else name.rpartition("@")[0]
    if not _is_file(file):
        return ()  # what is bundled stays as it is
    found, stamps = file, _stamp(file)
    of = _read_file(found, stamps).of
    return stamps if of is None else (*stamps, *stamps_of(_base_of(found, of)))


def _stamp(name: str) -> tuple[int, int]:
    """When a file of one's own was written and how long it is: another text is another engine."""
    if not _is_file(name):
        return 0, 0
    try:
        found = Path(name).stat()
    except (OSError, ValueError):
        return 0, 0
    return found.st_mtime_ns, found.st_size


def _is_file(name: str) -> bool:
    return name.endswith((".yaml", ".yml"))


def find_engine(name: str, spec_dir: str | None = None) -> str:
    """The engine of that name or alias, or a file: one in the user's own folders comes before a bundled engine.

    After an `@` stands a version: its number, a month or a year, or `latest`. What comes back is the name or the file
    of the version that stands for it; where that is another one, `@` and the version that was asked for follow it.
    Raises UnknownNameError with the nearest names.
    """
    from roofline.specs.files.library import own_engines

    own = {} if _is_file(name) else own_engines(spec_dir)
    wanted = name.strip().lower()
    found = own.get(wanted)
    if found is not None and found.stem != IDEAL:
        return str(found)
    base, at, asked = wanted.partition("@")
    if at and (base in own or any(each.startswith(f"{base}@") for each in own)):
        first = str(own[base]) if base in own else bundled_engine(base)
        return _chosen(first, versions_of(first, own), asked)
    if wanted in trainer_names() or wanted in trainer_aliases():
        raise UsageError(
            f"engine {name} trains models and runs none: roofline train --engine {name}. "
            "`roofline list engines` lists those that run them."
        )
    return bundled_engine(name, tuple(own))


@cache
def bundled_engine(name: str, beside: tuple[str, ...] = ()) -> str:
    """The bundled engine of that name or alias, or the file. Raises UnknownNameError with the nearest names.

    `beside` are further names that may have been meant.
    """
    if _is_file(name) or _is_file(name.rpartition("@")[0]):
        return name
    wanted = name.strip().lower()
    known, aliases = engine_names(), bundled_aliases("engines")
    if wanted in known:
        return wanted
    if wanted in aliases:
        return aliases[wanted]
    if wanted in trainer_names():
        return wanted
    base, at, asked = wanted.partition("@")
    base = aliases.get(base, base)
    if at and base == IDEAL:
        raise UsageError(f"engine {name}: {IDEAL} is the roofline itself, which has no versions; leave out @{asked}")
    if at and base in known[1:]:
        return _chosen(base, versions_of(base), asked)
    from roofline.specs.files.programs import engine_meant

    meant = {each: each for each in (*known, *beside)} | aliases
    found = None if at else engine_meant(name, {each: each for each in known} | aliases)
    if found is not None:
        return bundled_engine(found, beside)
    raise UnknownNameError("engine", base if at else name, meant, "roofline list engines")


def versions_of(engine: str, own: Mapping[str, Path] = MappingProxyType({})) -> list[Version]:
    """The versions of an engine by its exact name or file, itself the first; `own` are the user's files by name.

    Those of `a` are called `a@...`: a version asked by another word is none of its own.
    """
    base = Path(engine).stem if _is_file(engine) else engine
    names = {name: name for name in engine_names() if name.startswith(f"{base}@")}
    names |= {name: str(path) for name, path in own.items() if name.startswith(f"{base.lower()}@")}
    return [_version(engine), *in_order(map(_version, dict.fromkeys(names.values())))]


def _version(name: str) -> Version:
    """What a file says of its version; of a bundled one without parsing the rest."""
    if _is_file(name):
        spec = _read_file(name, _stamp(name))
        return Version(name, spec.version, spec.since, spec.until)
    return _bundled_head(name)


@cache
def _bundled_head(name: str) -> Version:
    said = dict(_HEAD.findall(beginning(ENGINES / f"{name}.yaml")))
    return Version(name, *(said.get(key) for key in ("version", "since", "until")))


def _chosen(engine: str, versions: Sequence[Version], asked: str) -> str:
    """The version that stands for what was asked, with what was asked after it where that is another one."""
    found = choose(versions, asked)
    if found is None:
        name = Path(engine).stem if _is_file(engine) else engine
        told = [each.told(each.engine) for each in versions if each.text or len(versions) > 1]
        hint = "A number between two takes the earlier one, a month (2024-05) or a year the one that was current then."
        raise UnknownVersionError(name, asked, told, hint if told else f"Leave out @{asked[:60]}.")
    if found.own:
        return found.version.engine
    number = asked[1:] if asked[1:2].isdigit() and asked.startswith("v") else asked
    return f"{found.version.engine if _is_file(engine) else engine}@{number}"


def _file_and_version(name: str) -> tuple[str, str | None]:
    """The file that an engine stands in, and the version that was asked for where it is of another one."""
    if _is_file(name) or "@" not in name:
        return name, None
    file, _, asked = name.rpartition("@")
    if _is_file(file):
        return file, asked
    return _bundled_version(name)


@cache
def _bundled_version(name: str) -> tuple[str, str | None]:
    file, _, asked = name.rpartition("@")
    if name in engine_names() or file not in engine_names():
        return name, None
    found = choose(versions_of(file), asked)
    return (found.version.engine, None if found.own else asked) if found is not None else (name, None)


def engine_told(name: str) -> str:
    """An engine with its version, as a heading names it: `vllm 0.12 to 0.19`."""
    told = version_told(name)
    if told is None:
        return name
    return f"{name if _is_file(name) else name.partition('@')[0]} {told}"


def version_told(name: str) -> str | None:
    """The version that an answer is of; where that stands for another one, both. None where no version is known."""
    file, asked = _file_and_version(name)
    text = _version(file).text
    if asked is None or text is None:
        return text
    return f"{asked}, as {text}"


def engine_inputs(name: str) -> dict[str, str | None]:
    """What an answer's JSON says of its engine and version."""
    return {"engine": name, "engine_version": version_told(name)}


def stands_for(name: str) -> str:
    """The engine or file whose coefficients an engine has: of a version that was not measured, those of another."""
    return _file_and_version(name)[0]


def measured_as(name: str) -> str | None:
    """The version that stands for one that was asked for, as a sentence names it; None where it is of that version."""
    file, asked = _file_and_version(name)
    return None if asked is None else engine_told(file)


def other_versions(name: str) -> list[Version]:
    """The bundled versions of the engine that a name is of, but the one that stands for it; the newest first."""
    file, _ = _file_and_version(name)
    if _is_file(file):
        return []
    return [each for each in versions_of(file.partition("@")[0]) if each.engine != file]


def backend_of(name: str, vendor: str) -> str:
    """The engine that an engine, of whatever version, is on the chips of a maker: its backend for them, or itself.

    One that is another under its own name has that one's backends.
    """
    if name == IDEAL or _is_file(name.rpartition("@")[0] or name):
        return name
    base = name.partition("@")[0]
    of = _read_file(base, _stamp(base)).of
    if of is not None and not base.startswith(f"{of}-"):  # another name for it, and no backend that was asked for
        base = of
    return _backends().get((base, vendor), name)


@cache
def _backends() -> dict[tuple[str, str], str]:
    specs = [_read_file(name, _stamp(name)) for name in engine_names()[1:]]
    return {(spec.of, vendor): spec.name for spec in specs if spec.of is not None for vendor in spec.vendors}
