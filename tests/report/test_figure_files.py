"""How figures are written: the same bytes every time, whole or not at all, and matplotlib only where one is made."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import matplotlib
import pytest
from matplotlib.figure import Figure

import roofline as rl
from roofline.errors import UsageError
from roofline.report.plots.roofline import checked_path, save_figure


def test_a_figure_is_the_same_file_every_time_whatever_the_users_settings(tmp_path: Path) -> None:
    est = rl.estimate("mistral-7b", gpu="a100", batch=8)
    first = save_figure(est.plot(), tmp_path / "a.svg").read_bytes()
    with matplotlib.rc_context({"font.size": 20, "savefig.bbox": "tight", "lines.linewidth": 9, "svg.hashsalt": None}):
        second = save_figure(est.plot(), tmp_path / "b.svg").read_bytes()
        assert matplotlib.rcParams["font.size"] == 20
    assert first == second
    assert b"<dc:date>" not in first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.svg", "b.svg"]


@pytest.mark.parametrize(("kind", "start"), [("pdf", b"%PDF"), ("png", b"\x89PNG")])
def test_a_figure_is_written_as_its_name_ends_without_a_date(kind: str, start: bytes, tmp_path: Path) -> None:
    figure = rl.estimate("mistral-7b", gpu="a100", batch=8).plot()
    data = save_figure(figure, tmp_path / f"a.{kind.upper()}").read_bytes()
    assert data.startswith(start)
    assert b"CreationDate" not in data


def test_what_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    for path, words in (
        ("roofline.gif", r"must end in one of \.png, \.svg, \.pdf"),
        ("roofline", r"must end in one of"),
        (tmp_path / "none" / "a.svg", "there is no folder"),
        (tmp_path / ("x" * 400 + ".svg"), "cannot write a figure"),
        ("nul\0.svg", "cannot write a figure"),
    ):
        with pytest.raises(UsageError, match=words):
            save_figure(Figure(), path)
    (tmp_path / "folder.svg").mkdir()
    with pytest.raises(UsageError, match="it is a folder"):
        checked_path(tmp_path / "folder.svg")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.svg"
    target.write_text("old")

    def full(self: Path, data: bytes) -> int:
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(UsageError, match="No space left"):
        save_figure(Figure(), target)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_figures_show_themselves_in_a_notebook() -> None:
    data, size = rl.estimate("gpt2", gpu="a100").plot()._repr_png_()  # type: ignore[attr-defined]
    assert data.startswith(b"\x89PNG")
    assert size["width"] == 780


def test_matplotlib_is_loaded_for_a_figure_only_and_pyplot_never() -> None:
    code = (
        "import sys, roofline.report.plots.roofline as plot, roofline as rl\n"
        "assert 'matplotlib' not in sys.modules\n"
        "plot.roofline_figure([rl.estimate('gpt2', gpu='a100')])\n"
        "assert 'matplotlib' in sys.modules and 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
