"""A sweep stopped anywhere and gone on with writes the file of one in one go."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import roofline as rl
from roofline.analysis import grids
from roofline.analysis.sweeping import stream
from roofline.analysis.sweeping.best import Best
from roofline.analysis.sweeping.condition.parse import parse
from roofline.analysis.sweeping.plan import planned
from roofline.cli.sweeping.run import run
from roofline.cli.sweeping.wanted import Wanted
from roofline.report.streams import files
from roofline.report.streams.files import Growing

ASKED = {"tp": [1, 3, 2], "batch": range(1, 9), "prompt": range(100, 900, 100)}
PLAN = planned("mistral-7b", ["a100", "h100"], ASKED)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grids, "BLOCK", 16)
    monkeypatch.setattr(stream, "_ROWS", 20)
    monkeypatch.setattr(files, "_EVERY", 0.0)


def swept(path: Path, resume: bool = False, form: Any = "csv", where: str | None = None) -> None:
    condition = None if where is None else parse(where)
    run(PLAN, Wanted(form, path, condition, Best(), (), resume, False, False, False))


class Stop:
    """Stops at the so-many-th call of a method, before or behind it, or in the middle of what it writes."""

    def __init__(self, name: str, calls: int, how: str) -> None:
        self.real, self.name, self.left, self.how = getattr(Growing, name), name, calls, how

    def __enter__(self) -> None:
        def called(growing: Growing, *arguments: Any) -> Any:
            self.left -= 1
            if self.left:
                return self.real(growing, *arguments)
            if self.how == "middle" and self.name == "append":
                growing._file.write(arguments[0][: len(arguments[0]) // 2])
            elif self.how != "before":
                self.real(growing, *arguments)
            if self.how == "killed":  # nothing is tidied up
                Growing.stop = lambda growing: None  # type: ignore[method-assign]
            raise KeyboardInterrupt

        self.stop = Growing.stop
        setattr(Growing, self.name, called)

    def __exit__(self, *error: Any) -> None:
        setattr(Growing, self.name, self.real)
        Growing.stop = self.stop  # type: ignore[method-assign]


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["append", "reach", "_note"]),
    st.integers(1, 30),
    st.sampled_from(["before", "behind", "middle", "killed"]),
    st.sampled_from([None, "batch > 3 and gpu == 'h100'"]),
)
def test_a_stop_anywhere_loses_and_repeats_nothing(name: str, calls: int, how: str, where: str | None) -> None:
    with TemporaryDirectory() as folder:
        whole, path = Path(folder) / "whole.csv", Path(folder) / "a.csv"
        swept(whole, where=where)
        with Stop(name, calls, how), suppress(KeyboardInterrupt):
            swept(path, where=where)
        if not path.exists():
            swept(path, resume=True, where=where)
        assert path.read_bytes() == whole.read_bytes()
        assert len(list(Path(folder).iterdir())) == 2


def test_what_was_left_out_before_a_stop_is_told_behind_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    swept(tmp_path / "whole.csv")
    whole = capsys.readouterr().err.splitlines()[0]
    with Stop("reach", 8, "behind"), suppress(KeyboardInterrupt):
        swept(tmp_path / "a.csv")
    capsys.readouterr()
    swept(tmp_path / "a.csv", resume=True)
    assert capsys.readouterr().err.splitlines()[0] == whole
    assert "128 of 384 points cannot be" in whole


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", '{"bytes": "x"}', "\x00\xff", '{"sweep": 3, "bytes": -1}'])
def test_a_record_that_is_none_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv.part").write_text("model\n")
    (tmp_path / "a.csv.resume").write_text(text)
    with pytest.raises(rl.UsageError, match="--force begins anew"):
        swept(tmp_path / "a.csv", resume=True)
    assert (tmp_path / "a.csv.part").read_text() == "model\n"


def test_a_part_shorter_than_its_record_is_refused(tmp_path: Path) -> None:
    with Stop("reach", 5, "behind"), suppress(KeyboardInterrupt):
        swept(tmp_path / "a.csv")
    (tmp_path / "a.csv.part").write_text("")
    with pytest.raises(rl.UsageError, match="shorter than its record"):
        swept(tmp_path / "a.csv", resume=True)


def test_a_changed_file_of_a_model_makes_another_sweep(tmp_path: Path) -> None:
    from roofline.analysis.sweeping.fingerprint import fingerprint

    spec = tmp_path / "mine.yaml"
    text = (Path(__file__).parents[3] / "models" / "mistral-7b.yaml").read_text(encoding="utf-8")
    marks = set()
    for layers in (32, 31, 32):
        spec.write_text(text.replace("layers: 32", f"layers: {layers}"), encoding="utf-8")
        marks.add(fingerprint(planned(str(spec), "a100", {"batch": [1, 2]})))
    assert len(marks) == 2
    other = fingerprint(planned("mistral-7b", "a100", {"batch": range(1, 3)}), "csv")
    assert other != fingerprint(planned("mistral-7b", "a100", {"batch": range(1, 4)}), "csv")


def test_two_sweeps_do_not_write_to_one_file(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    first, second = (Growing(tmp_path / "a.csv", "mark") for _ in range(2))
    first.start(b"head\n", False)
    with pytest.raises(rl.UsageError, match="another sweep is writing"):
        second.start(b"head\n", False)
    first.stop()
    assert (tmp_path / "a.csv.part").read_bytes() == b"head\n"
