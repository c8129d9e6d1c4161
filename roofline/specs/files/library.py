"""Names to files: bundled specs, the user's own folders, aliases.

Order of look-up: a path; `--spec-dir`, then the folders in `ROOFLINE_PATH`; the user's configuration folder; the
bundled specs. In each folder a file's stem comes before an alias. Nothing is parsed but the file that is asked for.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

from roofline.errors import UnknownNameError, UsageError
from roofline.specs.files.paths import beginning, expanded, is_folder
from roofline.specs.files.spelling import is_secret, meant_by, times_of, weights_meant

Shelf: TypeAlias = Literal["models", "hardware", "nodes", "engines"]
_LISTING: Final = {
    "models": "roofline list models",
    "hardware": "roofline list gpus",
    "nodes": "roofline list nodes",
    "engines": "roofline list engines",
}
_WHAT: Final = {"models": "model", "hardware": "GPU", "nodes": "node", "engines": "engine"}
_KIND_ENGINE: Final = re.compile(r"^kind:\s*engine\s*$", re.MULTILINE)
_KIND: Final = re.compile(r"^(kind|family):\s*(\w*)", re.MULTILINE)
#: Where files of a kind stand; those of all others are accelerators.
_SHELF_OF: Final = {"engine": "engines", "node": "nodes"}
_SIZE: Final = re.compile(r"-(\d{1,4}gb)$")
_NAMED: Final = re.compile(r"^name:[ \t]*([^\s#]+)", re.MULTILINE)
_ALIASES: Final = re.compile(r"^aliases:\s*\[([^\]]*)\]", re.MULTILINE)


class Found(NamedTuple):
    """Where a name was found: its file and, where the name was an alias, the name that it stands for; `weights`, the
    number format that stood behind it.
    """

    path: Path
    name: str
    alias: str | None = None
    weights: str | None = None


def bundled(shelf: Shelf) -> Path:
    """The folder of bundled specs: inside an installed package, else at the root of the checkout."""
    if shelf == "nodes":
        return bundled("hardware") / "nodes"
    package = Path(__file__).resolve().parents[2]
    found = next((folder for folder in (package / shelf, package.parent / shelf) if is_folder(folder)), None)
    if found is None:
        raise UsageError(
            f"the files of {shelf}/ that come with roofline are not in {package}: install it as folders "
            "(pip install roofline); from a zip file they cannot be read"
        )
    return found


@lru_cache(maxsize=256)
def _is_bundled(folder: Path) -> bool:
    return folder in (bundled("models"), bundled("hardware"), bundled("nodes"), bundled("engines"))


def folders(shelf: Shelf, spec_dir: str | None = None) -> list[Path]:
    """Folders to search, in order. A folder of the user's may hold specs itself or in `models/` and `hardware/`.

    Nodes stand in `nodes/` or `hardware/nodes/`.
    """
    if spec_dir and not is_folder(expanded(spec_dir)):
        raise UsageError(f"--spec-dir {str(spec_dir)[:200]}: no such folder")
    roots = [spec_dir] if spec_dir else []
    roots += [part for part in os.environ.get("ROOFLINE_PATH", "").split(os.pathsep) if part]
    roots.append(_config_folder())
    found = []
    for root in roots:
        base = expanded(root)
        own = (base / "nodes", base / "hardware" / "nodes") if shelf == "nodes" else (base / shelf, base)
        found += [folder for folder in own if is_folder(folder)]
    return [*found, bundled(shelf)]


def _config_folder() -> str:
    return os.path.join(os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config"), "roofline")  # noqa: PTH118, PTH111


def find(shelf: Shelf, name: str, spec_dir: str | None = None, tags: bool = False) -> Found:
    """The file that a name stands for. Raises UnknownNameError with the nearest names.

    `tags`: a number format may stand behind the name of a model, and is told; else it is refused.
    """
    found = _exactly(shelf, name, spec_dir)
    if found is not None:
        return found
    known = _known(shelf, spec_dir)
    meant = meant_by(name, known, maker=shelf == "hardware")
    found = _exactly(shelf, meant.name, spec_dir) if meant is not None else None
    if found is not None and meant is not None and not meant.formats:
        return found._replace(alias=name)
    if found is not None and meant is not None and shelf == "models":
        weights, sure = weights_meant(meant.formats)
        if tags and sure:
            return found._replace(alias=name, weights=weights)
        more = "" if sure else ", for example"
        hint = f"The format of its weights is an option: --model {found.name} --weights {weights}{more}."
        raise UsageError(f"no model named {name!r}. {hint}")
    if shelf == "models" and is_secret(name):
        raise UsageError(
            f"no model named {name[:60]!r}: its shapes are not published, and nothing can be counted without them. "
            "`roofline list models` lists those whose are, gpt-oss-120b for example"
        )
    if shelf == "hardware":
        _refuse_times(name, spec_dir)
        known |= _known("nodes", spec_dir)
    raise UnknownNameError(_WHAT[shelf], name, known, _LISTING[shelf])


def _refuse_times(name: str, spec_dir: str | None) -> None:
    """Raises UsageError for several of an accelerator: `8x h100`."""
    several = times_of(name)
    if several is not None and not is_node(name, spec_dir):
        with suppress(UnknownNameError):
            found = find("hardware", several[1], spec_dir)
            raise UsageError(f"no GPU named {name!r}. How many is an option: --gpu {found.name} --gpus {several[0]}")


def _exactly(shelf: Shelf, name: str, spec_dir: str | None) -> Found | None:
    """The file of that name, or of which it is an alias, in the order of look-up."""
    wanted = name.strip().lower()
    shelves = folders(shelf, spec_dir)
    for folder in shelves:
        for table, alias in ((_stems, None), (_aliases_of, name)):
            path = table(folder).get(wanted)
            if path is not None and (folder is shelves[-1] or _belongs(path, shelf)):
                return Found(path, path.stem, alias)
    return None


def is_node(name: str, spec_dir: str | None = None) -> bool:
    """Whether a node has that name or alias."""
    try:
        find("nodes", name, spec_dir)
    except UnknownNameError:
        return False
    return True


def names(shelf: Shelf, spec_dir: str | None = None) -> list[str]:
    """All names on a shelf, sorted; the first folder that has a name wins."""
    *own, last = folders(shelf, spec_dir)
    found = {path.stem for path in _stems(last).values()}
    return sorted(found | {path.stem for folder in own for path in _stems(folder).values() if _belongs(path, shelf)})


def other_sizes(name: str, asked: str, spec_dir: str | None = None) -> list[str]:
    """Accelerators that differ from one in the memory that their names end in; none where it was asked by its size."""
    own = _SIZE.search(name)
    if own is None or own[1] in asked.lower().replace(" ", ""):
        return []
    return [each for each in names("hardware", spec_dir) if each != name and _SIZE.sub("", each) == _SIZE.sub("", name)]


def _belongs(path: Path, shelf: Shelf) -> bool:
    """Whether a file in a folder of the user's may stand on a shelf: by its kind or family, if it says one."""
    kind = _KIND.search(beginning(path))
    if kind is None:
        return True
    return shelf == ("models" if kind[1] == "family" else _SHELF_OF.get(kind[2], "hardware"))


def files(shelf: Shelf, spec_dir: str | None = None) -> dict[str, Path]:
    """The file that each name on a shelf stands for, sorted by name."""
    found: dict[str, Path] = {}
    *own, last = folders(shelf, spec_dir)
    for table in (*(table for folder in own for table in _tables(folder)), _stems(last)):
        found = table | found
    return {name: found[name.lower()] for name in names(shelf, spec_dir)}


def of_kind(kind: str, spec_dir: str | None = None) -> list[str]:
    """Names of the accelerators of a kind, `cpu` for example, sorted."""
    return [
        name
        for name, path in files("hardware", spec_dir).items()
        if (f := _KIND.search(beginning(path))) and f[2] == kind
    ]


def own_engines(spec_dir: str | None = None) -> dict[str, Path]:
    """Names and aliases of the engines in the user's own folders; the first folder that has a name wins."""
    found: dict[str, Path] = {}
    if not spec_dir and not os.environ.get("ROOFLINE_PATH") and not is_folder(_config_folder()):
        return found  # the usual case, asked for with every estimate
    for folder in folders("engines", spec_dir)[:-1]:
        for table in _tables(folder):
            for name, path in table.items():
                if name not in found and _KIND_ENGINE.search(beginning(path)):
                    found[name] = path
    return found


def engine_beside(path: Path, name: str) -> Path | None:
    """The engine of that name or alias in the folder of a file of one's own; None where there is none."""
    wanted = name.strip().lower()
    found = next((table[wanted] for table in _tables(path.parent) if wanted in table), None)
    return found if found is not None and _KIND_ENGINE.search(beginning(found)) else None


def bundled_aliases(shelf: Shelf) -> dict[str, str]:
    """Aliases of the bundled files of a shelf, and the names that they stand for."""
    return aliases_in(bundled(shelf))


def aliases_in(folder: Path) -> dict[str, str]:
    """Aliases of the files of a folder, and the names that they stand for."""
    return {alias: path.stem for alias, path in _aliases_of(folder).items() if alias != path.stem.lower()}


def _known(shelf: Shelf, spec_dir: str | None) -> dict[str, str]:
    """All names and aliases, and the name of the file that each stands for."""
    known: dict[str, str] = {}
    for folder in folders(shelf, spec_dir):
        for table in _tables(folder):
            for name, path in table.items():
                known.setdefault(name, path.stem)
    return known


def _tables(folder: Path) -> tuple[dict[str, Path], dict[str, Path]]:
    """Names and aliases of a folder, in the order of look-up."""
    return _stems(folder), _aliases_of(folder)


def _aliases_of(folder: Path) -> dict[str, Path]:
    return _alias_table(folder, stamp_of(folder))


def _stems(folder: Path) -> dict[str, Path]:
    return _bundled_stems(folder, stamp_of(folder)) if _is_bundled(folder) else _listed(folder)


@lru_cache(maxsize=8)
def _bundled_stems(folder: Path, changed: int) -> dict[str, Path]:
    """The files of a folder of the library, listed once: each part of a pipeline is looked up by its name."""
    return _listed(folder)


def _listed(folder: Path) -> dict[str, Path]:
    try:
        return {entry[:-5].lower(): folder / entry for entry in sorted(os.listdir(folder)) if entry.endswith(".yaml")}
    except OSError:
        return {}


def own_folders(shelf: Shelf, spec_dir: str | None = None) -> tuple[tuple[str, int], ...]:
    """The user's folders of a shelf in the order of look-up, each with a stamp that changes with what is in it.

    Nothing where there are none, and for one that is missing: whoever looks a name up there says so.
    """
    if not spec_dir and not os.environ.get("ROOFLINE_PATH") and not os.path.isdir(_config_folder()):  # noqa: PTH112
        return ()  # the usual case, asked for with every estimate
    try:
        return tuple((str(folder), stamp_of(folder)) for folder in folders(shelf, spec_dir)[:-1])
    except (OSError, RuntimeError, UsageError):
        return ()


def stamp_of(folder: Path) -> int:
    """When a folder last changed; of one outside of the library, when any file of it did."""
    try:
        own = folder.stat().st_mtime_ns
        if _is_bundled(folder):
            return own
        with os.scandir(folder) as entries:
            files = [entry.stat() for entry in entries if entry.name.endswith(".yaml")]
    except OSError:
        return 0
    return hash((own, *((file.st_ino, file.st_mtime_ns, file.st_size) for file in files)))


@lru_cache(maxsize=32)
def _alias_table(folder: Path, changed: int) -> dict[str, Path]:
    """Aliases of a folder, and names that are not those of their files, read off lines of each without parsing it."""
    table: dict[str, Path] = {}
    for path in _stems(folder).values():
        text = beginning(path)
        match, named = _ALIASES.search(text), _NAMED.search(text)
        for alias in (*(match[1].split(",") if match else ()), named[1] if named else ""):
            table.setdefault(alias.strip().strip("'\"").lower(), path)
    table.pop("", None)
    return table
