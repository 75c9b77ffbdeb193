"""Geometry of boxes and of the connected pixels that they stand for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from deepir.structures import Boxes, Mask, as_boxes

EIGHT = np.ones((3, 3), dtype=bool)
"""Neighbourhood of the 8-connected components that every rule here uses."""


def centres(boxes: ArrayLike) -> NDArray[np.float64]:
    """Middle of each box in edge coordinates, (N, 2) ``x y``; may end in .5.

    >>> centres([[2, 2, 5, 4]]).tolist()
    [[3.5, 3.0]]
    """
    corners = as_boxes(boxes).astype(np.float64)
    return (corners[:, :2] + corners[:, 2:]) / 2


def contains(boxes: ArrayLike, points: ArrayLike) -> NDArray[np.bool_]:
    """Which box contains which point, borders included: (N points, M boxes).

    >>> contains([[2, 2, 5, 4]], [[5, 4], [5.1, 4]]).tolist()
    [[True], [False]]
    """
    corners = as_boxes(boxes).astype(np.float64)
    xy = np.asarray(points, dtype=np.float64).reshape(-1, 1, 2)
    inside: NDArray[np.bool_] = np.all((xy >= corners[:, :2]) & (xy <= corners[:, 2:]), axis=2)
    return inside


@dataclass(frozen=True, eq=False)
class Components:
    """The K 8-connected components of a mask, in raster order of their first pixel.

    ``labels`` (H, W) int32, 0 outside and k + 1 on component k; ``boxes`` (K, 4); ``areas`` (K,)
    pixels; ``centroids`` (K, 2) ``x y`` in pixel indices.
    """

    labels: NDArray[np.int32]
    boxes: Boxes
    areas: NDArray[np.int64]
    centroids: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.areas)


def components(mask: ArrayLike) -> Components:
    """Split a mask (H, W) into 8-connected components; an empty mask has none.

    >>> found = components([[1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 1]])
    >>> found.areas.tolist(), found.boxes.tolist()
    ([2, 1], [[0.0, 0.0, 2.0, 2.0], [2.0, 3.0, 3.0, 4.0]])
    """
    pixels: Mask = np.asarray(mask, dtype=bool)
    labels = np.zeros(pixels.shape, dtype=np.int32)
    count = ndimage.label(pixels, structure=EIGHT, output=labels)
    flat = labels.ravel()
    inside = np.flatnonzero(flat)  # in raster order, whatever order the labels came in
    rows, columns = np.divmod(inside, max(pixels.shape[1], 1))
    old = flat[inside]
    _, first = np.unique(old, return_index=True)
    rank = np.zeros(count + 1, dtype=np.int32)
    rank[old[np.sort(first)]] = np.arange(1, count + 1)
    owner = rank[old] - 1
    flat[inside] = owner + 1
    areas = np.bincount(owner, minlength=count)
    sums = [np.bincount(owner, weights=axis, minlength=count) for axis in (columns, rows)]
    boxes = [
        (where[1].start, where[0].start, where[1].stop, where[0].stop)
        for where in ndimage.find_objects(labels)
    ]
    return Components(labels, as_boxes(boxes), areas, np.stack(sums, axis=1) / areas[:, None])


def mask_from_boxes(boxes: ArrayLike, shape: tuple[int, int]) -> Mask:
    """Mask (H, W) that is True inside the boxes, whose edges are rounded to pixel edges.

    >>> int(mask_from_boxes([[1, 0, 3, 1]], (2, 4)).sum())
    2
    """
    mask = np.zeros(shape, dtype=bool)
    for x0, y0, x1, y1 in np.rint(as_boxes(boxes)).astype(int).clip(min=0):
        mask[y0:y1, x0:x1] = True
    return mask


def intersection_over_union(one: ArrayLike, other: ArrayLike) -> NDArray[np.float64]:
    """Overlap of boxes (N, 4) with boxes (M, 4) as a share of their union: (N, M).

    0 where both are empty.

    >>> intersection_over_union([[0, 0, 2, 2]], [[1, 0, 3, 2], [5, 5, 6, 6]]).round(3).tolist()
    [[0.333, 0.0]]
    """
    a, b = (as_boxes(boxes).astype(np.float64) for boxes in (one, other))
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0.0), axis=2)
    areas = [np.prod(np.maximum(c[:, 2:] - c[:, :2], 0.0), axis=1) for c in (a, b)]
    union = areas[0][:, None] + areas[1][None, :] - shared
    share: NDArray[np.float64] = shared / np.where(union > 0, union, 1.0)
    return share
