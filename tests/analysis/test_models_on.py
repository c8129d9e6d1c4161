"""`roofline fit --gpu NAME` says with what it reckons: steps and sizes of pictures, engines, what is left out."""

from __future__ import annotations

from io import StringIO

import roofline as rl
from roofline.report.tables.console import Console
from roofline.report.tables.fitting.models import print_models


def test_pictures_have_their_steps_and_tables_their_engine_and_setting() -> None:
    stream = StringIO()
    print_models(rl.fit(None, "rtx-3060-12gb", match="sdxl"), Console(stream, 120))
    rows = {line.split()[0]: line.split() for line in stream.getvalue().splitlines() if line.startswith(" sdxl")}
    for name in ("sdxl", "sdxl-lcm", "sdxl-turbo"):
        run = rl.estimate(name, "rtx-3060-12gb").question.run
        assert f"{run.height:g}×{run.width:g}" in rows[name]
        assert f"{run.steps:g}" in rows[name]
    assert "engine pytorch-eager" in stream.getvalue()
    stream = StringIO()
    print_models(rl.fit(None, "rtx-3060-12gb", match="gpt2", prompt=99), Console(stream, 120))
    text = " ".join(stream.getvalue().split())
    assert "99 tokens in" in text and "engine generic" in text


def test_parts_of_pipelines_that_are_left_out_are_counted() -> None:
    found = rl.fit(None, "rtx-3060-12gb", match="sdxl")
    left = len(rl.fit(None, "rtx-3060-12gb", match="sdxl", kind="part").models)
    assert any(note.startswith(f"{left} parts of pipelines") for note in found.assumptions)
    assert not any("of pipelines" in note for note in rl.fit(None, "rtx-3060-12gb", match="gpt2").assumptions)
