"""How an estimate shows itself in a notebook: the tables of the command line, as HTML."""

from __future__ import annotations

from io import StringIO

from roofline.analysis.estimate import Answer
from roofline.evidence.runs.nearest import Nearest
from roofline.report.tables.estimate import print_estimate

_FORMAT = '<pre style="line-height:1.3;overflow-x:auto">{code}</pre>'


def estimate_html(est: Answer, nearest: list[Nearest]) -> str:
    """The estimate's tables as one preformatted block."""
    from rich.console import Console

    console = Console(record=True, file=StringIO(), width=96, force_jupyter=False)
    print_estimate(est, console, nearest)
    return console.export_html(inline_styles=True, code_format=_FORMAT)
