"""`roofline import` writes a model file that gives the numbers of the config it was made from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import roofline as rl
from roofline.cli.app import app
from roofline.errors import RooflineError, SpecError, UsageError
from roofline.importers.huggingface.hub import config_path

CONFIG = {
    "model_type": "gemma3_text",
    "hidden_size": 256,
    "intermediate_size": 512,
    "num_hidden_layers": 7,
    "head_dim": 32,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "vocab_size": 1000,
    "sliding_window": 128,
    "dtype": "bfloat16",
}


def _config(folder: Path) -> Path:
    path = folder / "config.json"
    path.write_text(json.dumps(CONFIG))
    return path


def test_the_written_file_gives_the_same_numbers(tmp_path: Path) -> None:
    path, written = _config(tmp_path), tmp_path / "mine.yaml"
    done = CliRunner().invoke(app, ["import", str(path), "--output", str(written), "--name", "mine"])
    assert done.exit_code == 0, done.output
    direct, read = (rl.estimate(str(source), gpu="a100").to_dict() for source in (path, written))
    assert read["inputs"]["model"] == "mine"
    for key in ("parameters", "memory", "phases", "latency"):
        assert read[key] == direct[key]


def test_it_prints_and_does_not_overwrite(tmp_path: Path) -> None:
    path, written = _config(tmp_path), tmp_path / "mine.yaml"
    assert CliRunner().invoke(app, ["import", str(path)]).stdout.startswith("family: transformer\n")
    written.write_text("precious")
    again = CliRunner().invoke(app, ["import", str(tmp_path), "-o", str(written)])
    assert isinstance(again.exception, UsageError)
    assert written.read_text() == "precious"
    assert CliRunner().invoke(app, ["import", str(tmp_path), "-o", str(written), "--force"]).exit_code == 0


def test_a_config_or_its_folder_is_a_model(tmp_path: Path) -> None:
    path = _config(tmp_path)
    assert rl.load_model(str(path)).blocks == rl.load_model(str(tmp_path)).blocks  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["hf:gpt2", "hf:", "hf:a/b/c", "hf:../x", "hf:a/b@"])
def test_names_on_the_hub_have_two_parts(name: str) -> None:
    with pytest.raises(UsageError, match="hf:org/name"):
        config_path(name)


def test_an_architecture_that_is_not_modelled_exits_with_2_and_names_it(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**CONFIG, "model_type": "hyena"}))
    with pytest.raises(SpecError, match="'hyena' is not an architecture that is modelled"):
        rl.estimate(str(path), gpu="a100")
    assert isinstance(CliRunner().invoke(app, ["import", str(path)]).exception, RooflineError)


def test_heads_that_predict_further_tokens_are_reported_apart() -> None:
    """DeepSeek V3: 671.03 billion parameters, and 11.6 billion more in the layer that predicts a second token."""
    est = rl.estimate("deepseek-v3", gpu="b200").to_dict()
    assert est["parameters"]["total"] == 671_026_404_352
    assert 11.5e9 < est["parameters"]["mtp"] < 11.7e9
    assert any("11,6" in note and "further tokens" in note for note in est["assumptions"])
    assert "mtp" not in rl.estimate("llama-3-8b", gpu="b200").to_dict()["parameters"]
