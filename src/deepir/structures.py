"""The two values that travel: samples come in, detections come out; both are checked here."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.errors import FrameError

Image = NDArray[Any]
"""One grey frame, (H, W), in the sensor's own levels: 8-bit, 16-bit or floating point."""

Boxes = NDArray[np.float32]
"""(N, 4) float32 pixels ``x0 y0 x1 y1``, half-open: pixel i covers [i, i + 1)."""

Mask = NDArray[np.bool_]
"""(H, W), True on targets."""

AnyPath = str | os.PathLike[str]
"""Path of a file or folder, as text or as an object such as `pathlib.Path`."""

HIGHEST_LEVEL = 1e100
FURTHEST_PX = 1e9
"""Box coordinates beyond it lie in no frame."""


def check_image(image: ArrayLike) -> Image:
    """Return ``image`` as a grey frame (H, W) of its own depth, or say why it is none.

    Booleans become uint8, foreign byte order and long doubles become native numbers; nothing is
    rescaled. NaN and infinite pixels are allowed as long as one pixel is finite.

    Raises:
        FrameError: other than two dimensions, a side of zero, complex numbers, text or objects,
            no finite pixel at all, or levels beyond 1e100, whose squares are no numbers any more.

    >>> check_image([[0, 7]]).shape
    (1, 2)
    """
    array = np.asarray(image)
    if array.ndim != 2:
        raise FrameError(f"a frame has two dimensions (H, W), got shape {array.shape}")
    if array.size == 0:
        raise FrameError(f"a frame needs at least one pixel, got shape {array.shape}")
    if array.dtype.kind not in "buif":
        raise FrameError(f"a frame holds real numbers, got dtype {array.dtype}")
    if array.dtype.kind == "b":
        return array.astype(np.uint8)
    if array.dtype.kind == "f":
        if array.dtype.itemsize > 8:
            array = array.astype(np.float64)
        _check_levels(array)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _check_levels(array: Image) -> None:
    highest = max(abs(float(array.min())), abs(float(array.max())))
    if not np.isfinite(highest):  # holes: look at the other pixels, which takes longer
        highest = float(np.max(np.abs(array), where=np.isfinite(array), initial=-1.0))
    if highest < 0:
        raise FrameError(f"none of the {array.size} pixels is a finite number")
    if highest > HIGHEST_LEVEL:
        raise FrameError(f"grey levels up to {HIGHEST_LEVEL:g} are wanted, got {highest:g}")


def as_boxes(boxes: ArrayLike) -> Boxes:
    """Return boxes as (N, 4) float32; anything empty becomes (0, 4).

    Raises:
        FrameError: another shape, or a coordinate that is no number up to 1e9.

    >>> as_boxes([]).shape
    (0, 4)
    """
    return as_corners(boxes).astype(np.float32)


def as_corners(boxes: ArrayLike) -> NDArray[np.float64]:
    """Return boxes as (N, 4) float64, for where they are truncated; otherwise as `as_boxes`."""
    array = np.asarray(boxes, dtype=np.float64)
    if array.size == 0:
        return np.zeros((0, 4))
    if array.ndim != 2 or array.shape[1] != 4:
        raise FrameError(f"boxes have shape (N, 4), got {array.shape}")
    near = np.all(np.abs(array) <= FURTHEST_PX, axis=1)  # NaN is not
    if not near.all():
        raise FrameError(
            f"box coordinates are numbers up to {FURTHEST_PX:g}, got {array[~near][0].tolist()}"
        )
    return array


@dataclass(frozen=True, eq=False)
class Sample:
    """One frame with its truth.

    ``image`` (H, W) keeps its depth; ``boxes`` (N, 4) lie inside the frame, N = 0 is a frame
    without targets; ``mask`` (H, W) or None where the dataset has none; ``id`` names the frame in
    its dataset; ``path`` is the file that it came from (text becomes a `Path`), or None.

    Raises:
        FrameError: an unusable image (`check_image`), a mask of another size, a box that is empty
            or leaves the frame.
    """

    image: Image
    boxes: Boxes
    mask: Mask | None = None
    id: str = ""
    path: Path | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "image", check_image(self.image))
        object.__setattr__(self, "boxes", as_boxes(self.boxes))
        height, width = self.image.shape
        for x0, y0, x1, y1 in self.boxes.tolist():
            if x1 <= x0 or y1 <= y0:
                raise FrameError(f"box ({x0:g}, {y0:g}, {x1:g}, {y1:g}) of {self.id!r} is empty")
            if x0 < 0 or y0 < 0 or x1 > width or y1 > height:
                raise FrameError(
                    f"box ({x0:g}, {y0:g}, {x1:g}, {y1:g}) of {self.id!r} leaves its frame"
                    f" of {width}x{height} pixels"
                )
        if self.mask is not None:
            mask = np.asarray(self.mask, dtype=bool)
            if mask.shape != self.image.shape:
                raise FrameError(
                    f"mask of {self.id!r} has {mask.shape[::-1]} pixels (W, H),"
                    f" its image {self.image.shape[::-1]}"
                )
            object.__setattr__(self, "mask", mask)
        if self.path is not None:
            object.__setattr__(self, "path", Path(self.path))


@dataclass(frozen=True, eq=False)
class Detections:
    """What a detector found in one frame, best first.

    ``points`` (N, 2) float64 ``x y`` are exactly what a metric receives (pixel indices from the
    peak read-out and from maps, edge coordinates from the published read-out of boxes); ``scores``
    (N,) float64, never rising; ``boxes`` (N, 4) or None. N = 0 is legal.

    Raises:
        ValueError: shapes that disagree, scores that are NaN or out of order.

    >>> found = Detections([[3, 4], [8, 1]], [0.9, 0.2])
    >>> len(found), found.above(0.5).points.tolist()
    (2, [[3.0, 4.0]])
    """

    points: NDArray[np.float64]
    scores: NDArray[np.float64]
    boxes: Boxes | None = None

    def __post_init__(self) -> None:
        scores = np.asarray(self.scores, dtype=np.float64)
        points = np.asarray(self.points, dtype=np.float64)
        points = points.reshape(0, 2) if points.size == 0 else points
        if scores.ndim != 1 or points.shape != (len(scores), 2):
            raise ValueError(
                f"N points (N, 2) need N scores (N,), got {points.shape} and {scores.shape}"
            )
        if np.isnan(scores).any():
            raise ValueError(f"scores are numbers, got NaN at {np.flatnonzero(np.isnan(scores))}")
        if (scores[1:] > scores[:-1]).any():
            raise ValueError(f"detections come best first, got scores {scores[:10]}")
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "scores", scores)
        if self.boxes is not None:
            boxes = as_boxes(self.boxes)
            if len(boxes) != len(scores):
                raise ValueError(f"{len(scores)} scores need as many boxes, got {len(boxes)}")
            object.__setattr__(self, "boxes", boxes)

    def __len__(self) -> int:
        return len(self.scores)

    def above(self, threshold: float) -> Detections:
        """The detections whose score reaches ``threshold``."""
        return self.top(int((self.scores >= threshold).sum()))

    def top(self, count: int) -> Detections:
        """The ``count`` best detections, or all of them where there are fewer.

        Raises:
            ValueError: a negative count.
        """
        if count < 0:
            raise ValueError(f"a count is 0 or more, got {count}")
        boxes = None if self.boxes is None else self.boxes[:count]
        return Detections(self.points[:count], self.scores[:count], boxes)


def best_first(points: ArrayLike, scores: ArrayLike, boxes: ArrayLike | None = None) -> Detections:
    """Detections in any order, sorted by score; equal scores keep their order.

    >>> best_first([[1, 1], [2, 2]], [0.1, 0.7]).points.tolist()
    [[2.0, 2.0], [1.0, 1.0]]
    """
    values = np.asarray(scores, dtype=np.float64)
    order = np.argsort(-values, kind="stable")
    located = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    framed = None if boxes is None else as_boxes(boxes)[order]
    return Detections(located[order], values[order], framed)
