"""Every number that the articles print is recomputed, or it is said why not."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import roofline as rl
from roofline.specs.text.transformer import TransformerSpec

from .ask import SPECS, run
from .coverage import CHECKS, OPEN, STATUSES, open_rows
from .document import TARGET, document, judge
from .rows import rows

ROWS = rows()


@pytest.mark.parametrize("row_id", CHECKS)
def test_a_published_number_is_recomputed(row_id: str) -> None:
    judged = judge(ROWS[row_id])
    assert judged.verdict in ("agrees", "corrected", "differs", "holds"), (
        f"{judged.verdict}: published {ROWS[row_id].expected}, ours {judged.ours}, {judged.note}"
    )


def test_every_row_is_accounted_for_once() -> None:
    named = Counter([*CHECKS, *(row for group in OPEN for row in group.ids)])
    assert set(named) == set(ROWS)
    assert [row for row, count in named.items() if count > 1] == []
    assert len(ROWS) == 320


def test_what_is_open_says_why() -> None:
    assert {group.status for group in OPEN} == set(STATUSES)
    assert all(group.reason and group.ids for group in OPEN)


def test_only_measurements_are_held_one_sided() -> None:
    """Two estimates that contain a measured part are the exception."""
    one_sided = {row for row, check in CHECKS.items() if check.sense != "equal"}
    exceptions = {"kipply_13b_1gpu_full", "kipply_13b_step_from_run_2gpu"}
    assert {row for row in one_sided if ROWS[row].role != "measured"} == exceptions


def test_no_exact_row_is_put_aside_but_constants_graphs_and_formulas() -> None:
    aside = {row for row, group in open_rows().items() if group.status == "nothing to compute"}
    assert {row for row in aside if ROWS[row].role == "exact"} == {
        "rt_paper_dims",
        "lw_beta_linear",
        "lw_cosine_clip",
        "lw_lambda_vlb",
        "lw_tf_dmodel",
        "eai_sched",
        "eai_seed",
        "eai_train",
        "eai_ldm",
        "sd_ckpt",
        "kipply_intermediates_share",
        "tm101_inf12",
        "pt2_graph",
        "pt2_ident",
        "db_formula",
        "casson_c_approx",
        "tm101_c6pd",
        "tm101_d20p",
        "tm101_act_none",
        "tm101_act_sel",
        "a1_softmax_out",
    }


@pytest.mark.parametrize("path", sorted(Path(SPECS).glob("models/*.yaml")), ids=lambda path: path.stem)
def test_the_articles_own_models_have_the_size_that_they_state(path: Path) -> None:
    spec = rl.load_model(path)
    assert isinstance(spec, TransformerSpec)
    est = run(path.stem, "kipply-a100", prompt=1)
    computed = {
        "parameters": est.parameters.total,
        "kv_cache_bytes_per_token": est.memory.kv_cache_bytes_per_token,
    }
    for published in spec.published:
        assert computed[published.quantity] == pytest.approx(published.value, rel=published.tolerance)


def test_the_page_is_up_to_date() -> None:
    assert TARGET.read_text(encoding="utf-8") == document(), "run python -m published.document in tests"
