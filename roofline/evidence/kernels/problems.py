"""What each kind of kernel is fitted on: which columns make its shape, which bytes it must move, how fast it could be.

A problem is a group of measured kernels of one kind, chip, engine, format and kernel: their times, their roofline bound
and the prediction as a function of coefficients.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from roofline.errors import UsageError
from roofline.evidence.kernels.experts_load import rank_load
from roofline.evidence.kernels.formats import MULTIPLIED
from roofline.evidence.kernels.tables import Array, Table, number
from roofline.machine.kernels.attention import (
    NO_WINDOW,
    DecodeCoefficients,
    DecodeWork,
    PrefillCoefficients,
    PrefillWork,
    decode_time,
    prefill_time,
)
from roofline.machine.kernels.collective import CollectiveCoefficients, collective_time
from roofline.machine.kernels.common import ChipFacts
from roofline.machine.kernels.experts import ExpertsCoefficients, ExpertsWork, experts_time
from roofline.machine.kernels.matmul import MatmulCoefficients, matmul_time, quantise_time
from roofline.machine.kernels.rows import RowsCoefficients, rows_time
from roofline.machine.kernels.scan import ScanCoefficients, scan_time
from roofline.workload.constructors_collective import wire_share

#: Most query heads that read a cache together, and most parts of a cache: tried one by one.
_SHARED: Final = (4.0, 8.0, 16.0, 32.0, 1e9)
_SPLITS: Final = (1e9, 32.0, 16.0, 8.0, 4.0, 1.0)


class Chip(NamedTuple):
    """What a group needs of its chip: matrix peaks by format, bandwidth, units, the bandwidth of its link, and the rows
    of its smallest matrix instruction.
    """

    name: str
    peak: dict[str, float]
    bandwidth: float
    units: float
    link: float
    rows: float = 1.0

    def facts(self, dtype: str) -> ChipFacts:
        """As the kernel models want them. Raises UsageError where the chip has no such peak."""
        if dtype not in self.peak:
            raise UsageError(f"{self.name} has no {dtype} peak")
        return ChipFacts(self.peak[dtype], self.bandwidth, self.units, rows=self.rows)


@dataclass(frozen=True)
class Problem:
    """A group of kernels: measured seconds, roofline seconds, and a prediction for given coefficients and rows.

    `names` are fitted, `choices` are the values that each of the coefficients after them may take.
    """

    kind: str
    measured: Array
    bound: Array
    predict: Callable[[Array], Array]
    names: tuple[str, ...]
    choices: tuple[tuple[float, ...], ...] = ()
    fields: tuple[str, ...] = ()

    @property
    def physical(self) -> NDArray[np.bool_]:
        """Rows that are not faster than the roofline: the others ran from a warm cache, or did not do the work."""
        return np.asarray(self.measured >= self.bound)


def matmul_problem(table: Table, chip: Chip) -> Problem:
    """A linear layer: [m, k] @ [k, n], the activations quantised first where the format says so."""
    weight, active, dtype = MULTIPLIED[str(table["gemm_dtype"][0])]
    m, k, n = (number(table, name) for name in "mkn")
    chip_facts = chip.facts(dtype)
    moved = k * n * weight / 8 + m * k * active / 8 + m * n * 2.0
    quantises = active < 16.0 and str(table["gemm_dtype"][0]) != "fp8_static"
    quantised = m * k * (2.0 + active / 8)

    def predict(values: Array) -> Array:
        c = MatmulCoefficients(*values)
        time = matmul_time(m, k, n, moved, chip_facts, c)
        return np.asarray(time + quantise_time(quantised, chip_facts, c) if quantises else time)

    names = MatmulCoefficients._fields if quantises else MatmulCoefficients._fields[:-2]
    bound = np.maximum(2.0 * m * k * n / chip_facts.peak, moved / chip.bandwidth)
    return Problem("matmul", _seconds(table), bound, predict, names, fields=MatmulCoefficients._fields)


def prefill_problem(table: Table, chip: Chip) -> Problem:
    """Causal attention of whole prompts (or all-to-all, for an encoder); MLA with keys of 192 and values of 128."""
    batch, new, heads = (number(table, name) for name in ("batch_size", "isl", "num_heads"))
    latent = "mla_dtype" in table
    kv_heads = heads if latent or "num_key_value_heads" not in table else number(table, "num_key_value_heads")
    width = np.full_like(new, 320.0) if latent else 2.0 * number(table, "head_dim")
    causal = 0.0 if str(table["op_name"][0]) == "encoder_attention" else 1.0
    window = _window(table)
    chip_facts = chip.facts("fp8" if table.get("attn_dtype", ["bf16"])[0] == "fp8" else "bf16")
    cached = 1.0 if table.get("kv_cache_dtype", ["bf16"])[0] == "fp8" else 2.0
    writes = batch * new * 576.0 * cached if latent else batch * new * kv_heads * width * cached
    moved = batch * new * (heads + kv_heads) * width * 2.0 + (writes if causal else 0.0)
    work = PrefillWork(batch * heads, new, 0.0, window, causal, width, moved)
    inside = np.minimum(window, new)
    pairs = causal * (inside * (inside + 1.0) / 2.0 + (new - inside) * inside) + (1.0 - causal) * new * new

    def predict(values: Array) -> Array:
        return np.asarray(prefill_time(work, chip_facts, PrefillCoefficients(*values)))

    bound = np.maximum(2.0 * batch * heads * pairs * width / chip_facts.peak, moved / chip.bandwidth)
    kind = "mla prefill" if latent else "prefill"
    fields = PrefillCoefficients._fields
    return Problem(kind, _seconds(table), bound, predict, fields, fields=fields)


def decode_problem(table: Table, chip: Chip) -> Problem:
    """One new token per sequence after `step` cached ones; MLA with one shared cache row of 576 elements."""
    batch, keys, heads = number(table, "batch_size"), number(table, "step") + 1.0, number(table, "num_heads")
    latent = "mla_dtype" in table
    groups = np.ones_like(heads) if latent else number(table, "num_key_value_heads")
    width = np.full_like(heads, 576.0 + 512.0) if latent else 2.0 * number(table, "head_dim")
    element = 1.0 if str(table["kv_cache_dtype"][0]) == "fp8" else 2.0
    key_bytes = (576.0 if latent else width) * element
    other = batch * heads * width * 2.0
    window = _window(table)
    chip_facts = chip.facts("bf16")
    work = DecodeWork(batch, heads, groups, keys, window, width, key_bytes, other)

    def predict(values: Array) -> Array:
        return np.asarray(decode_time(work, chip_facts, DecodeCoefficients(*values)))

    read = batch * groups * np.minimum(keys, window) * key_bytes + other
    flops = 2.0 * batch * heads * np.minimum(keys, window) * width
    bound = np.maximum(read / chip.bandwidth, flops / chip_facts.peak)
    kind = "mla decode" if latent else "decode"
    fields = DecodeCoefficients._fields
    return Problem(kind, _seconds(table), bound, predict, fields[:-2], (_SHARED, _SPLITS), fields)


def experts_problem(table: Table, chip: Chip) -> Problem:
    """The routed feed-forwards of the busiest rank, under the stated distribution of tokens over experts."""
    weight, _, dtype = MULTIPLIED[str(table["moe_dtype"][0])]
    chip_facts = chip.facts(dtype)
    tokens, width = number(table, "num_tokens"), number(table, "hidden_size")
    hidden = number(table, "inter_size") / number(table, "moe_tp_size")
    into = 1.0 if "nongated" in str(table["kernel_source"][0]) else 2.0
    rows, touched = rank_load(table)
    all_rows = tokens * number(table, "topk")
    weights = touched * (into + 1.0) * width * hidden * weight / 8
    # each token's rows are summed on every rank, those of experts elsewhere as zeros
    rest = (2.0 * tokens * width + 2.0 * rows * (into + 1.0) * hidden + (rows + all_rows) * width) * 2.0
    work = ExpertsWork(rows, touched, width, hidden, into, weights, rest)

    def predict(values: Array) -> Array:
        return np.asarray(experts_time(work, chip_facts, ExpertsCoefficients(*values)))

    bound = np.maximum(2.0 * rows * (into + 1.0) * width * hidden / chip_facts.peak, weights / chip.bandwidth)
    fields = ExpertsCoefficients._fields
    return Problem("experts", _seconds(table), bound, predict, fields, fields=fields)


def scan_problem(table: Table, chip: Chip) -> Problem:
    """A recurrent layer's kernel: its convolution over channels, or its scan over states of head_k x head_v."""
    batch, new = number(table, "batch_size"), number(table, "seq_len")
    chip_facts = chip.facts("bf16")
    chains, channels, state, intra = _scan_sizes(table, batch)
    tokens, steps, kernel = batch * new, new, str(table["kernel_source"][0])
    if "causal_conv1d_fn" in kernel:  # a block per sequence and channel takes 1024 tokens in one go, not 64
        chains, steps = batch * channels, np.ceil(new / 1024.0) * 64.0
    if "conv" in kernel:
        flops, moved = 2.0 * tokens * channels * 4.0, tokens * channels * 4.0 + batch * channels * 16.0
    else:
        flops = tokens * (4.0 * state + intra) / batch * 1.0
        moved = tokens * channels * 2.0 + 2.0 * 4.0 * state

    def predict(values: Array) -> Array:
        return np.asarray(scan_time(chains, steps, flops, moved, chip_facts, ScanCoefficients(*values)))

    bound = np.maximum(moved / chip.bandwidth, flops / chip_facts.peak)
    fields = ScanCoefficients._fields
    return Problem("scan", _seconds(table), bound, predict, fields, fields=fields)


def _scan_sizes(table: Table, batch: Array) -> tuple[Array, Array, Array, Array]:
    """Chains, channels that a token streams, state elements of the batch, and FLOPs inside chunks of batch tokens."""
    if "nheads" in table:  # Mamba-2: heads of head_dim, groups of d_state
        heads, dim = number(table, "nheads"), number(table, "head_dim")
        inner, states = heads * dim, number(table, "d_state")
        channels = 2.0 * inner + 2.0 * number(table, "n_groups") * states
        return batch * heads, channels, batch * inner * states, batch * heads * 2.0 * 64.0 * (dim + states)
    keys, values = (number(table, f"num_{x}_heads") * number(table, f"head_{x}_dim") for x in "kv")
    heads, key_dim = number(table, "num_v_heads"), number(table, "head_k_dim")
    intra = batch * heads * 2.0 * 64.0 * (2.0 * key_dim + number(table, "head_v_dim"))
    return batch * heads, 2.0 * keys + 2.0 * values, batch * values * key_dim, intra


def rows_problem(table: Table, chip: Chip) -> Problem:
    """Activations [m, k] read in 16 bits and written in 8."""
    moved = number(table, "m") * number(table, "k") * 3.0
    chip_facts = chip.facts("bf16")

    def predict(values: Array) -> Array:
        return np.asarray(rows_time(moved, chip_facts, RowsCoefficients(*values)))

    bound = moved / chip.bandwidth
    fields = RowsCoefficients._fields
    return Problem("rows", _seconds(table), bound, predict, fields, fields=fields)


def collective_problem(table: Table, chip: Chip) -> Problem:
    """A collective among 2, 4 or 8 chips of a node; message sizes in elements for the 16-bit ones of NCCL."""
    operation = str(table["op_name"][0])
    chips, message = number(table, "num_gpus"), number(table, "message_size")
    element = 1.0 if str(table.get("nccl_dtype", table.get("allreduce_dtype", ["half"]))[0]) == "int8" else 2.0
    message = message * element

    def predict(values: Array) -> Array:
        return np.asarray(collective_time(operation, message, chips, chip.link, CollectiveCoefficients(*values)))

    bound = np.asarray(wire_share(operation, chips) * message / chip.link)
    fields = CollectiveCoefficients._fields
    return Problem("collective", _seconds(table), bound, predict, fields, fields=fields)


def _seconds(table: Table) -> Array:
    return number(table, "latency_ms") * 1e-3


def _window(table: Table) -> Any:
    if "window_size" not in table:
        return np.full(len(table["latency_ms"]), NO_WINDOW)
    window = number(table, "window_size")
    return np.where(window > 0.0, window, NO_WINDOW)
