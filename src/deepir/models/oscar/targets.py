"""What each location should say, from boxes and NoCo maps alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from deepir.models.oscar.assign import NOBODY, locations, owners, pseudo_boxes
from deepir.models.oscar.raw import COARSE_STRIDE, REFINE_STRIDE

COARSE_SIDE = 8.0
"""Side of a coarse pseudo-box in input pixels: the stride."""

REFINE_SIDE = 6.0
"""Side of a refine pseudo-box in input pixels: 1.5 strides."""


@dataclass(frozen=True, eq=False)
class Targets:
    """Targets of a batch; fine grid (h, w) of stride 4, coarse one of stride 8.

    Boxes are corners in input pixels, meaningful at positive locations only: the pseudo-box of the
    target on the coarse grid, the target's own box on the fine one.
    """

    coarse_positive: Tensor
    """(B, h / 2, w / 2) bool."""

    coarse_boxes: Tensor
    """(B, h / 2, w / 2, 4)."""

    refine_positive: Tensor
    """(B, h, w) bool."""

    refine_boxes: Tensor
    """(B, h, w, 4)."""

    noco: Tensor
    """(B, 1, h, w) in [0, 1]."""


def make_targets(boxes: Sequence[Tensor], size: tuple[int, int], noco: Tensor) -> Targets:
    """Targets for images of ``size`` (H, W) with ``boxes`` (N_i, 4) each; N_i = 0 is background.

    ``noco`` (B, 1, H, W) or (B, H, W): NoCo maps of the images as the network sees them; its
    device is the targets'.

    Raises:
        ValueError: maps of another size or number.
    """
    maps = noco if noco.ndim == 4 else noco[:, None]
    if maps.shape != (len(boxes), 1, *size):
        raise ValueError(
            f"{len(boxes)} images of {size} need NoCo maps of that size, got {tuple(noco.shape)}"
        )
    framed = [each.to(maps.device, torch.float32) for each in boxes]
    coarse, fine = (_grid(size, stride) for stride in (COARSE_STRIDE, REFINE_STRIDE))
    coarse_learned = [pseudo_boxes(each, COARSE_SIDE) for each in framed]
    coarse_owners = _owners(framed, coarse, COARSE_STRIDE, COARSE_SIDE)
    refine_owners = _owners(framed, fine, REFINE_STRIDE, REFINE_SIDE)
    return Targets(
        coarse_positive=coarse_owners != NOBODY,
        coarse_boxes=_owned(coarse_learned, coarse_owners),
        refine_positive=refine_owners != NOBODY,
        refine_boxes=_owned(framed, refine_owners),
        noco=functional.interpolate(maps.float(), size=fine, mode="nearest-exact"),
    )


def _grid(size: tuple[int, int], stride: int) -> tuple[int, int]:
    """Cells of a grid over an image (H, W); a broken cell at the end is one."""
    return -(-size[0] // stride), -(-size[1] // stride)


def _owners(boxes: Sequence[Tensor], grid: tuple[int, int], stride: int, side: float) -> Tensor:
    """(B, h, w) index of the box of each location, or `NOBODY`."""
    return torch.stack(
        [owners(locations(grid, stride, device=each.device), each, side) for each in boxes]
    )


def _owned(boxes: Sequence[Tensor], index: Tensor) -> Tensor:
    """(B, h, w, 4) box of each location's owner; zeros where nobody owns it."""
    return torch.stack(
        [
            torch.cat([each, each.new_zeros(1, 4)])[owner]  # NOBODY is the last one
            for each, owner in zip(boxes, index, strict=True)
        ]
    )
