"""Pixel scores: intersection over union, precision and recall of a mask against the true mask."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from deepir.errors import unknown_name

EmptyRule = Literal["one", "skip", "zero"]
"""What a frame without any pixel on either side adds to nIoU: 1, nothing, or 0."""


@dataclass(frozen=True)
class PixelOverlap:
    """Pixel counts of one frame or of a set."""

    hit: int  # pixels in both masks
    false: int  # predicted only
    missed: int  # true only


@dataclass(frozen=True)
class PixelScores:
    """``iou``, ``precision``, ``recall``, ``f1`` over all pixels of a set, ``niou`` over frames.

    Without any pixel on either side ``iou`` is 1.0 (nothing is wrong); a ratio whose denominator
    alone is empty is 0.0.
    """

    iou: float
    niou: float
    precision: float
    recall: float
    f1: float


def pixel_counts(predicted: ArrayLike, truth: ArrayLike) -> PixelOverlap:
    """Count hit, false and missed pixels of two masks (H, W).

    Raises:
        ValueError: masks of different shape.

    >>> pixel_counts([[1, 1, 0]], [[0, 1, 1]])
    PixelOverlap(hit=1, false=1, missed=1)
    """
    found, wanted = np.asarray(predicted, dtype=bool), np.asarray(truth, dtype=bool)
    if found.shape != wanted.shape:
        raise ValueError(f"masks need one shape, got {found.shape} and {wanted.shape}")
    hit = int(np.count_nonzero(found & wanted))
    return PixelOverlap(
        hit, int(np.count_nonzero(found)) - hit, int(np.count_nonzero(wanted)) - hit
    )


@dataclass
class PixelCounts:
    """Pixel counts of a set of frames, fed frame by frame.

    ``empty`` says what a frame counts in nIoU that has no pixel on either side: "skip" (the
    default) leaves it out, "one" takes it as perfect, "zero" as wrong, as some scripts do.
    """

    empty: EmptyRule = "skip"
    overlap: PixelOverlap = PixelOverlap(0, 0, 0)
    _ious: array[float] = field(default_factory=lambda: array("d"))

    def __post_init__(self) -> None:
        if self.empty not in get_args(EmptyRule):
            raise unknown_name("rule for empty frames", self.empty, get_args(EmptyRule))

    def update(self, predicted: ArrayLike, truth: ArrayLike) -> None:
        """Add one frame's masks (H, W)."""
        one, total = pixel_counts(predicted, truth), self.overlap
        self.overlap = PixelOverlap(
            total.hit + one.hit, total.false + one.false, total.missed + one.missed
        )
        union = one.hit + one.false + one.missed
        if union:
            self._ious.append(one.hit / union)
        elif self.empty != "skip":
            self._ious.append(1.0 if self.empty == "one" else 0.0)

    def score(self) -> PixelScores:
        """Ratios of everything fed so far; nIoU of no frame at all is 0.0."""
        hit, false, missed = self.overlap.hit, self.overlap.false, self.overlap.missed
        union = hit + false + missed
        return PixelScores(
            iou=hit / union if union else 1.0,
            niou=float(np.mean(self._ious)) if self._ious else 0.0,
            precision=_ratio(hit, hit + false),
            recall=_ratio(hit, hit + missed),
            f1=_ratio(2 * hit, 2 * hit + false + missed),
        )


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def pixel_scores(
    predicted: Iterable[ArrayLike], truth: Iterable[ArrayLike], *, empty: EmptyRule = "skip"
) -> PixelScores:
    """Pixel scores of a set: one predicted and one true mask (H, W) a frame.

    Raises:
        ValueError: masks of different shape, or different numbers of them.

    >>> pixel_scores([[[1, 1, 0]]], [[[0, 1, 1]]]).f1
    0.5
    """
    counts = PixelCounts(empty)
    for found, wanted in zip(predicted, truth, strict=True):
        counts.update(found, wanted)
    return counts.score()
