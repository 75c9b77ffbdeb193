"""What kinds of errors a detector makes: missed, falsely reported, badly placed."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.boxes import mask_from_boxes
from deepir.metrics.noco_ap import match_points
from deepir.metrics.target import targets_hit
from deepir.scr import local_scr
from deepir.structures import Boxes, Mask, Sample

SMALL_PX = 4
"""A target is small where its box is nowhere longer: a fifth of SIRST-V2's."""

DIM_SCR = 3.0
"""A target is dim below this local SCR."""

WELL_PLACED = 0.5
"""NoCo that a point must exceed to be where the target is."""

BESIDE_PX = 3.0
"""False alarms this close to a target's box are beside it, not clutter."""


@dataclass(frozen=True)
class ErrorSplit:
    """Counts over frames; ``+`` adds frames.

    Every target is of one of four classes, ``small`` and ``dim`` ones being of one of these only;
    every false alarm is of one of three.
    """

    small: int = 0
    dim: int = 0
    small_and_dim: int = 0
    other: int = 0
    missed_small: int = 0
    missed_dim: int = 0
    missed_small_and_dim: int = 0
    missed_other: int = 0
    hits: int = 0
    badly_placed: int = 0
    """Hits whose NoCo is not above 0.5."""
    false_beside_target: int = 0
    """Within 3 px of a target's box, or a second point in it."""
    false_beside_none: int = 0
    """Clutter in a frame with targets."""
    false_without_targets: int = 0
    """Clutter in a frame without targets."""

    def __add__(self, other: ErrorSplit) -> ErrorSplit:
        return ErrorSplit(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))


CLASSES = ("small", "dim", "small_and_dim", "other")


def error_split(sample: Sample, points: ArrayLike, noco_map: ArrayLike) -> ErrorSplit:
    """Errors of one frame: believed points (N, 2), best first, and the NoCo map (H, W).

    A point hits as in `deepir.metrics.point_hits`. A target is missed where no point hits it. Its
    local SCR counts the pixels of its mask, where there is one.

    >>> image = np.random.default_rng(0).normal(90, 1, (40, 40)); image[19:22, 19:22] += 30
    >>> sample = Sample(image, [[19, 19, 22, 22]])
    >>> split = error_split(sample, [[2, 3]], np.zeros((40, 40)))
    >>> split.missed_small, split.missed_dim, split.false_beside_none
    (1, 0, 1)
    """
    xy = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    boxes = sample.boxes
    target = targets_hit(xy, boxes=boxes)
    hits = target >= 0
    value, _ = match_points(xy[hits], noco_map, boxes)
    kinds = target_classes(sample)
    missed = [kind for index, kind in enumerate(kinds) if index not in target]
    beside = _distances(boxes, xy[~hits]) <= BESIDE_PX
    clutter = int((~beside).sum())
    counts = {kind: kinds.count(kind) for kind in CLASSES}
    counts |= {f"missed_{kind}": missed.count(kind) for kind in CLASSES}
    return ErrorSplit(
        **counts,
        hits=int(hits.sum()),
        badly_placed=int((value <= WELL_PLACED).sum()),
        false_beside_target=int(beside.sum()),
        false_beside_none=clutter if len(boxes) else 0,
        false_without_targets=0 if len(boxes) else clutter,
    )


def target_classes(sample: Sample) -> list[str]:
    """Class of each target of a frame, in the order of its boxes."""
    names = {(True, True): "small_and_dim", (True, False): "small", (False, True): "dim"}
    kinds = []
    for box in sample.boxes:
        small = max(box[2] - box[0], box[3] - box[1]) <= SMALL_PX
        scr = local_scr(sample.image, box, boxes=sample.boxes, mask=_own_mask(sample, box))
        kinds.append(names.get((bool(small), scr < DIM_SCR), "other"))
    return kinds


def _own_mask(sample: Sample, box: Boxes) -> Mask | None:
    """Part of a frame's mask that lies in a target's box; None where nothing does."""
    if sample.mask is None:
        return None
    height, width = sample.image.shape
    own = sample.mask & mask_from_boxes([box], (height, width))
    return own if own.any() else None


def _distances(boxes: Boxes, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pixels from each point (N, 2) to the nearest box, 0 inside; infinite where there is none."""
    low, high = boxes[None, :, :2] - points[:, None], points[:, None] - boxes[None, :, 2:]
    apart = np.hypot(*np.moveaxis(np.maximum(np.maximum(low, high), 0.0), 2, 0))
    nearest: NDArray[np.float64] = apart.min(axis=1, initial=np.inf)
    return nearest
