"""The notebooks run from top to bottom, check themselves, and are stored without output.

What running them gave is kept in `build/notebooks`, where the site takes its pages from: nothing runs twice.
"""

from __future__ import annotations

from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
EXECUTED = ROOT / "build" / "notebooks"
by_name = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@by_name
def test_a_notebook_is_stored_without_output(path: Path) -> None:
    for cell in nbformat.read(path, as_version=4).cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


def test_notebooks_that_draw_by_themselves_share_one_style() -> None:
    cells = {
        path.stem: [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
        for path in NOTEBOOKS
    }
    drawing = {name for name, sources in cells.items() if any("plt.subplots" in source for source in sources)}
    styles = {name: [source for source in cells[name] if "rcParams" in source] for name in drawing}
    assert drawing
    assert all(len(own) == 1 for own in styles.values()), styles.keys()
    assert len({own[0] for own in styles.values()}) == 1


@pytest.mark.notebook
@by_name
def test_a_notebook_runs(path: Path) -> None:
    client = pytest.importorskip("nbclient")
    notebook = nbformat.read(path, as_version=4)
    client.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(path.parent)}}).execute()
    EXECUTED.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, EXECUTED / path.name)
