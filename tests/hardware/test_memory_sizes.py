"""A chip has the memory that its driver reports, and of unified memory what the system lets its GPU have."""

from __future__ import annotations

from pathlib import Path

import pytest

import roofline as rl
from roofline.errors import UnknownNameError, UsageError
from roofline.specs.files.library import files
from roofline.specs.files.reader import read_gpu
from roofline.specs.gpu_memory import macos_share

GIB, MIB = 2**30, 2**20
CHIPS = {name: read_gpu(path) for name, path in files("hardware").items()}
MACS = [name for name, spec in CHIPS.items() if spec.memory.unified and spec.memory.unified.system == "macos"]

#: recommendedMaxWorkingSetSize [MiB] by the size of a Mac [GiB].
READ = {16: 10922, 24: 16384, 32: 21845, 36: 27648, 48: 36864, 64: 53084, 96: 73728, 128: 110100, 512: 475136}
NONSENSE = ["48", "-5 GB", "-5g", "0 GB", "lots", "G", "x48G", "16 ZB", "48GBs", "1000000 TB", "nan GB", ""]
#: MiB as tools of drivers print them in public logs: nvidia-smi, rocm-smi, hl-smi.
REPORTED = {
    "h100": 81559,
    "h200": 143771,
    "b200": 183359,
    "3090": 24576,
    "4090": 24564,
    "mi300x": 196592,
    "gaudi2": 98304,
    "l20": 46068,
    "k80": 11441,
    "m40-12gb": 11520,
    "titan-v": 12066,
    "quadro-rtx-5000": 16125,
}


@pytest.mark.parametrize(("name", "mib"), REPORTED.items())
def test_a_capacity_is_what_the_driver_reports(name: str, mib: int) -> None:
    assert rl.load_gpu(name).memory.capacity == mib * MIB


@pytest.mark.parametrize("name", [name for name, spec in CHIPS.items() if spec.memory.unified is None])
def test_no_capacity_is_the_decimal_reading_of_its_label(name: str) -> None:
    """Within a tenth below to nothing above the label in GiB: error correction and firmware keep at most that."""
    memory, spec = CHIPS[name].memory, CHIPS[name]
    assert memory.source and memory.label
    number, unit = memory.label.split()
    labelled = float(number) * {"MB": MIB, "GB": GIB, "GiB": GIB}[unit]
    assert 0.92 * labelled <= memory.capacity <= 1.041 * labelled, spec.title


@pytest.mark.parametrize("name", CHIPS)
def test_a_capacity_that_no_driver_reported_says_so(name: str) -> None:
    spec = CHIPS[name]
    guessed = any(word in (spec.memory.source or "") for word in ("label", "recalled", "the most", "other", "as firm"))
    assert not guessed or any(note.startswith(("capacity", "every value", "all values")) for note in spec.unverified)


@pytest.mark.parametrize("name", MACS)
def test_a_mac_has_what_macos_leaves_its_gpu(name: str) -> None:
    memory = CHIPS[name].memory
    assert memory.capacity == pytest.approx(macos_share(memory.size) * memory.size, rel=1e-4)


@pytest.mark.parametrize(("gib", "mib"), READ.items())
def test_the_share_of_macos_is_the_one_that_was_read(gib: int, mib: int) -> None:
    """recommendedMaxWorkingSetSize of machines of these sizes, from public logs of llama.cpp and ollama."""
    assert macos_share(gib * GIB) * gib * GIB == pytest.approx(mib * MIB, rel=2e-4)


@pytest.mark.parametrize(
    ("asked", "name", "mib"),
    [
        ("m4-max-64gb", "apple-m4-max-64gb", 53084),
        ("M4 Max 36 GB", "apple-m4-max-36gb", 27 * 1024),
        ("apple-m1-8gb", "apple-m1-8gb", 8192 * 2 / 3),
        ("strix-halo-64gb", "ryzen-ai-max-395-64gb", 48 * 1024),
        ("rtx-3090-24gb", "rtx-3090", 24576),
    ],
)
def test_a_size_of_memory_is_a_variant(asked: str, name: str, mib: float) -> None:
    spec = rl.load_gpu(asked)
    assert spec.name == name
    assert spec.memory.capacity == pytest.approx(mib * MIB, rel=2e-4)


def test_a_variant_runs_in_the_nodes_of_its_chip() -> None:
    est = rl.estimate("llama-3.1-8b", gpu="apple-m3-ultra-256gb", tp=2)
    assert est.inputs["node"] == "mac-studio-m3-ultra-4"


def test_a_size_that_is_not_sold_is_refused_with_those_that_are() -> None:
    with pytest.raises(UsageError, match="apple-m4-max-36gb, apple-m4-max-48gb"):
        rl.load_gpu("m4-max-50gb")
    with pytest.raises(UnknownNameError):
        rl.load_gpu("v100-16gb")
    with pytest.raises(UnknownNameError):
        rl.load_gpu("-" * 150 + " 16gb")


def test_memory_of_another_size() -> None:
    """Memory is sold in GB that are GiB; of unified memory the system's part counts. The answer tells both."""
    card = rl.estimate("llama-3.1-8b", gpu="rtx-4090", memory="48GB")
    assert card.memory.capacity_bytes == 48 * GIB == card.inputs["memory"]
    assert any("memory of rtx-4090 as asked: 51.5 GB (48.0 GiB)" in note for note in card.assumptions)
    mac = rl.estimate("llama-3.1-8b", gpu="apple-m4-max", memory="32GB")
    assert mac.memory.capacity_bytes == pytest.approx(32 * GIB * 2 / 3)
    assert any("macOS lets the GPU have 22.9 GB (21.3 GiB), 67 %" in note for note in mac.assumptions)
    assert rl.estimate("sd15", gpu="m1", memory="8 GiB").memory.capacity_bytes == pytest.approx(8 * GIB * 2 / 3)
    exact = rl.estimate("llama-3.1-8b", gpu="rtx-4090", memory="25.5 GB")
    assert exact.memory.capacity_bytes == 25.5e9


@pytest.mark.parametrize(
    ("typed", "size"), [("48gb", 48 * GIB), ("48G", 48 * GIB), (" 48 gib", 48 * GIB), ("25.5g", 25.5e9)]
)
def test_a_size_is_read_as_people_type_it(typed: str, size: float) -> None:
    assert rl.estimate("llama-3.1-8b", gpu="rtx-4090", memory=typed).inputs["memory"] == size


@pytest.mark.parametrize("nonsense", NONSENSE)
def test_a_memory_that_is_none_is_refused(nonsense: str) -> None:
    with pytest.raises(UsageError, match="--memory"):
        rl.estimate("llama-3.1-8b", gpu="h100", memory=nonsense)


def test_a_capacity_beyond_the_machine_is_refused(tmp_path: Path) -> None:
    text = files("hardware")["apple-m1"].read_text(encoding="utf-8").replace("10923 MiB", "20 GiB")
    own = tmp_path / "own.yaml"
    own.write_text(text, encoding="utf-8")
    with pytest.raises(rl.SpecError, match="largest of the machine's unified sizes"):
        rl.load_gpu(str(own))
