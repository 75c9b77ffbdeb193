"""Pixels without a value: filled before a detector looks, dark where points are read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from deepir.structures import Image, Mask, check_image


@dataclass(frozen=True, eq=False)
class Patched:
    """One frame (H, W) whose NaN and infinite pixels are taken care of.

    ``filled`` gives each hole the value of the nearest pixel: what a filter or network sees.
    ``dark`` gives it the value of the darkest: where points are read. Without holes both are the
    frame itself, in its own depth, and ``holes`` is None.
    """

    filled: Image
    dark: Image
    holes: Mask | None


def patch_holes(image: ArrayLike) -> Patched:
    """Check a frame (H, W) and take care of its holes.

    Raises:
        FrameError: no grey frame (H, W) with a finite pixel.

    >>> patched = patch_holes([[4.0, np.nan, 5.0, 3.0]])
    >>> patched.filled.tolist(), patched.dark.tolist()
    ([[4.0, 4.0, 5.0, 3.0]], [[4.0, 3.0, 5.0, 3.0]])
    """
    frame = check_image(image)
    holes = ~np.isfinite(frame) if frame.dtype.kind == "f" else None
    if holes is None or not holes.any():
        return Patched(frame, frame, None)
    filled = fill_holes(frame, holes)
    return Patched(filled, np.where(holes, filled.min(), frame), holes)


def fill_holes(frame: Image, holes: Mask) -> NDArray[np.float64]:
    """Give each hole the value of the nearest pixel that is none: (H, W) float64.

    >>> fill_holes(np.array([[1.0, np.nan, 5.0, 6.0]]), np.array([[0, 1, 0, 0]], bool)).tolist()
    [[1.0, 1.0, 5.0, 6.0]]
    """
    rows, columns = ndimage.distance_transform_edt(
        holes, return_distances=False, return_indices=True
    )
    nearest: NDArray[np.float64] = frame[rows, columns].astype(np.float64)
    return nearest
