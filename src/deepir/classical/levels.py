"""Grey levels from 0 to 255, which some measures are made for."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.structures import check_image

HIGHEST = 255.0

Floats = NDArray[np.float64]


def eight_bit_scale(image: ArrayLike) -> Floats:
    """A frame (H, W) on the scale from 0 to 255.

    A frame of whole numbers from 0 to 255 is on it and stays as it is, however dark. Any other,
    deeper or of fractions, is stretched: its darkest pixel becomes 0, its brightest 255. The
    numbers decide, not their type; a sensor whose raw levels are few should be given as fractions
    of its full scale, or be stretched before. A constant frame of other numbers gives zeros.

    >>> eight_bit_scale([[3, 200]]).tolist(), eight_bit_scale([[1000, 3000, 2000]]).tolist()
    ([[3.0, 200.0]], [[0.0, 255.0, 127.5]])
    """
    frame = check_image(image).astype(np.float64, copy=False)
    low, high = float(frame.min()), float(frame.max())
    if low >= 0 and high <= HIGHEST and np.array_equal(frame, np.rint(frame)):
        return frame
    if high == low:
        return np.zeros(frame.shape)
    stretched: Floats = (frame - low) / (high - low) * HIGHEST
    return stretched
