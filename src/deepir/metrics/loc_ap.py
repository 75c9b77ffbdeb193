"""Average precision of points by how central they lie in their box: mLocAP.

Centre-ness is that of Tian et al., "FCOS: Fully Convolutional One-Stage Object Detection", ICCV
2019; box, ignored box and area range are matched as in the evaluation of COCO. A detection belongs
to the box with its largest centre-ness, whatever the threshold. So as in `deepir.metrics.noco_ap`
it hits an interval of thresholds, from the highest earlier centre-ness in its box (excluded) up to
its own (included), and one pass over the detections serves every threshold.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.metrics.noco_ap import average_precision, scored_points
from deepir.structures import Boxes, as_boxes

CENTRENESS = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Thresholds of mLocAP."""

AreaRange = tuple[float, float]
"""Sides ``(a, b)`` in pixels: boxes count whose area is at least a squared and below b squared."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LocAP:
    """Average precision by centre-ness threshold; 0.0 without targets or without detections.

    ``targets`` are the boxes that count: neither ignored nor outside the area range.
    """

    by_threshold: dict[float, float]
    targets: int

    @property
    def mean(self) -> float:
        """Return mLocAP, the mean AP over the thresholds."""
        return float(np.mean(list(self.by_threshold.values())))


def centreness(points: ArrayLike, boxes: ArrayLike) -> Floats:
    """How central points (N, 2) ``x y`` lie in boxes (M, 4): (N, M) in [0, 1].

    ``sqrt(min(l, r) min(t, b) / (max(l, r) max(t, b)))`` of the distances to the left, right, top
    and bottom border; 0 unless strictly inside, so for NaN and infinite points too.

    >>> centreness([[2, 2], [1, 2], [0, 2]], [[0, 0, 4, 4]]).round(4).tolist()
    [[1.0], [0.5774], [0.0]]
    """
    corners = as_boxes(boxes).astype(np.float64)
    xy = np.asarray(points, dtype=np.float64).reshape(-1, 1, 2)
    before, after = xy - corners[:, :2], corners[:, 2:] - xy
    inside = np.all((before > 0) & (after > 0), axis=2, keepdims=True)
    near = np.where(inside, np.minimum(before, after), 0.0)
    far = np.where(inside, np.maximum(before, after), 1.0)
    central: Floats = np.sqrt(near.prod(axis=2) / far.prod(axis=2))
    return central


def loc_ap(
    points: Iterable[ArrayLike],
    boxes: Iterable[ArrayLike],
    *,
    ignored: Iterable[ArrayLike] | None = None,
    thresholds: Sequence[float] = CENTRENESS,
    area_range: AreaRange | None = None,
) -> LocAP:
    """Score detections of a whole set of frames by the centre-ness of their points.

    One entry a frame in each iterable (read once): ``points`` (N, 3) ``x y score`` in any order,
    ``boxes`` (M, 4), and ``ignored`` (K, 4), boxes that nobody has to find. A detection belongs to
    the box of its frame with the largest centre-ness (first of equals, ignored ones last). Best
    score first, equal ones in the order given: where its centre-ness reaches the threshold it hits
    a box that is free, is false in one that is taken, and counts neither way in a box that is
    ignored or outside ``area_range``; below the threshold it is false. With an ``area_range``
    detections in frames without any box count neither way. Empty entries are legal; no target in
    the whole set, or no detection, scores 0.0.

    Raises:
        ValueError: iterables of different length, arrays of another shape, a NaN score, thresholds
            that do not rise from above 0, an area range that is none.

    >>> loc_ap([[[2, 2, 0.9], [1, 2, 0.8]]], [[[0, 0, 4, 4]]]).mean
    1.0
    >>> loc_ap([[[1, 2, 0.9]]], [[[0, 0, 4, 4]]]).mean
    0.6
    """
    hits = LocHits(thresholds, area_range=area_range)
    if ignored is None:
        for rows, framed in zip(points, boxes, strict=True):
            hits.update(rows, framed)
    else:
        for rows, framed, spared in zip(points, boxes, ignored, strict=True):
            hits.update(rows, framed, ignored=spared)
    return hits.score()


class LocHits:
    """Matches of a set of frames, fed frame by frame: 13 bytes a detection, whatever the frames.

    Feed the frames in the order of the split: equal scores of different frames rank in that order.
    """

    def __init__(
        self, thresholds: Sequence[float] = CENTRENESS, *, area_range: AreaRange | None = None
    ) -> None:
        levels = np.asarray(thresholds, dtype=np.float64)
        if levels.ndim != 1 or not levels.size or not (np.diff(levels, prepend=0.0) > 0).all():
            raise ValueError(f"thresholds rise from above 0, at least one, got {thresholds}")
        if area_range is not None and not 0 <= area_range[0] < area_range[1]:
            raise ValueError(f"an area range is two rising sides from 0 on, got {area_range}")
        self.thresholds = levels
        self.area_range = area_range
        self._scores = array("d")
        self._first = array("H")  # hits thresholds first, first + 1, ... last - 1
        self._last = array("H")
        self._neutral = array("B")  # counts neither way at thresholds 0 ... last - 1
        self._targets = 0

    def update(self, points: ArrayLike, boxes: ArrayLike, *, ignored: ArrayLike = ()) -> None:
        """Add one frame: (N, 3) ``x y score``, (M, 4) boxes, (K, 4) boxes nobody has to find."""
        rows = scored_points(points)
        rows = rows[np.argsort(-rows[:, 2], kind="stable")]
        wanted, spared = as_boxes(boxes), as_boxes(ignored)
        counts = np.append(self._in_range(wanted), np.zeros(len(spared), dtype=bool))
        value, earlier, owner = match_centres(rows[:, :2], np.concatenate([wanted, spared]))
        first = np.searchsorted(self.thresholds, earlier, side="right")
        last = np.searchsorted(self.thresholds, value, side="right")
        if len(counts):
            neutral = ~counts[owner]
        else:
            neutral = np.full(len(rows), self.area_range is not None)
            last[neutral] = len(self.thresholds)
        self._targets += int(counts.sum())
        self._scores.frombytes(rows[:, 2].tobytes())
        self._first.frombytes(first.astype(np.uint16).tobytes())
        self._last.frombytes(last.astype(np.uint16).tobytes())
        self._neutral.frombytes(neutral.tobytes())

    def _in_range(self, boxes: Boxes) -> NDArray[np.bool_]:
        if self.area_range is None:
            return np.ones(len(boxes), dtype=bool)
        low, high = self.area_range
        areas = np.prod(boxes[:, 2:].astype(np.float64) - boxes[:, :2], axis=1)
        counts: NDArray[np.bool_] = (areas >= low**2) & (areas < high**2)
        return counts

    def score(self) -> LocAP:
        """Average precision of everything fed so far."""
        order = np.argsort(-np.array(self._scores, dtype=np.float64), kind="stable")
        first, last = (np.array(ends, dtype=np.uint16)[order] for ends in (self._first, self._last))
        neutral = np.array(self._neutral, dtype=bool)[order]
        found: dict[float, float] = {}
        for level, threshold in enumerate(self.thresholds.tolist()):
            reached = level < last
            listed = ~(neutral & reached)
            hit = (reached & (first <= level))[listed]
            found[threshold] = average_precision(np.flatnonzero(hit), self._targets)
        return LocAP(found, self._targets)


def match_centres(points: ArrayLike, boxes: ArrayLike) -> tuple[Floats, Floats, NDArray[np.intp]]:
    """Centre-ness of each point in its box, the highest earlier one in that box, and the box.

    ``points`` (N, 2) ``x y``, best score first; ``boxes`` (M, 4). A detection hits threshold t
    exactly when ``earlier < t <= value``. The box is the first of those with the largest
    centre-ness; without any box all three are 0.

    >>> value, earlier, owner = match_centres([[2, 2], [1, 2]], [[9, 9, 11, 11], [0, 0, 4, 4]])
    >>> value.round(2).tolist(), earlier.tolist(), owner.tolist()
    ([1.0, 0.58], [0.0, 1.0], [1, 1])
    """
    central = centreness(points, boxes)
    value, earlier = np.zeros((2, len(central)))
    if not central.shape[1]:
        return value, earlier, np.zeros(len(central), dtype=np.intp)
    owner = central.argmax(axis=1)
    value = central[np.arange(len(central)), owner]
    for box in np.unique(owner[value > 0]):
        mine = np.flatnonzero(owner == box)
        earlier[mine[1:]] = np.maximum.accumulate(value[mine])[:-1]
    return value, earlier, owner
