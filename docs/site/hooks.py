"""What the site builder calls: pages made of notebooks and of files outside `docs/`, and where each stands."""

from __future__ import annotations

import logging
import re
from importlib import import_module
from typing import Any, Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from docs.site import notebooks

_LOG: Final = logging.getLogger("mkdocs.plugins.site")
#: Files outside `docs/` that are pages as well, and how other pages link to them.
OUTSIDE: Final = {"contributing.md": ".github/CONTRIBUTING.md", "changelog.md": "CHANGELOG.md"}
_MADE: Final[dict[str, notebooks.Page]] = {}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Puts the notebooks, as they are found, into the navigation."""
    made = ["notebooks/index.md", *({notebooks.title(name): f"notebooks/{name}.md"} for name in notebooks.names())]
    nav: list[Any] = config.nav or []
    config.nav = [{"Notebooks": made} if entry == {"Notebooks": "notebooks"} else entry for entry in nav]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages that are no files of `docs/`."""
    for name in notebooks.names():
        if notebooks.executed(name) is None:
            _LOG.warning("notebooks/%s.ipynb was not run as it stands: `python -m docs.site` runs it", name)
        page = _MADE[f"notebooks/{name}.md"] = notebooks.page(name)
        files.append(File.generated(config, f"notebooks/{name}.md", content=page.markdown))
        for file, content in page.pictures.items():
            files.append(File.generated(config, f"notebooks/{file}", content=content))
    files.append(File.generated(config, "notebooks/index.md", content=notebooks.overview()))
    for page_name, source in OUTSIDE.items():
        text = (notebooks.ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page_name, content=re.sub(r"\]\((?:\.\./)?docs/", "](", text)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Links to files outside `docs/` lead to their pages; tables of keywords are put in."""
    for page_name, source in OUTSIDE.items():
        markdown = markdown.replace(f"](../{source}", f"]({page_name}")
    markdown = markdown.replace("](../notebooks)", "](notebooks/index.md)")
    markdown = re.sub(r"<!-- keywords: ([\w.]+) -->", lambda found: keywords(found.group(1)), markdown)
    return re.sub(r"\]\(\.\./notebooks/(\w+)\.ipynb", r"](notebooks/\1.md", markdown)


def whole_options(code: str) -> str:
    """A command line as HTML whose options stay in one piece each."""
    return re.sub(r"(?<!\S)--?\w[\w-]*", r'<span class="option">\g<0></span>', code)


def keywords(home: str) -> str:
    """A table of the options that are declared somewhere, one heading for each panel of them."""
    module, _, name = home.rpartition(".")
    lines: list[str] = []
    for panel, options in getattr(import_module(module), name).items():
        lines += ["", f"**{panel}**", "", "| keyword | takes | meaning |", "|---|---|---|"]
        for option in options:
            takes = f"{option.type}, array" if option.size else option.type
            cells = (f"`{option.name}`", takes.replace("|", "or"), option.help.replace("|", "\\|"))
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def on_page_content(html: str, page: Any, **_: Any) -> str:
    """Puts what cells showed as HTML where it belongs: past the Markdown reader, which would change it.

    An option within a line is not broken behind its hyphens.
    """
    html = re.sub(r"<code>([^<]*)</code>", lambda found: f"<code>{whole_options(found.group(1))}</code>", html)
    made = _MADE.get(page.file.src_uri)
    return made.with_parts(html) if made else html
