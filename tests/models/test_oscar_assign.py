"""Which location learns which target: the vectorised rule is the plain one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import oscar_assign as oracle

from deepir.models.oscar.assign import NOBODY, locations, owners, pseudo_boxes
from deepir.models.oscar.targets import COARSE_SIDE, REFINE_SIDE, make_targets

SIZE = (48, 64)
LEVELS = [pytest.param(8, COARSE_SIDE, id="coarse"), pytest.param(4, REFINE_SIDE, id="refine")]

# Quarters of a pixel are exact in single precision, so that strict comparisons agree.
quarter = st.integers(0, 200).map(lambda q: q / 4)
side = st.integers(1, 160).map(lambda q: q / 4)
box = st.tuples(quarter, quarter, side, side).map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3]))
some_boxes = st.lists(box, max_size=6)


def grid(stride):
    return SIZE[0] // stride, SIZE[1] // stride


def tensor(boxes):
    return torch.as_tensor(boxes, dtype=torch.float32).reshape(-1, 4)


def mirrored(boxes):
    return tensor(boxes)[:, [2, 1, 0, 3]] * torch.tensor([-1, 1, -1, 1]) + torch.tensor(
        [SIZE[1], 0, SIZE[1], 0]
    )


def targets(boxes, noco=None):
    maps = torch.zeros(1, *SIZE) if noco is None else noco
    return make_targets([tensor(boxes)], SIZE, maps)


@settings(max_examples=60)
@pytest.mark.parametrize(("stride", "side"), LEVELS)
@given(boxes=some_boxes)
def test_owners_are_those_of_a_loop(stride, side, boxes):
    ours = owners(locations(grid(stride), stride), tensor(boxes), side)
    assert ours.tolist() == oracle.owners(grid(stride), stride, boxes, side)


@settings(max_examples=60)
@given(some_boxes)
def test_targets_hold_the_boxes_of_their_owners(boxes):
    ours = targets(boxes)
    for positive, learned, stride, side, of in (
        (ours.coarse_positive, ours.coarse_boxes, 8, 8.0, oracle.pseudo_box),
        (ours.refine_positive, ours.refine_boxes, 4, 6.0, lambda one, _: one),
    ):
        plain = oracle.owners(grid(stride), stride, boxes, side)
        for row, index in np.ndindex(*grid(stride)):
            owner = plain[row][index]
            assert positive[0, row, index].item() == (owner != NOBODY)
            if owner != NOBODY:
                assert learned[0, row, index].tolist() == list(of(boxes[owner], side))


@settings(max_examples=60)
@given(some_boxes)
def test_mirrored_boxes_give_mirrored_targets(boxes):
    unlike = {(b[2] - b[0]) * (b[3] - b[1]): b for b in boxes}  # equal areas are decided by order
    ours, turned = targets(list(unlike.values())), targets(mirrored(list(unlike.values())))
    for level in ("coarse", "refine"):
        positive = getattr(ours, f"{level}_positive")
        assert torch.equal(positive.flip(-1), getattr(turned, f"{level}_positive"))
        learned = getattr(ours, f"{level}_boxes")[positive]
        there = getattr(turned, f"{level}_boxes").flip(-2)[positive]
        assert torch.equal(mirrored(learned), there)


@settings(max_examples=40)
@given(some_boxes, st.randoms(use_true_random=False))
def test_the_order_of_unequal_targets_does_not_matter(boxes, random):
    unlike = list({(b[2] - b[0]) * (b[3] - b[1]): b for b in boxes}.values())
    mixed = random.sample(unlike, len(unlike))
    ours, other = targets(unlike), targets(mixed)
    assert torch.equal(ours.coarse_boxes, other.coarse_boxes)
    assert torch.equal(ours.refine_boxes, other.refine_boxes)


def test_a_tiny_target_on_a_corner_of_the_coarse_grid_has_no_coarse_location():
    ours = targets([[15, 15, 17, 17]])
    assert not ours.coarse_positive.any()  # 12 and 20 lie on the border of [12, 20], not inside
    assert ours.refine_positive.sum() == 4


def test_a_tiny_target_elsewhere_has_one():
    ours = targets([[11, 11, 13, 13]])
    assert ours.coarse_positive.nonzero().tolist() == [[0, 1, 1]]
    assert ours.coarse_boxes[ours.coarse_positive].tolist() == [[8, 8, 16, 16]]


@pytest.mark.parametrize(
    ("box", "grown"),
    [
        ([8, 8, 16, 16], [8, 8, 16, 16]),
        ([8, 8, 16, 16.25], [8, 8, 16, 16.25]),
        ([10, 10, 14, 12], [8, 7, 16, 15]),
        ([0, 10, 30, 12], [11, 7, 19, 15]),  # 60 square pixels, whatever the aspect
        ([0, 10, 33, 12], [0, 10, 33, 12]),
    ],
)
def test_area_decides_who_gets_a_pseudo_box(box, grown):
    assert pseudo_boxes(tensor([box]), 8).tolist() == [grown]


def test_of_equal_targets_the_first_is_learned():
    same = [[8, 8, 18, 18], [10, 8, 20, 18], [8, 8, 18, 18]]
    found = owners(torch.tensor([[12.0, 12.0], [19.0, 12.0], [1.0, 1.0]]), tensor(same), 8)
    assert found.tolist() == [0, 1, NOBODY]


def test_no_target_is_background():
    ours = targets([])
    assert not ours.coarse_positive.any()
    assert not ours.refine_positive.any()
    assert not ours.coarse_boxes.any()


def test_the_noco_target_is_the_nearest_pixel():
    noco = torch.arange(SIZE[0] * SIZE[1], dtype=torch.float32).reshape(1, *SIZE)
    ours = targets([], noco)
    assert torch.equal(ours.noco[0, 0], noco[0, 2::4, 2::4])


def test_sides_that_are_no_multiples_have_a_last_cell():
    ours = make_targets([tensor([[60, 40, 62, 42]])], (41, 61), torch.zeros(1, 41, 61))
    assert ours.coarse_positive.shape == (1, 6, 8)
    assert ours.refine_positive.shape == ours.noco.shape[:1] + ours.noco.shape[2:] == (1, 11, 16)


def test_maps_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"1 images of \(48, 64\) .* got \(1, 64, 48\)"):
        targets([], torch.zeros(1, 64, 48))
