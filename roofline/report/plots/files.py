"""How a figure becomes a file: where it may be written, and its bytes, the same every time."""

from __future__ import annotations

import os
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from roofline.errors import UsageError
from roofline.report.plots.style import styled
from roofline.report.plots.web.html import check_library, html_page
from roofline.specs.files.paths import expanded, is_folder

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Endings of files; html is an interactive page.
FORMATS: Final = ("png", "svg", "pdf", "html")
_METADATA: Final[dict[str, dict[str, Any]]] = {
    "png": {"Software": "roofline"},
    "svg": {"Creator": "roofline", "Date": None},
    "pdf": {"Creator": "roofline", "Producer": None, "CreationDate": None},
}


def checked_path(path: str | os.PathLike[str]) -> Path:
    """Where a figure can be written. Raises UsageError for another extension, a missing folder or a folder's name."""
    target = expanded(path)
    if target.suffix.lower().removeprefix(".") not in FORMATS:
        accepted = ", ".join(f".{name}" for name in FORMATS)
        raise UsageError(f"cannot write a figure as {str(path)[:200]!r}: the name must end in one of {accepted}")
    if target.suffix.lower() == ".html":
        check_library()
    try:
        trouble = "it is a folder" if is_folder(target) else ""
        if not is_folder(target.parent):
            trouble = f"there is no folder {str(target.parent)!r}"
        elif not os.access(target.parent, os.W_OK):
            trouble = f"nothing can be written in {str(target.parent)!r}"
        target = target.resolve()
    except (OSError, ValueError) as error:
        trouble = getattr(error, "strerror", None) or str(error)
    if trouble:
        raise UsageError(f"cannot write a figure to {str(path)[:200]!r}: {trouble}")
    return target


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """Write a figure as PNG (300 dpi), SVG, PDF or an interactive HTML page, by extension.

    The same figure gives the same bytes. A page needs Plotly (extra `web`), holds it, and asks no network. The file
    appears whole or not at all. Raises UsageError for another extension, without Plotly for a page, or where nothing
    can be written.
    """
    target = checked_path(path)
    kind = target.suffix.lower().removeprefix(".")
    data = render(figure, kind, dpi=300)
    passing = target.with_name(f".{os.getpid()}.{target.name[-40:]}.tmp")
    try:
        passing.write_bytes(data)
        passing.replace(target)
    except OSError as error:
        with suppress(OSError):
            passing.unlink()
        raise UsageError(f"cannot write a figure to {str(path)[:200]!r}: {error.strerror or error}") from error
    return target


def render(figure: Figure, kind: str, dpi: float = 100) -> bytes:
    """A figure as the bytes of a PNG, SVG, PDF or HTML file, without date."""
    if kind == "html":
        return html_page(figure).encode()
    buffer = BytesIO()
    with styled():
        figure.savefig(buffer, format=kind, dpi=dpi, metadata=_METADATA[kind])
    return buffer.getvalue()
