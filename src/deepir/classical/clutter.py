"""Contrast measured against the clutter around it, so that frames and regions compare.

Our addition, in the default mode of the filters that gain by it (`docs/experiments.md`): the same
idea as the local signal-to-clutter ratio, taken at every pixel.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.structures import check_image

SIDE_PX = 121
"""Side of the window that counts as surroundings, chosen on val."""

SHARE_OF_FRAME = 0.05
"""Added to the local deviation, as a share of the frame's: flat regions divide by no rounding."""

Floats = NDArray[np.float64]


def over_clutter(contrast: ArrayLike, image: ArrayLike, *, side: int = SIDE_PX) -> Floats:
    """Contrast in units of the grey-level deviation of its surroundings.

    ``contrast`` (H, W) in grey levels, signed; ``image`` (H, W) that it was taken from. The result
    (H, W) has no unit and is 0 for a constant image.

    >>> over_clutter([[0.0, 4.0]], [[7, 7]]).tolist()
    [[0.0, 0.0]]
    """
    frame = check_image(image).astype(np.float64, copy=False)
    whole = float(frame.std())
    if whole == 0:
        return np.zeros(frame.shape)
    return np.divide(contrast, local_deviation(frame, side=side) + SHARE_OF_FRAME * whole)


def local_deviation(image: ArrayLike, *, side: int) -> Floats:
    """Standard deviation of the ``side`` x ``side`` window around every pixel, border mirrored.

    ``image`` (H, W); the result (H, W) has the grey level as unit. O(1) a pixel in the side.

    >>> local_deviation([[1, 1, 1, 9, 9, 9]], side=3).round(2).tolist()
    [[0.0, 0.0, 3.77, 3.77, 0.0, 0.0]]
    """
    frame = check_image(image).astype(np.float64, copy=False)
    centred = frame - frame.mean()  # keeps the difference of squares accurate
    mean, square = (
        cv2.boxFilter(layer, cv2.CV_64F, (side, side), borderType=cv2.BORDER_REFLECT)
        for layer in (centred, centred * centred)
    )
    deviation: Floats = np.sqrt(np.maximum(square - mean * mean, 0))
    return deviation
