"""Edges and corners of a frame, by the eigenvalues of its structure tensor."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.structures import check_image

Floats = NDArray[np.float64]


class Eigenvalues(NamedTuple):
    """Maps (H, W) of both eigenvalues in squared grey levels, neither below 0."""

    large: Floats
    small: Floats


def structure_eigenvalues(image: ArrayLike, *, before: float, after: float) -> Eigenvalues:
    """Eigenvalues of the structure tensor at every pixel of ``image`` (H, W).

    The frame is smoothed by a Gaussian of ``before`` pixels, differentiated (central differences,
    one-sided at the border), and the products of the slopes are smoothed by one of ``after``. Both
    windows have 3 x 3 pixels however wide the Gaussian, as published, and the border is mirrored.
    On an edge the large eigenvalue alone is large, on a corner or a blob both are.

    Dai and Wu, "Reweighted Infrared Patch-Tensor Model With Both Nonlocal and Local Priors for
    Single-Frame Small Target Detection", IEEE JSTARS 10(8), 2017.

    >>> edge = structure_eigenvalues([[0.0, 0.0, 6.0, 6.0]] * 3, before=1.2, after=2.0)
    >>> edge.large[1].round(2).tolist(), edge.small[1].tolist()
    ([3.54, 4.05, 4.05, 3.54], [0.0, 0.0, 0.0, 0.0])
    """
    frame = check_image(image).astype(np.float64, copy=False)
    smooth = _blur(frame - frame.flat[0], before)  # slopes ignore a constant: flat stays exact
    down, across = _slopes(smooth, 0), _slopes(smooth, 1)
    both = _blur(down * across, after)
    along_rows, along_columns = _blur(across * across, after), _blur(down * down, after)
    total = along_rows + along_columns
    gap = np.sqrt((along_rows - along_columns) ** 2 + 4 * both * both)
    return Eigenvalues((total + gap) / 2, np.maximum((total - gap) / 2, 0))


def edge_strength(image: ArrayLike, *, before: float = 1.2, after: float = 2.0) -> Floats:
    """Difference of the eigenvalues (H, W), scaled to [0, 1] over the frame; flat frames give 0.

    Dai and Wu, the exponent of their local structure weight.
    """
    large, small = structure_eigenvalues(image, before=before, after=after)
    return unit_scale(large - small)


def corner_prior(image: ArrayLike, *, before: float = 2.0, after: float = 9.0) -> Floats:
    """Corner strength l1 l2 / (l1 + l2) times l1, (H, W), scaled to [0, 1] over the frame.

    Where both eigenvalues are 0, the published ratio is 0 / 0; here such pixels have no part in
    the scale and get 0.

    Zhang and Peng, "Infrared Small Target Detection Based on Partial Sum of the Tensor Nuclear
    Norm", Remote Sensing 11(4), 382, 2019.
    """
    large, small = structure_eigenvalues(image, before=before, after=after)
    total = large + small
    defined = total > 0
    corner = np.zeros_like(total)
    np.divide(large * small, total, out=corner, where=defined)
    return unit_scale(corner * large, defined)


def unit_scale(values: Floats, among: NDArray[np.bool_] | None = None) -> Floats:
    """Values scaled to [0, 1] by their extremes, of some pixels alone; equal values give 0.

    >>> unit_scale(np.array([[2.0, 3.0, 6.0]])).tolist()
    [[0.0, 0.25, 1.0]]
    """
    taken = values if among is None else values[among]
    low, high = (float(taken.min()), float(taken.max())) if taken.size else (0.0, 0.0)
    if not high > low:
        return np.zeros_like(values)
    scaled = (values - low) / (high - low)
    return scaled if among is None else np.where(among, scaled, 0.0)


def _blur(values: Floats, sigma: float) -> Floats:
    """Correlation with a 3 x 3 Gaussian window of sum 1, border mirrored."""
    window = np.exp(-np.array([1.0, 0.0, 1.0]) / (2 * sigma**2))
    window /= window.sum()
    blurred = cv2.sepFilter2D(values, cv2.CV_64F, window, window, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred)


def _slopes(values: Floats, axis: int) -> Floats:
    """Differences along one axis, 0 along a single pixel."""
    if values.shape[axis] == 1:
        return np.zeros_like(values)
    return np.asarray(np.gradient(values, axis=axis))
