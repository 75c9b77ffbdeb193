"""Boxes that were rounded on their way through a file, brought back to the edges that they had."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from deepir.structures import Boxes, as_corners

OVERHANG_PX = 0.5
"""What leaves the frame by less is rounding; more is an error, which `Sample` names."""


def within_frame(boxes: ArrayLike, shape: tuple[int, int]) -> Boxes:
    """Boxes (N, 4) with sides that leave a frame (H, W) by less than half a pixel put on its edge.

    Others stay as they are.

    >>> within_frame([[-0.25, 0, 4, 3.5], [0, 0, 4, 9]], (3, 4)).tolist()
    [[0.0, 0.0, 4.0, 3.5], [0.0, 0.0, 4.0, 9.0]]
    """
    corners = as_corners(boxes)
    clipped = np.clip(corners, 0, np.tile(shape[::-1], 2))
    near = np.abs(clipped - corners) < OVERHANG_PX
    return np.where(near, clipped, corners).astype(np.float32)


def on_whole_pixels(boxes: ArrayLike, tolerance: ArrayLike) -> Boxes:
    """Boxes (N, 4) whose sides are whole pixels where they lie within ``tolerance`` of them.

    >>> on_whole_pixels([[2.0001, 3.4, 5, 6]], 0.001).tolist()
    [[2.0, 3.4000000953674316, 5.0, 6.0]]
    """
    corners = as_corners(boxes)
    whole = np.rint(corners)
    near = np.abs(whole - corners) <= tolerance
    return np.where(near, whole, corners).astype(np.float32)
