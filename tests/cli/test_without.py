"""What is missing is named: the figures' library, the files of the package, whole numbers, who may read a file."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import roofline as rl
from roofline.errors import UsageError

PACKAGE = Path(rl.__file__).parent


def run(code: str, path: Path) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=path, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip()


def test_a_plot_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    est = rl.estimate("mistral-7b", "a100")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.style", None)
    with pytest.raises(UsageError, match="pip install"):
        est.plot()


def test_a_package_in_a_zip_file_says_what_it_needs(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "r.zip", "w") as archive:
        for file in PACKAGE.rglob("*"):
            if file.suffix in (".py", ".yaml", ".json"):
                archive.write(file, file.relative_to(PACKAGE.parent))
    code = "import sys; sys.path.insert(0, 'r.zip'); import roofline; roofline.estimate('mistral-7b', 'a100')"
    assert "from a zip file they cannot be read" in run(code, tmp_path).splitlines()[-1]


def test_a_file_that_is_written_anew_stays_as_readable_as_it_was(tmp_path: Path) -> None:
    from roofline.cli.writing import write_whole

    file = tmp_path / "x.yaml"
    file.write_text("old")
    file.chmod(0o444)
    write_whole(file, "new")
    assert file.read_text() == "new"
    assert file.stat().st_mode & 0o777 == 0o444


@pytest.mark.parametrize("value", ["+8", "1_0", " 8", "8 ", "٨", "1e3", "0x10", "1.0", "1" * 5000])
def test_a_whole_number_is_written_in_digits(value: str) -> None:
    command = [sys.executable, "-m", "roofline", "estimate", "-m", "mistral-7b", "-g", "a100", "--batch", value]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("roofline: --batch must be a whole number")
    assert len(done.stderr) < 200


def test_levels_on_a_node_name_its_accelerator() -> None:
    command = [sys.executable, "-m", "roofline", "levels", "-m", "mistral-7b", "--node", "dgx-a100"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Mistral 7B v0.1 on NVIDIA A100 SXM4 80GB:")
