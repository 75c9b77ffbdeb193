"""Average precision under the normalised-contrast rule: mNoCoAP.

A detection is a hit at threshold t when the NoCo map at its pixel exceeds t and the first box that
contains it is still free. For one box, the hit at t is therefore the first of its detections, best
score first, whose map value exceeds t: a detection hits exactly the thresholds from the highest
earlier value in its box (included) up to its own value (excluded). One pass over the detections
gives that interval, and with it every threshold at once.
"""

from __future__ import annotations

import warnings
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.boxes import contains
from deepir.structures import as_boxes

THRESHOLDS = tuple(k / 10 for k in range(1, 10))
"""NoCo thresholds of mNoCoAP: 0.1, 0.2, ... 0.9."""

Floats = NDArray[np.float64]

_HITS = 1024  # looked at together in average precision


@dataclass(frozen=True)
class NocoAP:
    """Average precision by NoCo threshold, and what no ranking of these points could exceed.

    ``by_threshold`` and ``recall_by_threshold`` map a threshold to AP and to the recall of all
    detections together; both are 0.0 without targets or without detections.
    """

    by_threshold: dict[float, float]
    recall_by_threshold: dict[float, float]
    targets: int
    detections: int

    @property
    def mean(self) -> float:
        """Return mNoCoAP, the mean AP over the thresholds."""
        return float(np.mean(list(self.by_threshold.values())))

    @property
    def recall_cap(self) -> float:
        """Mean recall over the thresholds: the mNoCoAP of these points if ranked perfectly."""
        return float(np.mean(list(self.recall_by_threshold.values())))


def noco_ap(
    points: Iterable[ArrayLike],
    noco_maps: Iterable[ArrayLike],
    boxes: Iterable[ArrayLike],
    *,
    thresholds: Sequence[float] = THRESHOLDS,
) -> NocoAP:
    """Score detections of a whole set of frames by NoCo average precision.

    One entry a frame in each iterable (read once): ``points`` (N, 3) ``x y score`` in any order,
    the map of `deepir.noco.noco_map` (H, W), ``boxes`` (M, 4). Empty entries are legal; no target
    in the whole set, or no detection, scores 0.0. Equal scores rank in the order given.

    Raises:
        ValueError: iterables of different length, arrays of another shape, a NaN score.

    >>> truth = np.zeros((8, 8)); truth[2, 3] = 0.95
    >>> noco_ap([[[3, 2, 0.5]]], [truth], [[[2, 1, 5, 4]]]).mean
    1.0
    """
    return noco_hits(points, noco_maps, boxes, thresholds=thresholds).score()


def noco_hits(
    points: Iterable[ArrayLike],
    noco_maps: Iterable[ArrayLike],
    boxes: Iterable[ArrayLike],
    *,
    thresholds: Sequence[float] = THRESHOLDS,
) -> NocoHits:
    """Match a whole set as `noco_ap` does, and keep the matches for intervals and curves."""
    hits = NocoHits(thresholds)
    for frame_points, noco, frame_boxes in zip(points, noco_maps, boxes, strict=True):
        hits.update(frame_points, noco, frame_boxes)
    return hits


class NocoHits:
    """Matches of a set of frames, fed frame by frame: 12 bytes a detection, 16 a frame.

    To rank them for a score takes 20 bytes a detection more for a moment.

    Feed the frames in the order of the split: equal scores of different frames rank in that order.
    """

    def __init__(self, thresholds: Sequence[float] = THRESHOLDS) -> None:
        levels = np.asarray(thresholds, dtype=np.float64)
        if levels.ndim != 1 or not levels.size or (np.diff(levels) <= 0).any():
            raise ValueError(f"thresholds rise and there is at least one, got {thresholds}")
        self.thresholds = levels
        self._scores = array("d")
        self._first = array("H")  # hits thresholds first, first + 1, ... last - 1
        self._last = array("H")
        self._detections = array("q")  # by frame
        self._targets = array("q")

    def update(self, points: ArrayLike, noco_map: ArrayLike, boxes: ArrayLike) -> None:
        """Add one frame: (N, 3) ``x y score``, map (H, W), (M, 4) boxes."""
        rows = scored_points(points)
        rows = rows[np.argsort(-rows[:, 2], kind="stable")]
        value, earlier = match_points(rows[:, :2], noco_map, boxes)
        first = np.searchsorted(self.thresholds, earlier, side="left").astype(np.uint16)
        last = np.searchsorted(self.thresholds, value, side="left").astype(np.uint16)
        self._scores.frombytes(rows[:, 2].tobytes())
        self._first.frombytes(first.tobytes())
        self._last.frombytes(last.tobytes())
        self._detections.append(len(rows))
        self._targets.append(len(as_boxes(boxes)))

    @property
    def targets(self) -> NDArray[np.int64]:
        """Targets of each frame, (F,)."""
        return np.array(self._targets, dtype=np.int64)

    def ranked(self) -> RankedHits:
        """All detections, best first, with the frame that each came from."""
        order, first, last = self._ranking()
        frames = np.repeat(np.arange(len(self._detections)), np.array(self._detections, dtype=int))
        scores = np.array(self._scores, dtype=np.float64)[order]
        return RankedHits(frames[order], first, last, self.targets, len(self.thresholds), scores)

    def _ranking(self) -> tuple[NDArray[np.intp], NDArray[np.uint16], NDArray[np.uint16]]:
        """Places of the detections in the order fed, best first, and the thresholds they hit."""
        order = np.argsort(-np.array(self._scores, dtype=np.float64), kind="stable")
        first, last = (np.array(ends, dtype=np.uint16)[order] for ends in (self._first, self._last))
        return order, first, last

    def only(self, chosen: ArrayLike) -> NocoHits:
        """Matches of the frames that are True in ``chosen`` (F,), in their order.

        Raises:
            ValueError: another number of frames.
        """
        frames = np.asarray(chosen, dtype=bool)
        if frames.shape != (len(self._targets),):
            raise ValueError(f"{len(self._targets)} frames were fed, got {frames.shape} choices")
        rows = np.repeat(frames, np.array(self._detections, dtype=np.int64))
        part = NocoHits(self.thresholds.tolist())
        part._scores = _chosen(self._scores, rows)
        part._first, part._last = _chosen(self._first, rows), _chosen(self._last, rows)
        part._detections = _chosen(self._detections, frames)
        part._targets = _chosen(self._targets, frames)
        return part

    def score(self) -> NocoAP:
        """Average precision and recall of everything fed so far."""
        first, last = self._ranking()[1:]
        targets = int(self.targets.sum())
        precisions, recalls = {}, {}
        for level, threshold in enumerate(self.thresholds.tolist()):
            ranks = np.flatnonzero((first <= level) & (level < last))
            precisions[threshold] = average_precision(ranks, targets)
            recalls[threshold] = len(ranks) / targets if targets else 0.0
        return NocoAP(precisions, recalls, targets, len(self._scores))


@dataclass(frozen=True, eq=False)
class RankedHits:
    """N detections of a set, best first: their frames, and the thresholds that each one hits."""

    frames: NDArray[np.int64]  # (N,)
    first: NDArray[np.uint16]  # (N,) hits thresholds first ... last - 1
    last: NDArray[np.uint16]
    targets: NDArray[np.int64]  # (F,) by frame
    levels: int
    scores: Floats  # (N,)

    def hit_ranks(self, level: int) -> NDArray[np.intp]:
        """Positions in the ranking (from 0) that hit threshold number ``level``."""
        return np.flatnonzero((self.first <= level) & (level < self.last))


def average_precision(hit_ranks: NDArray[np.intp], targets: int) -> float:
    """Area under the monotone envelope of precision over recall (PASCAL VOC 2010, "area").

    ``hit_ranks`` are the positions of the hits in the ranking, rising from 0; ``targets`` is the
    number of boxes to find. Recall only moves at hits, so the other detections need no row.

    >>> average_precision(np.array([0, 3]), 2)
    0.75
    """
    if not targets:
        return 0.0
    best, area = 0.0, 0.0
    for stop in range(len(hit_ranks), 0, -_HITS):  # from the last hit back
        start = max(stop - _HITS, 0)
        precision = np.arange(start + 1, stop + 1) / (hit_ranks[start:stop] + 1)
        envelope = np.maximum(np.maximum.accumulate(precision[::-1]), best)
        best, area = float(envelope[-1]), area + float(envelope.sum())
    return area / targets


def match_points(points: ArrayLike, noco_map: ArrayLike, boxes: ArrayLike) -> tuple[Floats, Floats]:
    """Map value of each detection, and the highest earlier one in the same box.

    ``points`` (N, 2) ``x y``, best score first; ``noco_map`` (H, W); ``boxes`` (M, 4). A detection
    hits threshold t exactly when ``earlier <= t < value``. The map is read at the rounded point
    (half to even), a point on the far border at the last pixel; points outside the frame, NaN and
    infinite ones hit nothing (value ``-inf``) and are named by a warning.

    >>> truth = np.full((4, 4), 0.7)
    >>> value, earlier = match_points([[1, 1], [2, 2]], truth, [[0, 0, 4, 4]])
    >>> value.tolist(), earlier.tolist()
    ([0.7, 0.7], [-inf, 0.7])
    """
    xy = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    noco = np.asarray(noco_map)
    value = np.full(len(xy), -np.inf)
    earlier = np.full(len(xy), -np.inf)
    inside = _inside(xy, noco.shape)
    corners = as_boxes(boxes)
    if not len(corners) or not inside.any():
        return value, earlier
    held = contains(corners, xy[inside])
    owned = np.flatnonzero(inside)[held.any(axis=1)]
    owner = held.argmax(axis=1)[held.any(axis=1)]  # first box in annotation order
    columns, rows = np.rint(xy[owned]).astype(np.intp).T
    height, width = noco.shape
    read = noco[rows.clip(max=height - 1), columns.clip(max=width - 1)]
    value[owned] = np.where(np.isnan(read), -np.inf, read)
    for box in np.unique(owner):
        mine = owned[owner == box]
        earlier[mine[1:]] = np.maximum.accumulate(value[mine])[:-1]
    return value, earlier


def _inside(xy: Floats, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which points lie in [0, W] x [0, H]; the others are false alarms, said once a frame."""
    height, width = shape
    inside: NDArray[np.bool_] = np.all((xy >= 0) & (xy <= (width, height)), axis=1)
    if not inside.all():
        warnings.warn(
            f"{int((~inside).sum())} of {len(xy)} points lie outside the {width}x{height} frame"
            f" (first: {xy[~inside][0].tolist()}) and count as false alarms",
            stacklevel=4,
        )
    return inside


def _chosen(values: array[Any], chosen: NDArray[np.bool_]) -> array[Any]:
    kept = np.array(values, dtype=values.typecode)[chosen]
    return array(values.typecode, kept.tobytes())


def scored_points(points: ArrayLike) -> Floats:
    """Detections as rows (N, 3) of ``x y score``; anything empty becomes (0, 3).

    Raises:
        ValueError: another shape, or a NaN score.

    >>> scored_points([]).shape
    (0, 3)
    """
    rows = np.asarray(points, dtype=np.float64)
    if rows.size == 0:
        return np.zeros((0, 3))
    if rows.ndim != 2 or rows.shape[1] != 3:
        raise ValueError(f"points have shape (N, 3): x, y, score; got {rows.shape}")
    if np.isnan(rows[:, 2]).any():
        raise ValueError(f"scores are numbers, got NaN at rows {np.isnan(rows[:, 2]).nonzero()[0]}")
    return rows
