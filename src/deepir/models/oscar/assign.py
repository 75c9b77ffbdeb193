"""Which location learns which target: all-scale pseudo-boxes.

A target smaller than a cell of the grid contains no location of its own; within its pseudo-box, of
the same area at least as a cell, it gets some. Dai et al., IEEE TGRS 61, 2023.
"""

from __future__ import annotations

import torch
from torch import Tensor

NOBODY = -1
"""Owner of a location that is background."""


def locations(size: tuple[int, int], stride: int, *, device: torch.device | None = None) -> Tensor:
    """Centres ``x y`` (h, w, 2) of the cells of a grid of ``size`` (h, w), in input pixels.

    >>> locations((1, 2), 8).tolist()
    [[[4.0, 4.0], [12.0, 4.0]]]
    """
    rows, columns = (
        (torch.arange(side, dtype=torch.float32, device=device) + 0.5) * stride for side in size
    )
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack([x, y], dim=-1)


def areas(boxes: Tensor) -> Tensor:
    """Areas (N,) of boxes (N, 4) in square pixels."""
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def pseudo_boxes(boxes: Tensor, side: float) -> Tensor:
    """Boxes (N, 4) in which those of at most side x side square pixels have become squares of it.

    The square sits around the centre of the box; a box larger than that keeps its own corners,
    whatever its aspect.

    >>> pseudo_boxes(torch.tensor([[10.0, 10, 12, 12], [0, 0, 40, 2]]), 8).tolist()
    [[7.0, 7.0, 15.0, 15.0], [0.0, 0.0, 40.0, 2.0]]
    """
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    squares = torch.cat([centres - side / 2, centres + side / 2], dim=1)
    return torch.where((areas(boxes) > side * side)[:, None], boxes, squares)


def owners(points: Tensor, boxes: Tensor, side: float) -> Tensor:
    """Index of the box that each location learns, or `NOBODY`: (..., 2) and (N, 4) -> (...).

    A location strictly inside pseudo-boxes learns the target whose own area is smallest, of equal
    ones the first. N = 0 leaves all to nobody.
    """
    if not len(boxes):
        return torch.full(points.shape[:-1], NOBODY, device=points.device)
    order = areas(boxes).argsort(stable=True)
    framed = pseudo_boxes(boxes[order], side)
    margins = torch.cat(
        [points[..., None, :] - framed[:, :2], framed[:, 2:] - points[..., None, :]], -1
    )
    inside = (margins > 0).all(dim=-1)
    smallest = order[inside.byte().argmax(dim=-1)]  # argmax gives the first of equal ones
    return torch.where(inside.any(dim=-1), smallest, NOBODY)
