"""From raw outputs to boxes: the coarse proposals and their correction."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from deepir.models.oscar.assign import locations
from deepir.models.oscar.raw import COARSE_STRIDE, REFINE_STRIDE


def coarse_corners(distances: Tensor) -> Tensor:
    """Corners (B, 4, h, w) in input pixels of the coarse distances left, top, right, bottom.

    >>> coarse_corners(torch.tensor([1.0, 2, 3, 4]).reshape(1, 4, 1, 1)).flatten().tolist()
    [3.0, 2.0, 7.0, 8.0]
    """
    size = (distances.shape[-2], distances.shape[-1])
    points = locations(size, COARSE_STRIDE, device=distances.device).permute(2, 0, 1)
    return torch.cat([points - distances[:, :2], points + distances[:, 2:]], dim=1)


def refined_corners(proposals: Tensor, offsets: Tensor) -> Tensor:
    """Corners (B, 4, h, w) in input pixels: coarse proposals moved by offsets in fine strides.

    Each fine location starts from the proposal (B, 4, h', w') of the coarse cell around it. Both
    keep their gradient: the refine box loss teaches the coarse branch too.
    """
    return on_grid_of(offsets, proposals) + REFINE_STRIDE * offsets


def on_grid_of(fine: Tensor, coarse: Tensor) -> Tensor:
    """Coarse values (B, C, h', w') at the cells of a fine grid (B, D, h, w), nearest."""
    return functional.interpolate(coarse, size=fine.shape[-2:], mode="nearest-exact")
