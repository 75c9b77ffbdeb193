"""What the maps of the cascade should show for given boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

FINE_STRIDE = 2
COARSE_STRIDE = 4

SPREAD = 0.25
"""Standard deviation of a target's bump, as a part of the box side."""

LEAST_SPREAD = 0.6
"""Least standard deviation, in cells: the cascade's version of OSCAR's pseudo-boxes, which give
targets smaller than a cell a minimal extent on every grid."""

BOX_LEVEL = 0.35
"""Places where the bump exceeds it learn the box."""


@dataclass(frozen=True)
class Targets:
    """For a batch of B frames.

    ``fine`` (B, 1, h, w) and ``coarse`` heat maps in [0, 1], exactly 1 at one place a target;
    ``sides`` (B, 4, h, w) distances left, top, right, bottom to the box in cells of stride 2, and
    ``weight`` (B, 1, h, w), the bump where boxes are learnt and 0 elsewhere.
    """

    fine: Tensor
    coarse: Tensor
    sides: Tensor
    weight: Tensor

    def to(self, device: torch.device) -> Targets:
        """The same on another device; no copy where they are there already."""
        return Targets(*(getattr(self, part.name).to(device) for part in fields(self)))


def make_targets(boxes: Sequence[Tensor], height: int, width: int) -> Targets:
    """Targets for boxes (N_i, 4) in pixels of B frames of one size; N_i = 0 gives empty maps."""
    fine, sides, weight, coarse = [], [], [], []
    grid = (-(-height // COARSE_STRIDE), -(-width // COARSE_STRIDE))
    for of_frame in boxes:
        bumps = _bumps(of_frame, grid[0] * 2, grid[1] * 2, FINE_STRIDE)
        heat, of_place = bumps.max(dim=0, keepdim=True)
        box = of_frame[of_place[0]] if len(of_frame) else torch.zeros(*heat.shape[1:], 4)
        fine.append(heat)
        sides.append(_sides(box))
        weight.append(torch.where(heat > BOX_LEVEL, heat, 0.0))
        coarse.append(_bumps(of_frame, *grid, COARSE_STRIDE).amax(dim=0, keepdim=True))
    return Targets(*(torch.stack(part) for part in (fine, coarse, sides, weight)))


def _bumps(boxes: Tensor, rows: int, columns: int, stride: int) -> Tensor:
    """One Gaussian a box on the grid (N, rows, columns), 1 at the cell that holds its centre."""
    if not len(boxes):
        return torch.zeros(1, rows, columns)
    x, y = (boxes[:, [0, 1]] + boxes[:, [2, 3]]).div(2 * stride).T
    column = x.floor().clamp(0, columns - 1)
    row = y.floor().clamp(0, rows - 1)
    spread = (boxes[:, [2, 3]] - boxes[:, [0, 1]]).mul(SPREAD / stride).clamp(min=LEAST_SPREAD)
    u = (torch.arange(columns)[None] - column[:, None]) / spread[:, :1]
    v = (torch.arange(rows)[None] - row[:, None]) / spread[:, 1:]
    return torch.exp(-0.5 * v**2)[:, :, None] * torch.exp(-0.5 * u**2)[:, None, :]


def _sides(box: Tensor) -> Tensor:
    """Distances (4, h, w), in cells, from each cell's centre to its box (h, w, 4) in pixels."""
    rows, columns = box.shape[:2]
    x = torch.arange(columns)[None] + 0.5
    y = torch.arange(rows)[:, None] + 0.5
    x0, y0, x1, y1 = (box / FINE_STRIDE).unbind(-1)
    return torch.stack([x - x0, y - y0, x1 - x, y1 - y])
