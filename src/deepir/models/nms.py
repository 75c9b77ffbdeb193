"""Greedy non-maximum suppression, exact, in tensor operations of any device."""

from __future__ import annotations

import torch
from torch import Tensor


def iou_matrix(boxes: Tensor) -> Tensor:
    """Intersection over union of every pair, (N, 4) corners -> (N, N).

    Half-open boxes: no pixel is added to a side. An inverted or empty box overlaps nothing; where
    both are empty the quotient is NaN, which exceeds no threshold.
    """
    low = torch.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = torch.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    overlap = (high - low).clamp(min=0).prod(dim=2)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1)
    return overlap / (areas[:, None] + areas[None, :] - overlap)


def greedy_nms(boxes: Tensor, scores: Tensor, *, iou: float = 0.5) -> Tensor:
    """Indices (K,) of the boxes that greedy suppression keeps, best first; equal scores in order.

    ``boxes`` (N, 4), ``scores`` (N,): from the best down, a box goes when its IoU with one that
    stays exceeds ``iou``. N = 0 keeps nothing. Memory grows with N squared: some thousands.

    Instead of one box after the other, "stays unless a better one that stays overlaps it" is
    applied to all until nothing changes. Whatever depends on k better boxes is right after k
    rounds, so the one fixed point is the greedy answer; real scenes need a handful of rounds.

    >>> boxes = torch.tensor([[0.0, 0, 4, 4], [0, 1, 4, 5], [0, 2, 4, 6]])
    >>> greedy_nms(boxes, torch.tensor([0.9, 0.8, 0.7])).tolist()
    [0, 2]
    """
    order = scores.argsort(descending=True, stable=True)
    worse = (iou_matrix(boxes[order]) > iou).triu(1).float()  # row: the better box, column: a worse
    stays = scores.new_ones(len(order), dtype=torch.float32)
    while True:
        settled = (stays @ worse == 0).float()
        if torch.equal(settled, stays):
            return order[stays > 0]
        stays = settled
