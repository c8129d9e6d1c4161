"""A wrong spec is refused at file:line:column with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roofline.errors import SpecError
from roofline.specs.files.library import bundled
from roofline.specs.files.reader import read_gpu, read_model

MODEL = (bundled("models") / "mistral-7b.yaml").read_text()
GPU = (bundled("hardware") / "a100-sxm-80gb.yaml").read_text()


def refusal(tmp_path: Path, text: str, what: str = "model") -> str:
    path = tmp_path / "spec.yaml"
    path.write_text(text)
    with pytest.raises(SpecError) as caught:
        (read_model if what == "model" else read_gpu)(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("width: 4096", "widht: 4096", ["widht: unknown key", "Did you mean 'width'?", "    ^"]),
        ("heads: 32", "heads: -1", ["attention.heads", "greater than or equal to 1"]),
        ("kv_heads: 8", "kv_heads: 7", ["32 heads do not divide among 7 kv_heads"]),
        ("layers: 32", "layers: 3.5", ["layers", "whole number", "3.5"]),
        ("layers: 32", "layers: 99999999999999999999", ["layers"]),
        ("kind: softmax", "kind: sofmax", ["attention.kind", "'sofmax' is not one of", "Did you mean 'softmax'?"]),
        ("kind: rms", "kind: rns", ["norm.kind", "Did you mean 'rms'?"]),
        ("family: transformer", "family: transfromer", ["Nearest: transformer"]),
        ("vocabulary: 32000\n", "", ["'vocabulary' is missing"]),
        ("dtype: bf16", "dtype: bf17", ["dtype: unknown dtype 'bf17'", "Did you mean 'bf16'?"]),
        ("name: mistral-7b\n", "name: ../../etc\n", ["name"]),
    ],
)
def test_a_wrong_model_is_refused_where_it_is_wrong(tmp_path: Path, old: str, new: str, words: list[str]) -> None:
    assert old in MODEL
    message = refusal(tmp_path, MODEL.replace(old, new, 1))
    assert "spec.yaml:" in message
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("bandwidth: 2039 GB/s", "bandwidth: 2039 GB", ["not a unit of bandwidth", "2039 GB/s"]),
        ("bandwidth: 2039 GB/s", "bandwidth: 2039", ["has no unit"]),
        ("capacity: 81920 MiB", "capacity: -80 GB", ["not negative"]),
        ("capacity: 81920 MiB", "capacity: lots", ["80 GB"]),
        ("kind: gpu", "kind: gpus", ["Nearest: gpu"]),
        ("bf16: 312 TFLOP/s", "bf61: 312 TFLOP/s", ["bf61: unknown key", "'bf16'"]),
    ],
)
def test_a_wrong_gpu_is_refused_where_it_is_wrong(tmp_path: Path, old: str, new: str, words: list[str]) -> None:
    assert old in GPU
    message = refusal(tmp_path, GPU.replace(old, new, 1), "gpu")
    for word in words:
        assert word in message


_LINES = MODEL.splitlines()


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.integers(0, len(_LINES) - 1), st.sampled_from(["", "x", ": 1", "[]", "{}", "-1", "1e400", "&a *a", "'"]))
def test_a_damaged_line_is_read_or_refused(tmp_path: Path, line: int, damage: str) -> None:
    path = tmp_path / "fuzz.yaml"
    lines = list(_LINES)
    lines[line] = lines[line].split(":")[0] + ": " + damage if ":" in lines[line] else damage
    path.write_text("\n".join(lines))
    try:
        read_model(path)
    except SpecError as error:
        assert "fuzz.yaml" in str(error)
