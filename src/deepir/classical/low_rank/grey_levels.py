"""Frames of any depth on the scale 0 to 255 that methods with absolute constants expect."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.classical.levels import HIGHEST, eight_bit_scale
from deepir.holes import patch_holes

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GreyFrame:
    """A frame (H, W) float64 on the scale 0 to 255: its own level is ``low + unit * values``."""

    values: Floats
    low: float = 0.0
    unit: float = 1.0

    def difference(self, grey: Floats) -> Floats:
        """A difference of levels, such as a target, in the frame's own levels."""
        return grey * self.unit

    def level(self, grey: Floats) -> Floats:
        """Levels, such as a background, in the frame's own."""
        return grey * self.unit + self.low


def on_grey_scale(image: ArrayLike) -> GreyFrame:
    """A frame (H, W) by `eight_bit_scale`, with the way back; holes are filled first.

    Whole numbers from 0 to 255 stay as they are; anything else is stretched from its own extremes,
    since the levels of a 14-bit camera rarely fill more than a small part of 0 to 65535, and a
    fixed division would leave targets of less than one grey level.

    >>> on_grey_scale([[1000, 1510]])
    GreyFrame(values=array([[  0., 255.]]), low=1000.0, unit=2.0)
    """
    frame = patch_holes(image).filled.astype(np.float64, copy=False)
    values = eight_bit_scale(frame)
    if values is frame:
        return GreyFrame(frame)
    low, high = float(frame.min()), float(frame.max())
    return GreyFrame(values, low, (high - low) / HIGHEST)
