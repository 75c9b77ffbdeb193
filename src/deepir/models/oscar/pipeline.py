"""The published way of an image into the network, in NumPy and OpenCV.

Resize into 1000 x 600, up as well as down; subtract 111.89 and divide by 27.62; pad with zeros to
multiples of 32. All of it knows 8-bit grey levels only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.errors import FrameError
from deepir.noco import noco_map
from deepir.structures import Boxes, as_boxes

LIMITS = (1000, 600)
"""Longest long side and longest short side after the resize, in pixels."""

MEAN = 111.89
DEVIATION = 27.62
"""Grey levels: mean and mean deviation of the images of SIRST (version 1)."""

MULTIPLE = 32
"""Sides are padded to multiples of the deepest stride."""

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Prepared:
    """One image as the network takes it."""

    pixels: Floats
    """(1, H, W) of a grey image, (3, H, W) RGB of a BGR one; normalised and padded."""

    size: tuple[int, int]
    """(h, w) before the padding; boxes are clipped to it."""

    scale: tuple[float, float]
    """Factors (x, y) of the resize; boxes are divided by them."""


def prepare(image: ArrayLike, *, limits: tuple[int, int] = LIMITS) -> Prepared:
    """Resize, normalise and pad an image, (H, W) grey or (H, W, 3) BGR, 8 bits.

    Raises:
        FrameError: another shape, another depth, no pixel.
    """
    resized, scale = resize(image, limits=limits)
    height, width = resized.shape[:2]
    return Prepared(planes(pad(normalise(resized))), (height, width), scale)


def resized_size(size: tuple[int, int], limits: tuple[int, int] = LIMITS) -> tuple[int, int]:
    """Size (h, w) that keeps the aspect of ``size`` (H, W) and touches one of the limits.

    >>> resized_size((512, 640)), resized_size((1080, 1918))
    ((600, 750), (563, 1000))
    """
    factor = min(max(limits) / max(size), min(limits) / min(size))
    height, width = (max(int(side * factor + 0.5), 1) for side in size)
    return height, width


def resize(
    image: ArrayLike, *, limits: tuple[int, int] = LIMITS
) -> tuple[Bytes, tuple[float, float]]:
    """Image of `resized_size`, bilinear, and the factors (x, y) between the sides.

    Raises:
        FrameError: as `prepare`.
    """
    pixels = np.asarray(image)
    if pixels.dtype != np.uint8:
        raise FrameError(
            f"the published pipeline takes 8-bit images (uint8), got {pixels.dtype}: bring the"
            " levels to 0 ... 255 first"
        )
    if not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)) or not pixels.size:
        raise FrameError(f"an image (H, W) or (H, W, 3) is wanted, got shape {pixels.shape}")
    height, width = resized_size((pixels.shape[0], pixels.shape[1]), limits)
    resized = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR)
    scale = (width / pixels.shape[1], height / pixels.shape[0])
    return resized.astype(np.uint8, copy=False), scale


def resize_boxes(boxes: ArrayLike, scale: tuple[float, float], size: tuple[int, int]) -> Boxes:
    """Boxes (N, 4) times the factors (x, y), clipped to the resized ``size`` (h, w).

    >>> resize_boxes([[24, 0, 28, 3]], (1.5, 1.5), (96, 41)).tolist()
    [[36.0, 0.0, 41.0, 4.5]]
    """
    factors = np.array([*scale, *scale], dtype=np.float32)
    limit = np.array([size[1], size[0], size[1], size[0]], dtype=np.float32)
    return (as_boxes(boxes) * factors).clip(0, limit)


def mirror_boxes(boxes: ArrayLike, width: int) -> Boxes:
    """Boxes (N, 4) in the image mirrored left to right.

    >>> mirror_boxes([[1, 2, 4, 6]], 10).tolist()
    [[6.0, 2.0, 9.0, 6.0]]
    """
    corners = as_boxes(boxes)
    x0, y0, x1, y1 = corners.T
    return np.stack([width - x1, y0, width - x0, y1], axis=1).astype(np.float32)


def training_noco(resized: ArrayLike, boxes: ArrayLike) -> Floats:
    """NoCo map (h, w) that training compares with, of the image after resize and mirroring.

    Unlike in the metric, the levels are the mean of the channels of the resized image. Boxes (N, 4)
    in its pixels are truncated; one that truncation empties adds nothing. Not padded yet.
    """
    pixels = np.asarray(resized)
    levels = pixels if pixels.ndim == 2 else pixels.mean(axis=2)
    return noco_map(levels, boxes).astype(np.float32)


def normalise(image: ArrayLike) -> Floats:
    """Grey levels, any shape, as float32 of about unit variance.

    >>> normalise([[111.89, 139.51]]).round(6).tolist()
    [[0.0, 1.0]]
    """
    return (np.asarray(image, dtype=np.float32) - np.float32(MEAN)) * np.float32(1 / DEVIATION)


def pad(values: NDArray[Any], *, multiple: int = MULTIPLE) -> NDArray[Any]:
    """Image or map (H, W, ...) with zeros at the right and the bottom, up to a multiple.

    >>> pad(np.ones((30, 33))).shape
    (32, 64)
    """
    margins = [(0, -side % multiple) for side in values.shape[:2]]
    return np.pad(values, [*margins, *[(0, 0)] * (values.ndim - 2)])


def planes(image: Floats) -> Floats:
    """(1, H, W) of a grey image, (3, H, W) in RGB order of a BGR one."""
    if image.ndim == 2:
        return image[None]
    return np.ascontiguousarray(image[:, :, ::-1].transpose(2, 0, 1))
