"""Changes to a crop that a detector should not mind, and new targets for it to find.

A crop is an image (H, W) in the frame's own dtype with boxes (N, 4); every function returns new
ones and draws from the generator that it is given, so a crop is repeatable from its seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from deepir.simulate import place_targets
from deepir.structures import Boxes, Image

Levels = NDArray[np.float64]


class Crop(NamedTuple):
    """Part of a frame: ``image`` (H, W) in the frame's dtype, ``boxes`` (N, 4) inside it."""

    image: Image
    boxes: Boxes


class Cutout(NamedTuple):
    """A real target to paste: contrast to its surroundings (h, w), soft edge (h, w), its box."""

    contrast: Levels
    edge: Levels
    box: tuple[int, int, int, int]


MARGIN_PX = 3
"""Pixels around a target that are pasted with it, fading out."""

KEEP_APART_PX = 6
"""New targets keep this distance from all others."""

TRIES = 10

RESIZED = tuple(np.dtype(kind) for kind in ("u1", "u2", "i2", "f4", "f8"))
"""Types that OpenCV resizes; others go through float64."""

PASTED_STRENGTH = (4.0, 20.0)
"""Peak of a pasted target in standard deviations of its new surroundings."""

PLANTED_SCR = (3.5, 14.0)
"""Local SCR of planted targets. Fainter ones teach that clutter is a target."""


def cut(image: Image, boxes: Boxes, window: tuple[int, int, int, int], scale: float) -> Crop:
    """Part ``(x0, y0, x1, y1)`` of a frame, resized by ``scale``.

    Shrinking averages areas, so that a small target dims instead of vanishing. A box stays if its
    centre lies in the window; what sticks out is cut off.
    """
    x0, y0, x1, y1 = window
    part = image[y0:y1, x0:x1]
    if scale != 1.0:
        size = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        sized = part if part.dtype in RESIZED else part.astype(np.float64)
        grown = _stored(cv2.resize(sized, size, interpolation=how), part)
        factors = (size[0] / part.shape[1], size[1] / part.shape[0])
    else:
        grown, factors = part.copy(), (1.0, 1.0)
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    inside = np.all((centre >= (x0, y0)) & (centre < (x1, y1)), axis=1)
    kept = np.clip(boxes[inside], (x0, y0, x0, y0), (x1, y1, x1, y1)) - (x0, y0, x0, y0)
    return Crop(grown, (kept * (*factors, *factors)).astype(np.float32))


def turn(crop: Crop, rng: np.random.Generator) -> Crop:
    """One of the eight flips and quarter turns."""
    image, boxes = crop.image, crop.boxes
    flip_x, flip_y, swap = rng.random(3) < 0.5
    height, width = image.shape
    if flip_x:
        image = image[:, ::-1]
        boxes = np.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], 1)
    if flip_y:
        image = image[::-1]
        boxes = np.stack([boxes[:, 0], height - boxes[:, 3], boxes[:, 2], height - boxes[:, 1]], 1)
    if swap:
        image, boxes = image.T, boxes[:, [1, 0, 3, 2]]
    return Crop(np.ascontiguousarray(image), boxes.astype(np.float32))


def expose(crop: Crop, rng: np.random.Generator) -> Crop:
    """Another gain, offset and gamma; the result is rounded and clipped to the image's dtype."""
    levels = crop.image.astype(np.float64)
    low, high = float(levels.min()), float(levels.max())
    span = high - low or 1.0
    gamma = np.exp(rng.uniform(-0.35, 0.35))
    gain = np.exp(rng.uniform(-0.5, 0.3))
    shaped = ((levels - low) / span) ** gamma * span * gain
    offset = low + rng.uniform(0.0, 1.0) * (span - span * gain)
    return Crop(_stored(shaped + offset, crop.image), crop.boxes)


def worsen(crop: Crop, rng: np.random.Generator) -> Crop:
    """Noise of a poorer sensor: white, in columns or rows, or a slight blur."""
    levels = crop.image.astype(np.float64)
    unit = _grain(levels)
    kind = rng.random()
    if kind < 0.2:
        levels = _blurred(levels, float(rng.uniform(0.4, 0.9)))
    elif kind < 0.7:
        levels = levels + rng.normal(0.0, unit * rng.uniform(0.3, 2.0), levels.shape)
    elif kind < 0.85:
        levels = levels + rng.normal(0.0, unit * rng.uniform(0.2, 1.0), (1, levels.shape[1]))
    else:
        levels = levels + rng.normal(0.0, unit * rng.uniform(0.2, 1.0), (levels.shape[0], 1))
    return Crop(_stored(levels, crop.image), crop.boxes)


def paste(crop: Crop, cutouts: Sequence[Cutout], rng: np.random.Generator) -> Crop:
    """Add a real target of another frame, as strong against its new surroundings as targets are.

    Unchanged where no place is free.
    """
    if not cutouts:
        return crop
    cutout = cutouts[int(rng.integers(len(cutouts)))]
    transpose = bool(rng.random() < 0.5)
    contrast = cutout.contrast.T if transpose else cutout.contrast
    edge = cutout.edge.T if transpose else cutout.edge
    x0, y0, x1, y1 = (cutout.box[i] for i in ((1, 0, 3, 2) if transpose else range(4)))
    height, width = contrast.shape
    if height >= crop.image.shape[0] or width >= crop.image.shape[1]:
        return crop
    for _ in range(TRIES):
        top = int(rng.integers(crop.image.shape[0] - height))
        left = int(rng.integers(crop.image.shape[1] - width))
        box = np.array([[left + x0, top + y0, left + x1, top + y1]], np.float32)
        if not _is_near(box[0], crop.boxes):
            break
    else:
        return crop
    strength = np.exp(rng.uniform(*np.log(PASTED_STRENGTH)))
    levels = crop.image.astype(np.float64)
    around = levels[max(0, top - 8) : top + height + 8, max(0, left - 8) : left + width + 8]
    factor = strength * max(float(around.std()), _grain(levels)) / float(contrast.max())
    levels[top : top + height, left : left + width] += edge * contrast * factor
    return Crop(_stored(levels, crop.image), np.concatenate([crop.boxes, box]))


def plant(crop: Crop, rng: np.random.Generator) -> Crop:
    """Add one or two simulated targets, points or discs of a few pixels; what fits of them."""
    image, boxes, _ = place_targets(
        crop.image,
        count=int(rng.integers(1, 3)),
        rng=rng,
        scr=PLANTED_SCR,
        sigma=(0.6, 1.8),
        size=(0.0, 3.0),
        boxes=crop.boxes,
    )
    return Crop(image, np.concatenate([crop.boxes, boxes]))


def cut_out(image: Image, boxes: Boxes) -> list[Cutout]:
    """Targets of a frame (H, W) to paste elsewhere: bright ones that lie clear of the border."""
    found = []
    for x0, y0, x1, y1 in np.rint(boxes).astype(int).tolist():
        left, top = x0 - MARGIN_PX, y0 - MARGIN_PX
        part = image[max(0, top) : y1 + MARGIN_PX, max(0, left) : x1 + MARGIN_PX].astype(float)
        shape = (y1 - y0 + 2 * MARGIN_PX, x1 - x0 + 2 * MARGIN_PX)
        if left < 0 or top < 0 or part.shape != shape:
            continue
        edge = np.zeros(shape)
        edge[MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX] = 1.0
        contrast = part - np.median(part[edge == 0.0])
        if contrast.max() <= 0:
            continue
        box = (MARGIN_PX, MARGIN_PX, MARGIN_PX + x1 - x0, MARGIN_PX + y1 - y0)
        found.append(Cutout(contrast, _blurred(edge, 1.0), box))
    return found


def _is_near(box: Boxes, others: Boxes) -> bool:
    apart = np.maximum(box[:2] - others[:, 2:], others[:, :2] - box[2:])
    return bool(np.any(np.all(apart < KEEP_APART_PX, axis=1)))


def _blurred(levels: Levels, sigma: float) -> Levels:
    return np.asarray(cv2.GaussianBlur(levels, (0, 0), sigma), np.float64)


def _grain(levels: Levels) -> float:
    """Typical difference between neighbouring pixels: the finest variation of the frame."""
    return float(np.median(np.abs(np.diff(levels, axis=1)))) or 0.5 if levels.shape[1] > 1 else 0.5


def _stored(levels: Image, like: Image) -> Image:
    """Levels in the dtype of ``like``: rounded where that holds integers, clipped to its range."""
    if levels.dtype == like.dtype:
        return levels
    if like.dtype.kind == "f":
        reach = np.finfo(like.dtype)
        return np.clip(levels, reach.min, reach.max).astype(like.dtype)
    limits = np.iinfo(like.dtype)
    return np.clip(np.rint(levels), limits.min, limits.max).astype(like.dtype)
