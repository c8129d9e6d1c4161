"""The wheel, installed elsewhere, does the main job."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("roofline", "models", "hardware"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--disable-pip-version-check"]
    subprocess.run([*command, "-w", str(out), str(source)], check=True, capture_output=True)
    return next(out.glob("*.whl"))


def test_the_wheel_holds_the_specs_and_the_type_marker(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("models", "hardware", "hardware/nodes"):
        assert {f"roofline/{folder}/{path.name}" for path in (ROOT / folder).glob("*.yaml")} <= names
    assert "roofline/hardware/prices.csv" in names
    assert {"roofline/py.typed", "roofline/analysis/catalogue/index.json"} <= names
    assert all(name.startswith(("roofline/", "roofline-")) for name in names)


def test_the_installed_wheel_does_the_main_job(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "env"
    venv.create(home, with_pip=False, symlinks=True)
    site = next(home.glob("lib/python*/site-packages"))
    zipfile.ZipFile(wheel).extractall(site)
    # the dependencies of the running environment, without its editable installs
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    command = [str(home / "bin" / "python"), "-I", "-m", "roofline", "estimate"]
    asked = ["-m", "mistral-7b", "-g", "a100", "-b", "8", "--json"]
    done = subprocess.run([*command, *asked], capture_output=True, text=True, check=True, cwd=tmp_path)
    answer = json.loads(done.stdout)
    assert answer["parameters"]["total"] == 7241732096
    assert answer["inputs"]["model_file"].startswith(str(site))
