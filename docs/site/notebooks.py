"""Notebooks as pages: `notebooks/` has them without output, `build/notebooks` what running them gave."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
SOURCES: Final = ROOT / "notebooks"
EXECUTED: Final = ROOT / "build" / "notebooks"

#: Notebooks that one reads first, in this order; all others follow by their names.
ORDER: Final = (
    "roofline_in_ten_minutes",
    "kipply_inference_arithmetic",
    "baseten_llm_inference",
    "casson_transformer_flops",
    "random_transformer",
    "attention_zoo",
    "stable_diffusion_anatomy",
    "fusion_and_compile",
    "which_gpu",
    "train_a_model",
    "your_model_your_gpu",
)
_PICTURES: Final = {"image/svg+xml": "svg", "image/png": "png", "image/jpeg": "jpg"}
_ANSI: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass
class Page:
    """One notebook as Markdown; `pictures` are files beside it, `parts` pieces of HTML that its marks stand for."""

    name: str
    title: str = ""
    lines: list[str] = field(default_factory=list)
    pictures: dict[str, bytes] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)

    @property
    def markdown(self) -> str:
        """The text of the page."""
        return "\n".join(self.lines)

    def with_parts(self, html: str) -> str:
        """The page as HTML, with the pieces of HTML that its cells showed."""
        for number, part in enumerate(self.parts):
            html = html.replace(_mark(number), part)
        return html


def names() -> list[str]:
    """The notebooks that there are, in the order of reading."""
    found = {path.stem for path in SOURCES.glob("*.ipynb")}
    return [name for name in ORDER if name in found] + sorted(found - set(ORDER))


def read(path: Path) -> dict[str, Any]:
    """A notebook file."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def title(name: str) -> str:
    """A notebook's first heading; its name where it has none."""
    for cell in read(SOURCES / f"{name}.ipynb")["cells"]:
        if cell["cell_type"] == "markdown" and (found := re.search(r"^# (.+)$", _text(cell["source"]), re.MULTILINE)):
            return found.group(1).strip()
    return name.replace("_", " ")


def first_words(name: str) -> str:
    """A notebook's first paragraph."""
    for cell in read(SOURCES / f"{name}.ipynb")["cells"]:
        for text in _text(cell["source"]).split("\n\n") if cell["cell_type"] == "markdown" else ():
            if not text.lstrip().startswith("#"):
                return " ".join(text.split())
    return ""


def overview() -> str:
    """A page that names all of them, in the order of reading."""
    head = (
        "# Notebooks\n\nThey redo the well-known articles and decide real questions, call by call; what can be held "
        "against a published number is: *we see X, expected Y, match*. They lie in `notebooks/` and were run when this "
        "site was built.\n"
    )
    return "\n".join([head, *(f"## [{title(name)}]({name}.md)\n\n{first_words(name)}\n" for name in names())])


def executed(name: str) -> Path | None:
    """The copy with outputs, where there is one of the notebook as it stands."""
    copy = EXECUTED / f"{name}.ipynb"
    if copy.exists() and _cells(read(copy)) == _cells(read(SOURCES / f"{name}.ipynb")):
        return copy
    return None


def page(name: str) -> Page:
    """A notebook as a page: with its outputs where it was run, else without."""
    made = Page(name, title(name))
    made.lines += [f"*A notebook: `notebooks/{name}.ipynb`, run from top to bottom when this site was built.*", ""]
    cells = read(executed(name) or SOURCES / f"{name}.ipynb")["cells"]
    for cell in cells:
        text = _text(cell["source"]).rstrip()
        if cell["cell_type"] == "markdown":
            made.lines += [_linked(text), ""]
        elif cell["cell_type"] == "code" and text:
            made.lines += _fenced(text, "python")
            for output in _joined(cell.get("outputs", ())):
                made.lines += _shown(output, made)
    heading = next((at for at, line in enumerate(made.lines) if line.startswith("# ")), None)
    if heading is not None:  # the title stands first, what kind of page this is below it
        first, _, rest = made.lines.pop(heading).partition("\n")
        made.lines[:0] = [first, ""]
        made.lines.insert(heading + 2, rest)
    return made


def _cells(notebook: dict[str, Any]) -> list[tuple[str, str]]:
    return [(cell["cell_type"], _text(cell["source"])) for cell in notebook["cells"]]


def _text(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)


def _linked(text: str) -> str:
    """Links to other notebooks and to pages, as they stand in `notebooks/`, from where the page stands."""
    return re.sub(r"\]\((\w+)\.ipynb", r"](\1.md", text).replace("](../docs/", "](../")


def _fenced(text: str, language: str) -> list[str]:
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    return [f"{fence}{language}", text, fence, ""]


def _joined(outputs: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Outputs with what was printed in several pieces as one."""
    found: list[dict[str, Any]] = []
    for output in outputs:
        last = found[-1] if found else {}
        if output["output_type"] == "stream" and last.get("name") == output["name"]:
            found[-1] = {**last, "text": _text(last["text"]) + _text(output["text"])}
        else:
            found.append(output)
    return found


def _shown(output: dict[str, Any], made: Page) -> Iterator[str]:
    """One output of a cell: the richest form of it that a page can show."""
    if output["output_type"] == "stream":
        yield from _fenced(_ANSI.sub("", _text(output["text"])).rstrip(), "text")
        return
    data = {kind: _text(value) for kind, value in output.get("data", {}).items() if not isinstance(value, dict)}
    picture = next((kind for kind in _PICTURES if kind in data), None)
    if "text/html" in data:
        made.parts.append(f'<div class="output">{data["text/html"]}</div>')
        yield from (_mark(len(made.parts) - 1), "")
    elif picture is not None:
        file = f"{made.name}-{len(made.pictures) + 1}.{_PICTURES[picture]}"
        text = data[picture]
        made.pictures[file] = text.encode() if picture == "image/svg+xml" else base64.b64decode(text)
        yield from (f"![What the lines above draw]({file}){{ .figure }}", "")
    elif "text/markdown" in data:
        yield from (data["text/markdown"], "")
    elif "text/plain" in data:
        yield from _fenced(_ANSI.sub("", data["text/plain"]), "text")


def _mark(number: int) -> str:
    return f'<div class="part-of-cell" id="part-{number}"></div>'
