"""The hardware shelf against a second copy of its figures, by chip: a slip of the pen in one of the two is found.

The copy names no source of its own: it was written down from the same research as the files, whose `sources` count,
and where a file says "recalled" or "secondary" the copy is no better. What it cannot find is a fault of both.
"""

import json
from pathlib import Path

import pytest

from roofline.errors import UnknownNameError
from roofline.specs.files.library import bundled, find
from roofline.specs.files.reader import read_gpu
from roofline.specs.gpu import GPUSpec

FACTS = json.loads(Path(__file__).with_name("hardware_facts.json").read_text(encoding="utf-8"))["devices"]
SHELF = {path.stem: path for path in sorted(bundled("hardware").glob("*.yaml"))}
SPECS = {name: read_gpu(path) for name, path in SHELF.items()}

TERA, GIGA, MEGA = 1e12, 1e9, 1e6

#: Spellings that people and published measurements use.
NAMES = {
    "a100-sxm-80gb": ("a100", "A100-80GB", "A100-SXM-80GB"),
    "a100-sxm-40gb": ("A100-40GB", "NVIDIA A100-SXM4-40GB"),
    "a100-pcie-40gb": ("NVIDIA A100-PCIE-40GB",),
    "a100-pcie-80gb": ("NVIDIA A100 80GB PCIe",),
    "a10": ("a10", "NVIDIA A10"),
    "a10g": ("a10g", "NVIDIA A10G"),
    "h100-sxm": ("h100", "H100-SXM 80GB"),
    "h100-pcie": ("NVIDIA H100 PCIe",),
    "h200-sxm": ("h200",),
    "b200-sxm": ("b200",),
    "h20": ("H20-96GB",),
    "v100-sxm2-32gb": ("v100",),
    "t4": ("T4",),
    "a6000": ("NVIDIA RTX A6000",),
    "rtx-4090": ("4090", "RTX 4090", "rtx4090", "NVIDIA GeForce RTX 4090"),
    "rtx-3090": ("3090",),
    "rtx-3090-ti": ("3090 Ti",),
    "rtx-3080": ("RTX 3080-10GB",),
    "rtx-3060-12gb": ("RTX 3060",),
    "titan-rtx": ("TITAN RTX",),
    "mi300x": ("mi300x-oam",),
    "apple-m1": ("m1",),
    "apple-m2-max": ("m2-max",),
}
SPELLINGS = [(spelling, name) for name, spellings in NAMES.items() for spelling in spellings]

#: Products that resemble one on the shelf and are not it.
STRANGERS = [
    "H800-NVL-80GB",
    "rtx-6000",
    "MI-250 1 GCD",
    "NVIDIA H100 PCIe MIG 1g.10gb",
    "v100-16gb",
    "3050",
    "4090 Ti",
    "m4-ultra",
    "xeon",
]

#: Products that resemble others and have a file of their own.
TWINS = {
    "a800": "a800-sxm-80gb",
    "h200-nvl": "h200-nvl",
    "l40": "l40",
    "RTX A5000": "rtx-a5000",
    "mi250": "mi250",
    "rtx-4090-laptop": "rtx-4090-laptop",
    "3080-12gb": "rtx-3080-12gb",
    "3070 Ti": "rtx-3070-ti",
    "4070 Ti Super": "rtx-4070-ti-super",
    "4060 Ti": "rtx-4060-ti-8gb",
    "RTX 5060 Ti": "rtx-5060-ti-16gb",
    "strix-halo": "ryzen-ai-max-395",
}

#: name: FMA per cycle and matrix core, matrix cores per compute unit, the peak in TFLOP/s that they give.
MATRIX_CORES = {
    "a100-sxm-80gb": (256, 4, 311.87),
    "h100-sxm": (512, 4, 989.43),
    "mi300x": (256, 4, 1307.4),
    "mi355x": (512, 4, 2516.6),
    "mi250x": (128, 4, 383.0),
}

#: Published NVLink bandwidth of one GPU, per direction (GB/s).
NVLINK = {"NVLink2": 150, "NVLink3": 300, "NVLink4": 450, "NVLink5": 900}


@pytest.fixture(autouse=True)
def _bundled_shelf_only(monkeypatch, tmp_path):
    """A folder of the user's own may rename things; these tests are about the bundled shelf."""
    monkeypatch.delenv("ROOFLINE_PATH", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def flat(spec: GPUSpec) -> dict[str, object]:
    """Every checkable value of a spec in SI units, by its path in the file."""
    values: dict[str, object] = {"memory.capacity": spec.memory.capacity, "memory.bandwidth": spec.memory.bandwidth}
    for group, peaks in (
        ("tensor", spec.peak.tensor),
        ("vector", spec.peak.vector),
        ("measured", spec.measured_matmul),
    ):
        for dtype, value in peaks or ():
            if value is not None and dtype != "source":
                values[f"{group}.{dtype}"] = value
    if spec.cache:
        values["cache.l2"] = spec.cache.l2
        if spec.cache.bandwidth:
            values["cache.bandwidth"] = spec.cache.bandwidth
    if spec.links and spec.links.scale_up:
        values["scale_up"] = (spec.links.scale_up.name, spec.links.scale_up.bandwidth)
    if spec.links and spec.links.pcie:
        values["pcie"] = (spec.links.pcie.generation, spec.links.pcie.bandwidth)
    if spec.units:
        values["units"] = tuple(value for _, value in spec.units if value is not None)
    values |= {name: getattr(spec, name) for name in ("power", "clock") if getattr(spec, name) is not None}
    return values


def flat_facts(facts: dict[str, object]) -> dict[str, object]:
    """The same values from the facts."""
    capacity, bandwidth = facts["memory"]
    values: dict[str, object] = {"memory.capacity": capacity * 2**20, "memory.bandwidth": bandwidth * GIGA}
    for group, key in (("tensor", "matrix"), ("vector", "vector"), ("measured", "measured")):
        values |= {f"{group}.{dtype}": value * TERA for dtype, value in facts.get(key, {}).items()}
    if "l2" in facts:
        values["cache.l2"] = facts["l2"] * MEGA
    if "l2_bandwidth" in facts:
        values["cache.bandwidth"] = facts["l2_bandwidth"] * GIGA
    for link in ("scale_up", "pcie"):
        if link in facts:
            values[link] = (facts[link][0], facts[link][1] * GIGA)
    if "units" in facts:
        values["units"] = tuple(facts["units"])
    if "power" in facts:
        values["power"] = facts["power"]
    if "clock" in facts:
        values["clock"] = facts["clock"] * MEGA
    return values


def test_every_known_device_is_on_the_shelf():
    assert len(FACTS) == 233
    assert set(FACTS) == set(SHELF)


@pytest.mark.parametrize("name", FACTS)
def test_every_value_is_the_published_one(name):
    found, wanted = flat(SPECS[name]), flat_facts(FACTS[name])
    assert found.keys() >= wanted.keys()
    for key in found.keys() - wanted.keys():  # what follows from the architecture says so
        field = str(key).rpartition(".")[2] if isinstance(key, str) else str(key[-1])
        assert any(field in text.partition(" (")[0] for text in SPECS[name].unverified), key
    for key, value in wanted.items():
        if isinstance(value, tuple):
            assert found[key] == (value[0], *(pytest.approx(x, rel=1e-12) for x in value[1:])), key
        else:
            assert found[key] == pytest.approx(value, rel=1e-12), key


@pytest.mark.parametrize("name", SHELF)
def test_a_file_is_named_as_its_device(name):
    assert SPECS[name].name == name


@pytest.mark.parametrize("name", SHELF)
def test_every_file_has_a_source(name):
    spec = SPECS[name]
    assert spec.sources
    assert all(len(source) > 10 for source in spec.sources)
    if spec.measured_matmul:
        assert spec.measured_matmul.source


def test_aliases_are_unique_and_never_the_name_of_another_device():
    aliases = [alias.lower() for spec in SPECS.values() for alias in spec.aliases]
    assert len(aliases) == len(set(aliases))
    assert not set(aliases) & set(SHELF)


@pytest.mark.parametrize("name", SHELF)
def test_every_alias_leads_to_its_device(name):
    for alias in (name, name.upper(), *SPECS[name].aliases):
        assert find("hardware", alias).path == SHELF[name]


@pytest.mark.parametrize(("spelling", "name"), SPELLINGS)
def test_a_usual_spelling_leads_to_its_device(spelling, name):
    assert find("hardware", spelling).name == name


@pytest.mark.parametrize("stranger", STRANGERS)
def test_no_alias_stands_for_a_different_product(stranger):
    with pytest.raises(UnknownNameError):
        find("hardware", stranger)


@pytest.mark.parametrize(("spelling", "name"), TWINS.items())
def test_a_twin_is_a_product_of_its_own(spelling, name):
    assert find("hardware", spelling).name == name


def test_a10g_is_not_a10():
    a10, a10g = SPECS["a10"].peak.tensor, SPECS["a10g"].peak.tensor
    assert a10.fp16 == a10.bf16 == 125e12
    assert a10g.fp16 == a10g.bf16 == 70e12
    assert find("hardware", "a10g").path != find("hardware", "a10").path


def test_headline_peaks_are_dense():
    """The sparse figures (624, 1979 and 140 TFLOP/s) are twice these."""
    assert SPECS["a100-sxm-80gb"].peak.tensor.bf16 == 312e12
    assert SPECS["h100-sxm"].peak.tensor.bf16 == pytest.approx(989.4e12, rel=2e-4)
    assert SPECS["a10g"].peak.tensor.bf16 == 70e12


@pytest.mark.parametrize("name", MATRIX_CORES)
def test_a_peak_is_clock_times_multiply_adds_times_cores(name):
    """One multiply-add is two FLOPs; clock and unit count are those of the file."""
    spec = SPECS[name]
    per_cycle, cores_per_unit, published = MATRIX_CORES[name]
    peak = spec.clock * per_cycle * 2 * cores_per_unit * spec.units.count
    assert peak == pytest.approx(published * TERA, rel=1e-4)
    assert spec.peak.tensor.bf16 == pytest.approx(peak, rel=5e-4)


@pytest.mark.parametrize("name", [name for name, spec in SPECS.items() if spec.kind == "gpu" and spec.measured_matmul])
def test_no_measured_matmul_beats_the_peak(name):
    spec = SPECS[name]
    for dtype, rate in spec.measured_matmul:
        if rate is not None and dtype != "source":
            assert rate < getattr(spec.peak.tensor, dtype)


@pytest.mark.parametrize("name", [name for name, spec in SPECS.items() if spec.links and spec.links.scale_up])
def test_links_are_per_direction(name):
    """The vendors print the sum of both directions. Bridges and cut links are named as such."""
    link = SPECS[name].links.scale_up
    if link.name in NVLINK:
        assert link.bandwidth == NVLINK[link.name] * GIGA


@pytest.mark.parametrize("name", [name for name, spec in SPECS.items() if spec.peak.tensor.fp16_acc16])
def test_geforce_runs_half_as_fast_with_fp32_accumulation(name):
    """Workstation parts of the same chips do not."""
    tensor = SPECS[name].peak.tensor
    is_consumer = "GeForce" in SPECS[name].title or name == "titan-rtx"
    assert tensor.fp16_acc16 == pytest.approx(tensor.fp16 * (2 if is_consumer else 1), rel=3e-3)


@pytest.mark.parametrize("name", SHELF)
def test_a_chip_without_matrix_units_still_has_a_16_bit_or_fp32_rate(name):
    peak = SPECS[name].peak
    if all(value is None for _, value in peak.tensor):
        assert peak.vector is not None
        assert peak.vector.fp32
