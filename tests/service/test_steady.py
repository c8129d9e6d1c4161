"""The formulas of a steady load: one user waits for nobody, arrays equal single values, no work is left out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roofline.runs.text.service.steady import Cycle, served_step, shares_of

SECONDS = st.floats(1e-4, 10.0)
USERS = st.integers(1, 2000)
TOKENS = st.integers(1, 4000)


def cycle(running: float, generate: float, step: float, prompt: float, *, mixes: bool) -> Cycle:
    """One request, where a decode step takes as long whatever runs, and half of it is left beside a prompt."""
    shares = shares_of(running, generate, mixes=mixes)
    served = served_step(shares, step, prompt, 0.5 * step)
    others = np.minimum(running - 1.0, 1.0) * np.minimum(generate - 1.0, 1.0)
    half = 0.5 * step * others
    return Cycle(prompt + (generate - 1.0) * step, prompt + 0.0 * half, half, step, served, shares.riding)


@given(USERS, TOKENS, st.booleans())
def test_a_token_takes_one_step_in_all_and_its_share_of_the_prompts_of_others(
    running: int, generate: int, mixes: bool
) -> None:
    shares = shares_of(float(running), float(generate), mixes=mixes)
    assert shares.steps + shares.riding == 1.0
    assert shares.prompts * generate == pytest.approx(running - 1.0)
    assert shares.riding <= (shares.prompts if mixes else 0.0)


@given(TOKENS, SECONDS, SECONDS, st.booleans())
def test_one_user_waits_for_nobody(generate: int, step: float, prompt: float, mixes: bool) -> None:
    alone = cycle(1.0, float(generate), step, prompt, mixes=mixes)
    assert alone.served == step
    assert alone.waits(1.0, float(generate)) == 0.0


@given(USERS, TOKENS, SECONDS, SECONDS)
def test_a_server_reads_one_prompt_at_a_time(running: int, generate: int, step: float, prompt: float) -> None:
    """Where prompts run alone, all of them, and all steps of one request, fit into the time of a request."""
    found = cycle(float(running), float(generate), step, prompt, mixes=False)
    steps = generate - 1.0
    request = found.own + found.half + found.waits(float(running), float(generate)) + steps * found.served
    assert request >= (running * prompt + steps * step) * (1.0 - 1e-9)


@given(USERS, TOKENS, SECONDS, SECONDS, st.booleans())
def test_a_steady_load_is_not_slower_than_one_after_the_other(
    running: int, generate: int, step: float, prompt: float, mixes: bool
) -> None:
    found = cycle(float(running), float(generate), step, prompt, mixes=mixes)
    request = found.own + found.half + found.waits(float(running), float(generate)) + (generate - 1.0) * found.served
    assert request <= running * (found.alone + step) * (1.0 + 1e-9)


@settings(max_examples=40)
@given(st.lists(USERS, min_size=2, max_size=6), TOKENS, SECONDS, SECONDS, st.booleans())
def test_arrays_are_what_single_values_are(
    users: list[int], generate: int, step: float, prompt: float, mixes: bool
) -> None:
    running = np.asarray(users, dtype=np.float64)
    waits = cycle(running, float(generate), step, prompt, mixes=mixes).waits(running, float(generate))  # type: ignore[arg-type]
    for place, each in enumerate(users):
        single = cycle(float(each), float(generate), step, prompt, mixes=mixes).waits(float(each), float(generate))
        assert np.broadcast_to(waits, running.shape)[place] == pytest.approx(single, rel=1e-12, abs=1e-15)
