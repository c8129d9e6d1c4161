"""`hf:org/name`: the config.json of a model on the Hugging Face hub, through the optional extra `hf`.

Nothing but JSON is fetched, and no code of a repository is run.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from roofline.errors import SpecError, UsageError
from roofline.importers.huggingface.read import read_config
from roofline.specs.base import Spec
from roofline.specs.files.paths import expanded

#: As the hub takes them: letters, digits, single dots and dashes between them, 96 characters in all.
_PART: Final = r"\w++(?:[.-]\w++)*+"
_NAME: Final = re.compile(rf"hf:(?P<repo>{_PART}/{_PART})(?:@(?P<revision>\w[\w./-]{{0,99}}))?", re.ASCII)
_LONGEST: Final = 96
#: Seconds that the hub may take to answer at all.
_PATIENCE: Final = 5.0


def read_hub(name: str) -> Spec:
    """The spec of `hf:org/name` or `hf:org/name@revision`. Raises UsageError where it cannot be fetched."""
    return read_config(*config_path(name))


def config_path(name: str) -> tuple[Path, str | None]:
    """The config.json that a path or `hf:org/name` means, and the name of a model on the hub."""
    if not name.startswith("hf:"):
        return expanded(name), None
    match = _NAME.fullmatch(name)
    if match is None or len(match["repo"]) > _LONGEST:
        raise UsageError(f"{name[:120]}: give hf:org/name or hf:org/name@revision, for example hf:Qwen/Qwen3-8B")
    repo, revision = match["repo"], match["revision"]
    config = _fetch(name, repo, "config.json", revision)
    if config is None:
        raise SpecError(f"{name}: the repository holds no config.json")
    _fetch(name, repo, "hf_quant_config.json", revision)
    return config, repo.partition("/")[2]


def _fetch(name: str, repo: str, file: str, revision: str | None) -> Path | None:
    """A file of a repository, from the local cache or the hub; None where the repository has none of that name."""
    try:
        from huggingface_hub import (  # type: ignore[import-not-found, unused-ignore]
            errors,
            get_session,
            hf_hub_download,
            hf_hub_url,
        )
    except ImportError:
        raise UsageError(
            f'{name}: needs the optional extra hf: pip install "roofline[hf]". '
            "Or download config.json and give its path: --model path/to/config.json"
        ) from None
    try:
        there = _answers(get_session(), hf_hub_url(repo, file, revision=revision))
        return Path(hf_hub_download(repo, file, revision=revision, local_files_only=not there))
    except errors.EntryNotFoundError as error:
        if isinstance(error, errors.LocalEntryNotFoundError):
            if file != "config.json":
                return None
            raise UsageError(f"{name}: the hub cannot be reached, and there is no local copy. {_INSTEAD}") from None
        return None
    except errors.GatedRepoError:
        raise UsageError(f"{name}: access is restricted; log in to the hub and accept its terms. {_INSTEAD}") from None
    except errors.RepositoryNotFoundError:
        raise UsageError(f"{name}: no such repository, or a private one. {_INSTEAD}") from None
    except errors.RevisionNotFoundError:
        raise UsageError(f"{name}: no such revision") from None
    except (OSError, ValueError, errors.HfHubHTTPError) as error:
        raise UsageError(f"{name}: cannot be fetched ({type(error).__name__}). {_INSTEAD}") from None


def _answers(session: Any, url: str) -> bool:
    """Whether the hub answers anything: the library itself would ask again and again for half a minute."""
    try:
        session.head(url, timeout=_PATIENCE)
    except Exception:  # whatever the library of the day raises where there is no network
        return False
    return True


_INSTEAD: Final = "Download config.json and give its path: --model path/to/config.json"
