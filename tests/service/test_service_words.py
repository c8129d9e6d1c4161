"""A steady load in words: its table at 80 columns, its derivations, and which table is which."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

import roofline as rl
from roofline.cli.app import app

RUN = ["--model", "llama-3.1-70b", "--gpu", "h200", "--tp", "2", "--engine", "vllm", "--prompt", "1000"]


def printed(*arguments: str) -> str:
    """What a command prints."""
    result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "80"})
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_tables_say_which_is_which() -> None:
    text = printed("estimate", *RUN, "--users", "500")
    assert "One batch, all at once (static)" in text
    assert "Steady load: 500 users, each sends the next request when the last is answered" in text
    assert re.search(r"at the client \(\+ \d+\.\d+ ms\)", text)
    assert "limited by memory for the cache of more requests" in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 80


def test_one_sequence_has_no_table_of_a_load_unless_asked() -> None:
    assert "Steady load" not in printed("estimate", *RUN)
    assert "Steady load: 1 user, each" in printed("estimate", *RUN, "--users", "1")
    assert "Steady load: 4 users" in printed("estimate", *RUN, "--batch", "4")


def test_explain_gives_the_formulas_and_values() -> None:
    text = printed("explain", *RUN, "--users", "50", "--generate", "300", "--only", "service")
    for name in ("running", "tpot_s", "ttft_s", "request_s", "requests_per_s", "output_tokens_per_s"):
        assert f"service.{name} = " in text
    assert "(50 - 1) / 300 = 0.1633 prompts a token" in text
    assert "steady load: 50 users without pauses" in text
    assert "memory" not in [line.split(".")[0] for line in text.splitlines()]


def test_the_terms_of_each_number_sum_to_it() -> None:
    for engine in ("vllm", "sglang"):
        est = rl.estimate("llama-3.1-8b", gpu="l4", engine=engine, users=300, prompt=3000)
        for derivation in est.explain():
            if derivation.quantity in ("service.tpot_s", "service.ttft_s"):
                assert sum(term.value for term in derivation.terms) == pytest.approx(derivation.value, rel=1e-6)
