"""Suppression by fixed point keeps what the plain greedy loop keeps."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import greedy_nms as oracle

from deepir.models.nms import greedy_nms, iou_matrix

# Whole pixels: every area and overlap is exact, so no rounding decides between the two.
corner = st.integers(0, 12)
box = st.tuples(corner, corner, st.integers(-1, 6), st.integers(-1, 6)).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)
scored = st.lists(st.tuples(box, st.integers(0, 5)), max_size=25)


@settings(max_examples=150)
@given(scored, st.sampled_from([0.0, 0.3, 0.5, 0.7]))
def test_as_the_plain_loop(found, threshold):
    boxes, scores = [list(b) for b, _ in found], [s / 8 for _, s in found]
    ours = greedy_nms(
        torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        torch.tensor(scores, dtype=torch.float32),
        iou=threshold,
    )
    assert ours.tolist() == oracle.kept(boxes, scores, threshold)


def test_as_the_plain_loop_on_many_boxes():
    random = torch.Generator().manual_seed(0)
    low = torch.randint(0, 60, (600, 2), generator=random)
    boxes = torch.cat([low, low + torch.randint(1, 12, (600, 2), generator=random)], dim=1).float()
    scores = torch.rand(600, generator=random)
    ours = greedy_nms(boxes, scores).tolist()
    assert ours == oracle.kept(boxes.tolist(), scores.tolist(), 0.5)


def test_a_chain_in_which_each_box_decides_about_the_next():
    start = torch.arange(40.0)
    boxes = torch.stack([start, start * 0, start + 4, start * 0 + 1], dim=1)  # neighbours: IoU 3/5
    kept = greedy_nms(boxes, -start)
    assert kept.tolist() == list(range(0, 40, 2))


@pytest.mark.parametrize("threshold", [0.0, 0.5])
def test_nothing_keeps_nothing(threshold):
    assert greedy_nms(torch.zeros(0, 4), torch.zeros(0), iou=threshold).tolist() == []


def test_equal_overlap_stays():
    boxes = torch.tensor([[0.0, 0, 2, 1], [1, 0, 3, 1]])  # IoU 1/3
    assert len(greedy_nms(boxes, torch.ones(2), iou=1 / 3)) == 2
    assert len(greedy_nms(boxes, torch.ones(2), iou=0.333)) == 1


def test_iou_of_pairs():
    boxes = torch.tensor([[0.0, 0, 4, 4], [2, 0, 6, 4], [5, 1, 3, 2]])  # the last is inverted
    values = iou_matrix(boxes)
    assert values[0].tolist() == [1.0, pytest.approx(1 / 3), 0.0]
    torch.testing.assert_close(values, values.T)
