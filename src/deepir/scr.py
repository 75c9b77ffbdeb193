"""Local signal-to-clutter ratio: how far a target stands out of the pixels around it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.boxes import mask_from_boxes
from deepir.structures import Mask, as_boxes, check_image

RING_PX = 20
"""How far the ring of background reaches beyond the box on every side."""


def ring_pixels(image: ArrayLike, box: ArrayLike, boxes: ArrayLike) -> NDArray[np.float64]:
    """Background values around ``box``: the box grown by 20 px, without any target's box.

    ``image`` (H, W), ``box`` (4,), ``boxes`` (N, 4) all targets of the frame (``box`` itself need
    not be among them). Clipped to the frame; the result (K,) may be empty.
    """
    frame = check_image(image)
    height, width = frame.shape
    own = as_boxes([np.asarray(box)])
    x0, y0, x1, y1 = np.rint(own[0]).astype(int)
    targets = mask_from_boxes(np.concatenate([own, as_boxes(boxes)]), frame.shape)
    rows = slice(max(y0 - RING_PX, 0), max(min(y1 + RING_PX, height), 0))
    columns = slice(max(x0 - RING_PX, 0), max(min(x1 + RING_PX, width), 0))
    ring: NDArray[np.float64] = frame[rows, columns][~targets[rows, columns]].astype(np.float64)
    return ring


def local_scr(
    image: ArrayLike, box: ArrayLike, *, boxes: ArrayLike = (), mask: Mask | None = None
) -> float:
    """``|mean(target) - mean(ring)| / std(ring)``, a ratio without unit.

    ``image`` (H, W); ``box`` (4,) of the target; ``boxes`` (N, 4) of all targets in the frame;
    ``mask`` (H, W) of this target alone, else the whole box counts as target. Infinite where the
    ring is constant and the target is not, NaN where nothing of the ring lies in the frame.

    >>> image = np.zeros((50, 50)); image[::2] = 2.0; image[25:27, 25:27] = 7.0
    >>> round(local_scr(image, [25, 25, 27, 27]), 2)
    6.0
    """
    frame = check_image(image)
    own = mask_from_boxes([np.asarray(box)], frame.shape)
    target = own if mask is None else np.asarray(mask, dtype=bool)
    ring = ring_pixels(frame, box, boxes)
    if not ring.size or not target.any():
        return math.nan
    difference = abs(float(frame[target].mean(dtype=np.float64) - ring.mean()))
    spread = float(ring.std())
    if spread == 0:
        return math.inf if difference else 0.0
    return difference / spread
