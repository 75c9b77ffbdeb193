"""The raw maps of the cascade."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

PLACES = 4
"""Sub-places of a stride-4 cell at stride 2, row by row."""

SIDES = 4
"""Left, top, right, bottom."""

FINE_CHANNELS = (1 + SIDES) * PLACES
"""Score and four sides at each sub-place."""


class Raw(NamedTuple):
    """What the network gives for frames (B, 2, H, W)."""

    fine: Tensor  # (B, 1, H/2, W/2) logits
    sides: Tensor  # (B, 4, H/2, W/2) log distances left, top, right, bottom, of the unit 2 px
    coarse: Tensor  # (B, 1, H/4, W/4) logits
    scene: Tensor  # (B,) factor in [floor, 1] on what a score exceeds ``start`` by
    start: Tensor  # ()


class Packed(NamedTuple):
    """The same as the last convolution gives it, at stride 4; decoding needs no more."""

    values: Tensor  # (B, 21, H/4, W/4): fine, left, top, right, bottom at 4 sub-places each, coarse
    scene: Tensor
    start: Tensor


def unpacked(maps: Packed) -> Raw:
    """Maps with the sub-places where they belong."""
    fine = F.pixel_shuffle(maps.values[:, :FINE_CHANNELS], 2)
    coarse = maps.values[:, FINE_CHANNELS:]
    return Raw(fine[:, :1], fine[:, 1:], coarse, maps.scene, maps.start)


def packed(raw: Raw) -> Packed:
    """Inverse of `unpacked`."""
    fine = F.pixel_unshuffle(torch.cat([raw.fine, raw.sides], dim=1), 2)
    return Packed(torch.cat([fine, raw.coarse], dim=1), raw.scene, raw.start)


def doubled(x: Tensor, like: Tensor) -> Tensor:
    """Nearest-neighbour upsampling by 2, cut to the size of ``like``."""
    grown = F.interpolate(x, scale_factor=2.0, mode="nearest")
    return grown[..., : like.shape[-2], : like.shape[-1]]
