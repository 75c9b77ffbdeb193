"""Average precision of boxes by their overlap with the true ones (PASCAL VOC, "area" style)."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.boxes import intersection_over_union
from deepir.metrics.noco_ap import average_precision
from deepir.structures import as_boxes

IOUS = (0.3, 0.5)
"""Overlaps at which boxes of small targets are judged: one pixel moves IoU by a third."""


class BoxHits:
    """Matches of a set of frames, fed frame by frame; memory grows by the detections only.

    Everingham et al., "The PASCAL Visual Object Classes Challenge", IJCV 2010: best score first, a
    detection belongs to the true box that it overlaps most (the first of equals), and hits it where
    the overlap reaches the threshold and no earlier one did. Feed frames in the order of the split:
    equal scores rank in the order given.
    """

    def __init__(self, ious: Sequence[float] = IOUS) -> None:
        self.ious = tuple(ious)
        self._scores = array("d")
        self._hits = [array("B") for _ in self.ious]
        self._targets = 0

    def update(self, found: ArrayLike, scores: ArrayLike, boxes: ArrayLike) -> None:
        """Add one frame: boxes (N, 4), their scores (N,), true boxes (M, 4).

        Raises:
            ValueError: numbers that disagree, or a NaN score.
        """
        framed, values = as_boxes(found), np.asarray(scores, dtype=np.float64)
        if values.shape != (len(framed),) or np.isnan(values).any():
            raise ValueError(f"{len(framed)} boxes need as many scores that are numbers: {values}")
        order = np.argsort(-values, kind="stable")
        overlap = intersection_over_union(framed[order], boxes)
        self._targets += overlap.shape[1]
        self._scores.frombytes(values[order].tobytes())
        for iou, hits in zip(self.ious, self._hits, strict=True):
            hits.frombytes(_first_hits(overlap, iou).tobytes())

    def score(self) -> dict[float, float]:
        """Average precision by IoU threshold; 0.0 without a target or a detection."""
        order = np.argsort(-np.array(self._scores, dtype=np.float64), kind="stable")
        return {
            iou: average_precision(np.flatnonzero(np.array(hits, dtype=bool)[order]), self._targets)
            for iou, hits in zip(self.ious, self._hits, strict=True)
        }


def box_ap(
    found: Iterable[ArrayLike],
    scores: Iterable[ArrayLike],
    boxes: Iterable[ArrayLike],
    *,
    ious: Sequence[float] = IOUS,
) -> dict[float, float]:
    """Average precision of boxes over a whole set, by IoU threshold.

    One entry a frame in each iterable (read once): boxes (N, 4), their scores (N,), true boxes
    (M, 4); empty entries are legal.

    Raises:
        ValueError: iterables of different length, numbers that disagree, a NaN score.

    >>> box_ap([[[0, 0, 4, 4]]], [[0.9]], [[[0, 0, 4, 2]]], ious=(0.5, 0.6))
    {0.5: 1.0, 0.6: 0.0}
    """
    hits = BoxHits(ious)
    for frame in zip(found, scores, boxes, strict=True):
        hits.update(*frame)
    return hits.score()


def _first_hits(overlap: NDArray[np.float64], iou: float) -> NDArray[np.bool_]:
    """Which of the detections (N, M targets), best first, are the first to reach their target."""
    hits = np.zeros(len(overlap), dtype=bool)
    if overlap.shape[1]:
        best = overlap.argmax(axis=1)
        reached = np.flatnonzero(overlap[np.arange(len(overlap)), best] >= iou)
        _, first = np.unique(best[reached], return_index=True)
        hits[reached[first]] = True
    return hits
