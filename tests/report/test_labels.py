"""Where labels go, and how names are joined: geometry, without a figure."""

from __future__ import annotations

import itertools
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from roofline.report.plots.geometry import Anchor, Box
from roofline.report.plots.labels import Scene, Wish, place, spread
from roofline.report.plots.roof.naming import Called, joint_name, told_apart


def test_joint_names_share_what_they_begin_and_end_with() -> None:
    assert joint_name(["q_proj", "k_proj", "head"]) == "q/k_proj, head"
    assert joint_name(["attn1.to_q", "attn1.to_k", "ff.out"]) == "attn1.to_q/to_k, ff.out"
    assert joint_name(["attention", "attention"]) == "attention"


@given(st.lists(st.builds(Called, st.sampled_from("ab"), st.sampled_from("pq"), st.sampled_from(["", "x"]))))
def test_names_that_are_told_apart_are_each_there_once(called: list[Called]) -> None:
    names = told_apart(called)
    assert len(set(names)) == len(called)
    assert all(name.startswith(one.text) for name, one in zip(names, called, strict=True))


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.floats(10, 390), st.floats(10, 190), st.floats(1, 8)), min_size=1, max_size=10))
def test_placed_labels_keep_clear_of_each_other_of_dots_and_edges(spots: list[tuple[float, float, float]]) -> None:
    dots = tuple(Anchor(*spot) for spot in spots)
    scene = Scene(Box(0, 0, 400, 200), dots=dots)
    wishes = [Wish(40, 9, (dot,)) for dot in dots]
    placed = [spot for spot in place(wishes, scene) if spot is not None]
    apart = all(math.dist(one, other) > 20 for one, other in itertools.combinations([spot[:2] for spot in spots], 2))
    assert len(placed) == len(wishes) or not apart, "dots that lie apart have each its label"
    for spot in placed:
        assert spot.box.within(scene.bounds)
        assert not any(spot.box.overlaps(dot.box) for dot in dots)
    for first, second in itertools.permutations(placed, 2):
        assert not first.box.overlaps(second.box)
        assert first.leader is None or not second.box.meets(first.leader)


def test_a_label_for_which_there_is_no_room_is_left_out() -> None:
    scene = Scene(Box(0, 0, 50, 20), dots=(Anchor(25, 10, 3),))
    assert place([Wish(60, 9, scene.dots)], scene) == [None]


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(1, 8)), min_size=1, max_size=12))
def test_spread_labels_follow_one_another_within_the_edges(wanted: list[tuple[float, float]]) -> None:
    centres = spread([at for at, _ in wanted], [height for _, height in wanted], 0, 100)
    spans = sorted((c - h / 2, c + h / 2) for c, (_, h) in zip(centres, wanted, strict=True))
    assert spans[0][0] >= -1e-9 and spans[-1][1] <= 100 + 1e-9
    assert all(first[1] <= second[0] + 1e-9 for first, second in itertools.pairwise(spans))


def test_labels_that_are_far_apart_stay_where_they_are() -> None:
    assert spread([10, 50, 90], [5, 5, 5], 0, 100) == [10, 50, 90]
